"""Which folders are offered as data sets."""

import shutil

import pytest

from fracture.data.folders import being_filled, forget, list_datasets, remember
from fracture.importers.download import Progress
from fracture.importers.job import IMPORT, ImportStatus, Order
from fracture.jobs.process import identity
from fracture.phantoms.job import PhantomJob, save
from fracture.phantoms.plan import Plan
from tests.support.drawing import draw_mura


def names():
    return [folder.name for folder in list_datasets()]


def test_list_without_images_leaves_the_folder_out(homes):
    """An empty tree is no data set, whatever its folders are called."""
    draw_mura(homes / "data" / "whole", 1, 1)
    (homes / "data" / "empty" / "train" / "XR_HUMERUS").mkdir(parents=True)
    assert names() == ["whole"]


def test_list_with_images_in_a_later_folder_offers_it(homes):
    """One body part is still empty, and another one has images."""
    root = draw_mura(homes / "data" / "some", 1, 1, body_part="XR_WRIST")
    (root / "aaa" / "XR_ELBOW").mkdir(parents=True)
    assert names() == ["some"]


@pytest.mark.parametrize(("working", "files", "offered"), [(True, 0, True), (False, 0, False), (False, 3, True)])
def test_list_with_an_unfinished_import_needs_files_or_a_process(homes, working, files, offered):
    """An import that was stopped before its first file is not offered, and so is nobody's default."""
    root = draw_mura(homes / "data" / "aaa", 1, 1)
    status = ImportStatus.of(Order("kaggle", {}), Progress(files, 1560), ended=not working, **identity())
    IMPORT.write(root, status)
    assert names() == ["aaa"] * offered
    assert being_filled(root) == working


@pytest.mark.parametrize(("working", "images", "offered"), [(True, 0, True), (False, 0, False), (False, 3, True)])
def test_list_with_unfinished_phantoms_needs_images_or_a_process(homes, working, images, offered):
    """The same holds for the generation of phantoms."""
    root = draw_mura(homes / "data" / "aaa", 1, 1)
    save(PhantomJob(root, Plan(20), min(images, 1), images, working), ended=not working, **identity())
    assert names() == ["aaa"] * offered
    assert being_filled(root) == working


def test_remember_a_typed_folder_lists_it_after_those_of_the_data_home(homes, tmp_path):
    """The newest first, each once, until it is forgotten; its images are not touched."""
    draw_mura(homes / "data" / "own", 1, 1)
    first, second = (draw_mura(tmp_path / "elsewhere" / name, 1, 1) for name in ("first", "second"))
    for folder in (first, second, first):
        remember(folder)
    assert list_datasets() == [homes / "data" / "own", first, second]
    forget(first)
    assert names() == ["own", "second"] and first.is_dir()


def test_remember_what_is_no_data_set_lists_nothing(homes, tmp_path):
    """A folder of holiday pictures, or one that has gone since."""
    (tmp_path / "holiday").mkdir()
    gone = draw_mura(tmp_path / "gone", 1, 1)
    for folder in (tmp_path / "holiday", gone):
        remember(folder)
    shutil.rmtree(gone)
    assert names() == []


def test_remember_in_a_public_demo_keeps_nothing(homes, tmp_path, monkeypatch):
    """A visitor's path is nobody else's business; what the host has typed before is not shown either."""
    typed = draw_mura(tmp_path / "typed", 1, 1)
    remember(typed)
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    remember(draw_mura(tmp_path / "other", 1, 1))
    assert names() == []
    monkeypatch.delenv("FRACTURE_PUBLIC")
    assert names() == ["typed"]


def test_list_with_a_damaged_file_of_typed_folders_is_that_of_the_data_home(homes):
    """It is written anew by the next folder that is typed."""
    draw_mura(homes / "data" / "own", 1, 1)
    for text in ("{", '["a"]', '{"folders": [1]}'):
        (homes / "data" / ".folders.json").write_text(text)
        assert names() == ["own"]
