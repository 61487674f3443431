"""Entries of COCO's files and the images on disk."""

import pytest

from fracture.data.annotations.coco_files import by_name, folder_split, on_disk, stated_split


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("annotations/instances_train2017.json", "train"),
        ("valid/_annotations.coco.json", "valid"),
        ("train/labels_val.json", "valid"),
        ("train/val.json", "valid"),
        ("annotations/train_val.json", ""),
        ("annotations/all.json", ""),
    ],
)
def test_stated_split_is_that_of_the_name_or_of_the_folder(path, split):
    """The name goes before the folders; a file for two splits states none."""
    assert stated_split(path) == split


def test_folder_split_of_an_image_is_that_of_its_folders():
    """The inner folder counts, and the name of the image does not."""
    assert folder_split("training data/val/1.png") == "valid"
    assert folder_split("images/test_image.png") == ""


@pytest.mark.parametrize(
    ("name", "path", "images", "found"),
    [
        ("1.png", "valid/_annotations.coco.json", ["train/1.png"], []),
        ("1.png", "annotations/val.json", ["images/train/1.png"], []),
        ("1.png", "annotations/val.json", ["images/train/1.png", "test/1.png"], []),
        ("train/1.png", "val.json", ["train/1.png"], []),
        ("1.png", "annotations/val.json", ["images/train/1.png", "images/val/1.png"], ["images/val/1.png"]),
        ("1.png", "annotations/val.json", ["train/1.png", "images/1.png"], ["images/1.png"]),
        ("1.png", "annotations/val.json", ["images/1.png"], ["images/1.png"]),
        ("1.png", "annotations/all.json", ["train/1.png"], ["train/1.png"]),
        ("1.png", "annotations/train_val.json", ["train/1.png"], ["train/1.png"]),
        ("1.png", "all.json", ["a/1.png", "b/1.png"], ["a/1.png", "b/1.png"]),
        ("b\\1.png", "all.json", ["a/b/1.png", "c/1.png"], ["a/b/1.png"]),
        ("test patient/1.png", "train/all.json", ["train/test patient/1.png"], ["train/test patient/1.png"]),
    ],
)
def test_on_disk_is_never_in_the_folder_of_another_split(name, path, images, found):
    """Where a file states a split, an image of the same name in another split is another image."""
    assert on_disk(name, path, by_name(images)) == found
