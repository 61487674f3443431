"""Patients in the names of files."""

import pandas as pd
import pytest

from fracture.data.checks import check
from fracture.data.dataset import scan
from fracture.data.labels.choice import parse_choice
from fracture.data.labels.labels_file import read_labels
from fracture.data.labels.patients import find_patients
from fracture.data.labels.store import choose_labels, choose_patients, undo_labels, undo_patients
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError
from tests.support.drawing import draw_classes


@pytest.fixture
def root(tmp_path):
    """Two images of each of six patients, whose numbers begin the names of files."""
    root = draw_classes(tmp_path / "set", "normal", "fractured", images=6)
    for number, file in enumerate(sorted(root.rglob("*.png"))):
        file.rename(file.with_name(f"{number // 2:04d}_{number}_hand.png"))
    return root


@pytest.mark.parametrize(
    ("pattern", "path", "patient"),
    [
        ("{patient}_*", "train/normal/0123_2_hand.png", "0123"),
        ("*_p{patient}_*", "hand_p7_2.jpeg", "7"),
        ("{patient}", "a/b.c.png", "b.c"),
        ("case-{patient}/*", "case-9/1.png", "9"),
        ("{patient}-*", "normal/0123_2.png", ""),
    ],
)
def test_find_patients_by_templates(pattern, path, patient):
    """A template is matched with the whole name without its ending, and with the folders that it names."""
    assert find_patients(pd.Series([path]), pattern).tolist() == [patient]


@pytest.mark.parametrize(
    "pattern", ["", "(", r"(a+)+!", "{patient}{patient}", "{patient}****", "x" * 193 + "{patient}"]
)
def test_find_patients_by_another_text_is_refused(pattern):
    """What is no template says what one is; regular expressions, which may never end, are none."""
    with pytest.raises(DatasetError, match=r"\{patient\}_\*, with one \{patient\}"):
        find_patients(pd.Series(["a.png"]), pattern)


def test_choose_patients_keeps_each_on_one_side_of_the_split(homes, root):
    """Patients from the names are the groups of the split, in scans and in the cache, until it is undone."""
    assert scan(root).table["group"].nunique() == 12
    choose_patients(root, "{patient}_*")
    for dataset in (scan(root), find_or_scan(root), find_or_scan(root)):
        assert dataset.patient_pattern == "{patient}_*"
        assert sorted(set(dataset.table["group"])) == [f"{number:04d}" for number in range(6)]
        assert (dataset.table.groupby("group")["split"].nunique() == 1).all()
    undo_patients(root, "another time")
    assert scan(root).table["group"].nunique() == 6
    undo_patients(root, read_labels(root).patient_patterns[-1].time)
    assert scan(root).table["group"].nunique() == 12
    assert not (root / "labels.json").exists()


def test_choose_patients_and_labels_undo_each_their_own(root):
    """The pattern and the labels are stored in one file, and neither undo touches the other."""
    choose_patients(root, "{patient}_*")
    choose_labels(root, parse_choice(["negative=fractured", "positive=normal"]))
    undo_patients(root, read_labels(root).patient_patterns[-1].time)
    assert scan(root).label_names == ("fractured", "normal")
    choose_patients(root, "{patient}_*")
    undo_labels(root, "another time")
    assert scan(root).label_names == ("fractured", "normal")


def test_choose_patients_that_match_nothing_is_refused(root):
    """A pattern that finds nobody is refused with the name of a file."""
    with pytest.raises(DatasetError, match=r"such as fractured/0000_0_hand.png. Received: '\{patient\}-\*'"):
        choose_patients(root, "{patient}-*")


def test_check_images_that_the_pattern_misses_are_named(root):
    """Images without a patient among others with one are a warning."""
    (root / "normal" / "extra.png").write_bytes((root / "normal" / "0005_10_hand.png").read_bytes())
    choose_patients(root, "{patient}_*")
    found = {problem.kind: problem for problem in check(scan(root), read_files=False)}
    assert found["some patients"].images == ("normal/extra.png",)
