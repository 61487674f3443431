"""What lies in a folder: links, and files that are not read."""

import pytest

from fracture.data.dataset import looks_like_data, scan
from fracture.data.layouts import Skipped, tree, walk
from fracture.data.scan_cache import find_or_scan
from tests.support.drawing import draw_classes


@pytest.fixture
def linked(tmp_path):
    """A data set whose split folders are links to folders elsewhere."""
    for split in ("train", "valid"):
        draw_classes(tmp_path / "disk" / split, "normal", "fractured")
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / split).symlink_to(tmp_path / "disk" / split)
    return tmp_path / "set"


def test_links_to_folders_are_followed(homes, linked):
    """Split folders that are links are read, under the names of the links; a new file behind one is noticed."""
    assert looks_like_data(linked)
    before = find_or_scan(linked)
    assert before.table.groupby(["split", "label"]).size().to_dict() == {
        ("train", 0): 3,
        ("train", 1): 3,
        ("valid", 0): 3,
        ("valid", 1): 3,
    }
    assert before.table["image_id"].iloc[0] == "train/fractured/image0.png"
    (linked / "train" / "normal" / "image0.png").unlink()
    assert len(find_or_scan(linked).table) == len(before.table) - 1


def test_links_that_loop_or_repeat_are_not_followed(linked):
    """A link to a folder that holds it, or that is read anyway, is left out and counted; nothing is read twice."""
    before = walk(linked)
    (linked / "train" / "normal" / "up").symlink_to(linked)
    (linked / "train" / "normal" / "here").symlink_to(".")
    (linked / "valid-again").symlink_to(linked / "valid")
    assert walk(linked) == before
    assert tree(linked).links == ["train/normal/here", "train/normal/up", "valid-again"]
    assert scan(linked).skipped == (Skipped("link", "", 3, "train/normal/here"),)


def test_links_in_a_public_demo_are_not_followed(linked, monkeypatch):
    """A public demo reads no folder by a link."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    assert walk(linked) == []
    assert tree(linked).links == ["train", "valid"]
    assert not looks_like_data(linked)


def test_files_that_are_not_read_are_counted_by_ending(tmp_path):
    """What is no image is counted; the app's own files and papers that come with data sets are not."""
    root = draw_classes(tmp_path, "normal", "fractured")
    for name in ("normal/a.gif", "normal/b.GIF", "notes.txt", "README.md", "LICENSE", "curation.csv", ".hidden.txt"):
        (root / name).write_text("time,image_id,decision,reason\n")
    assert scan(root).skipped == (Skipped("file", ".gif", 2, "normal/a.gif"), Skipped("file", ".txt", 1, "notes.txt"))
