"""What lies in a folder: images, DICOM files without ending, links, and files that are not read."""

from pathlib import Path

import numpy as np
import pytest

from fracture.data import layouts
from fracture.data.dataset import looks_like_data, scan
from fracture.data.layouts import MAX_OTHERS_FIRST, Skipped, may_be_dicom, tree, walk
from fracture.data.scan_cache import find_or_scan
from tests.hostile import dicoms, pictures
from tests.support.drawing import draw_classes

DICOM = dicoms.dicom(np.arange(48, dtype=np.uint8).reshape(6, 8))


def fill(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "may_be"),
    [
        *((name, True) for name in ("IM000001", "1.2.840.113619.2.5", "scan.001", "a_b-c", "README")),
        *((name, False) for name in ("DICOMDIR", "notes.txt", "archive.tar.gz", "v1.b2", "scan.dcm")),
    ],
)
def test_may_be_dicom_by_the_name(name, may_be):
    """A name without an ending, or with digits for one, as the UIDs of PACS exports."""
    assert may_be_dicom(name) is may_be


def test_walk_finds_dicom_without_ending(tmp_path):
    """By content, in each folder; other files without ending are left out."""
    files = {"a/IM1": DICOM, "a/1.2.840.3": DICOM, "a/README": b"words", "b/x.ima": DICOM, "b/y.DICOM": DICOM}
    fill(tmp_path, {**files, "b/DICOMDIR": DICOM, "b/z.txt": DICOM, "b/p.tif": pictures.encoded(pictures.RAMP, "TIFF")})
    assert walk(tmp_path) == ["a/1.2.840.3", "a/IM1", "b/p.tif", "b/x.ima", "b/y.DICOM"]


def test_walk_opens_few_files_of_a_folder_without_dicom(tmp_path, monkeypatch):
    """A million of other files without ending cost no more than a hundred."""
    fill(tmp_path, {f"{number:05}": b"" for number in range(1000)})
    opened = []
    monkeypatch.setattr(layouts, "begins_as_dicom", lambda path: opened.append(path) or False)
    assert walk(tmp_path) == []
    assert len(opened) == MAX_OTHERS_FIRST


def test_scan_reads_class_folders_of_dicom_without_ending(tmp_path):
    """The sizes are in the table, as those of all other images."""
    fill(tmp_path, {f"{name}/IM{number}": DICOM for name in ("normal", "abnormal") for number in range(3)})
    assert looks_like_data(tmp_path)
    table = scan(tmp_path).table
    assert len(table) == 6
    assert set(table["width"]) == {8}


def test_looks_like_data_without_an_image_is_false(tmp_path):
    """Other files without ending in class folders are none."""
    fill(tmp_path, {"normal/README": b"words", "abnormal/LICENSE": b"words"})
    assert not looks_like_data(tmp_path)


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
    for name in ("normal/a.svg", "normal/b.SVG", "notes.txt", "README.md", "LICENSE", "curation.csv", ".hidden.txt"):
        (root / name).write_text("time,image_id,decision,reason\n")
    assert scan(root).skipped == (Skipped("file", ".svg", 2, "normal/a.svg"), Skipped("file", ".txt", 1, "notes.txt"))
