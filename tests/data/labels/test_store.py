"""Storing a choice of labels beside the data, and taking it back."""

import pytest

from fracture.data.dataset import looks_like_data, scan
from fracture.data.labels.choice import parse_choice
from fracture.data.labels.labels_file import read_choices
from fracture.data.labels.store import choose_labels, last_labels, undo_labels
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError, LabelsError, PublicError
from tests.support.drawing import draw_classes, draw_mura

A_NEGATIVE = parse_choice(["negative=A", "positive=B"])
B_NEGATIVE = parse_choice(["negative=B", "positive=A"])


@pytest.fixture
def root(tmp_path):
    """Class folders of names that nobody can know."""
    return draw_classes(tmp_path / "set", "train/A", "train/B", "valid/A", "valid/B")


def test_choose_labels_counts_from_then_on_at_every_level(homes, root):
    """A stored choice gives the labels of later scans, of the folder and of those below it; so does the cache."""
    choose_labels(root, A_NEGATIVE)
    assert scan(root).label_names == ("A", "B")
    assert scan(root / "train").label_names == ("A", "B")
    assert find_or_scan(root / "train").label_names == ("A", "B")
    choose_labels(root, B_NEGATIVE)
    assert find_or_scan(root / "train").label_names == ("B", "A")
    assert find_or_scan(root).label_names == find_or_scan(root).label_names == ("B", "A")


def test_undo_labels_brings_the_choice_before_back(root):
    """The last choice is deleted; after the first one the names are asked for again."""
    choose_labels(root, A_NEGATIVE)
    choose_labels(root, B_NEGATIVE)
    undo_labels(root, last_labels(root).time)
    assert scan(root).label_names == ("A", "B")
    undo_labels(root, last_labels(root).time)
    assert last_labels(root) is None
    with pytest.raises(LabelsError):
        scan(root)


def test_choose_labels_twice_stores_one(root):
    """The choice that counts already is not stored again, so that a command can be repeated on a read-only disk."""
    choose_labels(root, A_NEGATIVE)
    choose_labels(root, A_NEGATIVE)
    assert len(read_choices(root)) == 1


def test_choose_labels_of_wrong_names_stores_nothing(root):
    """What the data set does not have is refused before anything is written."""
    with pytest.raises(LabelsError):
        choose_labels(root, parse_choice(["negative=A", "positive=X"]))
    assert not (root / "labels.json").exists()


def test_choose_labels_of_mura_is_refused(tmp_path):
    """MURA's tree says itself what its labels are."""
    with pytest.raises(DatasetError, match="layout MURA, which says itself"):
        choose_labels(draw_mura(tmp_path, 2, 1), A_NEGATIVE)


def test_choose_labels_in_a_public_demo_is_refused(homes, monkeypatch):
    """Nobody changes the labels of everybody."""
    root = draw_classes(homes / "data" / "set", "A", "B")
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError):
        choose_labels("set", A_NEGATIVE)
    assert not (root / "labels.json").exists()


def test_folders_of_unknown_classes_are_offered(root, tmp_path):
    """Two folders with images side by side are a data set that can be asked about."""
    assert looks_like_data(root)
    assert not looks_like_data(draw_classes(tmp_path / "one", "pictures"))
