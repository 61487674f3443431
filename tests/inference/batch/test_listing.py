"""Studies in files and folders, in the order in which they are listed."""

import os

import numpy as np
import pytest

from fracture.errors import FractureError
from fracture.inference.batch import listing
from fracture.inference.batch.answering import Study
from fracture.inference.batch.listing import list_studies
from tests.hostile.dicoms import dicom


@pytest.fixture
def folder(tmp_path):
    """Two levels of folders, with files that are no images and a hidden one."""
    for name in ("b/2.png", "b/1.jpg", "b/deep/3.PNG", "a.png", "c.txt", ".hidden.png", "empty/readme.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(folder, **options):
    return [os.path.relpath(study.name, folder) for study in list_studies([str(folder)], together=False, **options)]


@pytest.mark.parametrize("most", [1, 10_000])
def test_list_studies_gives_each_image_once(folder, monkeypatch, most):
    """By name, a folder before those in it; a folder larger than is sorted is listed all the same."""
    monkeypatch.setattr(listing, "MAX_SORTED", most)
    assert sorted(names(folder)) == ["a.png", "b/1.jpg", "b/2.png", "b/deep/3.PNG"]
    if most > 1:
        assert names(folder) == ["a.png", "b/1.jpg", "b/2.png", "b/deep/3.PNG"]


def test_list_studies_together_keeps_the_views_of_a_folder(folder):
    """The named files are one study, and each folder's images another."""
    named = [str(folder / "x.png"), str(folder / "y.png")]
    found = list(list_studies([*named, str(folder / "b")], together=True))
    assert found[0] == Study(str(folder), tuple(named))
    assert found[1] == Study(str(folder / "b"), (str(folder / "b/1.jpg"), str(folder / "b/2.png")))
    assert found[2].name == str(folder / "b/deep")


def test_list_studies_names_empty_folders(folder):
    """A folder without any image is told to the caller."""
    empty = []
    assert names(folder / "empty", on_empty=empty.append) == [] and empty == [str(folder / "empty")]


def test_list_studies_finds_dicom_without_ending(folder):
    """By its first bytes; a text without ending is none."""
    (folder / "b" / "1.2.840.1").write_bytes(dicom(np.zeros((16, 16), np.uint8)))
    (folder / "b" / "notes").write_text("hello")
    assert "b/1.2.840.1" in names(folder) and "b/notes" not in names(folder)


def test_list_studies_follows_a_link_once(folder, tmp_path_factory):
    """A link to a folder elsewhere is followed, one into the folder itself is not."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "z.png").touch()
    (folder / "link").symlink_to(elsewhere)
    (folder / "loop").symlink_to(folder)
    assert [name for name in names(folder) if "l" in name.partition("/")[0]] == ["link/z.png"]


def test_list_studies_with_an_unreadable_folder_raises(folder, monkeypatch):
    """Its images would be missing, and nobody would notice."""
    real = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FractureError, match=r"must be readable\. Received: .*deep: Permission denied"):
        names(folder)


def test_list_studies_is_lazy(folder):
    """The first study is there before the second folder was opened."""
    studies = list_studies([str(folder), "/no/such/folder.png"], together=False)
    assert next(studies).name == "/no/such/folder.png"  # files come first
    assert next(studies).name.endswith("a.png")
