"""COCO's layout as Roboflow, CVAT and COCO itself write it, and odd entries in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fracture.data import layouts
from fracture.data.annotations import coco as module
from fracture.data.annotations.boxes import UNANNOTATED
from fracture.data.annotations.coco import (
    AMBIGUOUS,
    ENTRY,
    NO_CATEGORY,
    NO_ID,
    NO_IMAGE,
    OUTSIDE,
    SAME_ID,
    TWO_SPLITS,
    coco,
)
from fracture.data.checks import check
from fracture.data.dataset import looks_like_data, scan
from fracture.data.labels.choice import parse_choice
from fracture.data.layouts import Skipped
from fracture.errors import DatasetError, LabelsError
from tests.support.drawing import draw_classes

FRACTURES = parse_choice(["positive=fracture", f"negative={UNANNOTATED}"])


def listed(count: int = 4, size: int = 8, **changes: list[Any]) -> dict[str, list[Any]]:
    """A document about images image0.png, image1.png ..., the even ones with a box; ``changes``: further entries."""
    document = {
        "images": [{"id": n, "file_name": f"image{n}.png", "width": size, "height": size} for n in range(count)],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [size / 4, size / 2, size / 4, size / 4]}
            for n in range(0, count, 2)
        ],
        "categories": [{"id": 0, "name": "objects"}, {"id": 1, "name": "fracture"}],
    }
    return {key: [*entries, *changes.get(key, [])] for key, entries in document.items()}


def draw_coco(root: Path, **changes: list[Any]) -> Path:
    """Four images, and Roboflow's file beside them."""
    draw_classes(root, "train", images=4)
    (root / "train" / "_annotations.coco.json").write_text(json.dumps(listed(**changes)))
    return root


@pytest.mark.parametrize(
    ("folders", "files"),
    [
        (("train", "valid"), ("train/_annotations.coco.json", "valid/_annotations.coco.json")),
        (("train2017", "val2017"), ("annotations/instances_train2017.json", "annotations/instances_val2017.json")),
        (("images/train", "images/val"), ("annotations/instances_train.json", "annotations/instances_val.json")),
    ],
)
def test_coco_of_each_tool_is_read(tmp_path, folders, files):
    """Images are found beside the file or by their split, with labels and boxes in px."""
    draw_classes(tmp_path, *folders, images=4)
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(json.dumps(listed()))
    assert looks_like_data(tmp_path)
    with pytest.raises(LabelsError, match=r"'fracture' \(4\), 'unannotated' \(4\)"):
        scan(tmp_path)
    dataset = scan(tmp_path, choice=FRACTURES)
    assert (dataset.layout, dataset.label_names, dataset.skipped) == ("COCO", ("not fractured", "fractured"), ())
    assert dataset.table.groupby("split")["label"].sum().to_dict() == {"train": 2, "valid": 2}
    assert set(dataset.table["boxes"]) == {"", "2 4 2 2"}


def test_boxes_of_resized_images_are_scaled_and_those_of_another_shape_left_out(tmp_path):
    """Boxes are for the size that the file states: an image of half that size has half the box."""
    root = draw_coco(tmp_path)
    Image.new("L", (4, 4), 9).save(root / "train" / "image0.png")
    Image.new("L", (4, 8), 9).save(root / "train" / "image2.png")
    dataset = scan(root, choice=FRACTURES)
    assert dict(zip(dataset.table["image_id"], dataset.table["boxes"], strict=True)) == {
        "train/image0.png": "1 2 1 1",
        "train/image1.png": "",
        "train/image2.png": "",
        "train/image3.png": "",
    }
    assert dataset.table["label"].tolist() == [1, 0, 1, 0]
    assert dataset.skipped == (Skipped("boxes", "boxes for another size", 1, "train/image2.png"),)
    assert "1 image is read without boxes" in " ".join(each.message for each in check(dataset, read_files=False))


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ({"image_id": 1, "category_id": 1, "bbox": [100, 0, 2, 2]}, OUTSIDE),
        ({"image_id": 1, "category_id": 1, "bbox": [1, 1, 0, 2]}, OUTSIDE),
        ({"image_id": 1, "category_id": 7, "bbox": [1, 1, 2, 2]}, NO_CATEGORY),
        ({"image_id": 1, "category_id": 1, "bbox": [1, 1, 2]}, ENTRY),
        ({"image_id": 1, "category_id": 1, "bbox": ["a", 1, 2, 2]}, ENTRY),
        ({"image_id": 1}, ENTRY),
    ],
)
def test_images_with_damaged_annotations_are_left_out_and_named(tmp_path, annotation, problem):
    """Image 1 would be negative without the annotation that cannot be read, so that it has no label."""
    dataset = scan(draw_coco(tmp_path, annotations=[annotation]), choice=FRACTURES)
    assert [name[-5] for name in dataset.table["image_id"]] == ["0", "2", "3"]
    assert dataset.skipped == (Skipped("annotation", problem, 1, "train/image1.png"),)


@pytest.mark.parametrize(
    ("changes", "problem", "example"),
    [
        (
            {"annotations": [{"image_id": 99, "category_id": 1, "bbox": [1, 1, 2, 2]}]},
            NO_ID,
            "train/_annotations.coco.json",
        ),
        ({"annotations": [[]]}, NO_ID, "train/_annotations.coco.json"),
        ({"images": [{"id": 9, "file_name": "gone.png"}]}, NO_IMAGE, "gone.png"),
        ({"images": [{"id": 9, "file_name": "../../secret.png"}]}, NO_IMAGE, "../../secret.png"),
        ({"images": [{"id": 9}]}, ENTRY, "train/_annotations.coco.json"),
        ({"categories": [{"id": 9, "name": ""}]}, ENTRY, "train/_annotations.coco.json"),
    ],
)
def test_entries_without_an_image_are_counted(tmp_path, changes, problem, example):
    """What belongs to no image on disk costs no image, and is named."""
    dataset = scan(draw_coco(tmp_path, **changes), choice=FRACTURES)
    assert len(dataset.table) == 4
    assert dataset.skipped == (Skipped("annotation", problem, 1, example),)


def test_names_of_several_images_and_images_of_no_file_are_counted(tmp_path):
    """A name that two images have is not guessed, and an image that no file lists has no label."""
    draw_classes(tmp_path, "a", "b", images=1)
    draw_classes(tmp_path, "c", images=4)
    (tmp_path / "c" / "image0.png").unlink()
    (tmp_path / "all.json").write_text(json.dumps(listed()))
    dataset = scan(tmp_path, choice=FRACTURES)
    assert len(dataset.table) == 3
    assert set(dataset.skipped) == {
        Skipped("unlisted", "all.json", 2, "a/image0.png"),
        Skipped("annotation", AMBIGUOUS, 1, "image0.png"),
    }


def test_image_in_two_files_keeps_the_boxes_of_both(tmp_path):
    """A box that two files have is one; two different boxes are two."""
    root = draw_coco(tmp_path)
    (root / "train" / "more.json").write_text(
        json.dumps(listed(annotations=[{"image_id": 0, "category_id": 1, "bbox": [0, 0, 2, 2]}]))
    )
    table = scan(root, choice=FRACTURES).table
    assert table["boxes"].iloc[0] == "2 4 2 2;0 0 2 2"


def test_image_of_another_split_is_not_taken_for_a_missing_one(tmp_path):
    """An image without boxes stays so where the other split's file has boxes for one of the same name."""
    draw_classes(tmp_path, "train", "valid", images=4)
    (tmp_path / "train" / "_annotations.coco.json").write_text(json.dumps(listed()))
    boxes = [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]
    (tmp_path / "valid" / "_annotations.coco.json").write_text(json.dumps(listed(annotations=boxes)))
    (tmp_path / "valid" / "image1.png").unlink()
    dataset = scan(tmp_path, choice=FRACTURES)
    label_of = dict(zip(dataset.table["image_id"], dataset.table["label"], strict=True))
    assert label_of["train/image1.png"] == 0 and len(label_of) == 7
    assert dataset.skipped == (Skipped("annotation", NO_IMAGE, 1, "image1.png"),)
    assert NO_IMAGE in " ".join(each.message for each in check(dataset, read_files=False))


def test_image_that_two_splits_list_is_left_out_and_named(tmp_path):
    """An image in the files of train and val would be trained on and judged by; one in a file of all is not in two."""
    draw_classes(tmp_path, "images", images=6)
    document = listed(6)
    lists = {"train": document["images"][:4], "val": document["images"][3:], "all": document["images"]}
    for split, images in lists.items():
        (tmp_path / f"{split}.json").write_text(json.dumps({**document, "images": images, "annotations": []}))
    (tmp_path / "boxes.json").write_text(json.dumps(document))
    dataset = scan(tmp_path, choice=FRACTURES)
    assert dataset.table["split"].tolist() == ["train"] * 3 + ["valid"] * 2
    assert dataset.table["label"].tolist() == [1, 0, 1, 1, 0]
    assert dataset.skipped == (Skipped("annotation", TWO_SPLITS, 1, "images/image3.png"),)
    assert TWO_SPLITS in " ".join(each.message for each in check(dataset, read_files=False))


@pytest.mark.parametrize("of_image", [int, float, str])
@pytest.mark.parametrize("of_annotation", [int, float, str])
def test_ids_of_any_type_are_matched(tmp_path, of_image, of_annotation):
    """1, 1.0 and "1" are one id, of images and of categories: no box is lost, and no image without it negative."""
    document = listed()
    for image in [*document["images"], *document["categories"]]:
        image["id"] = of_image(image["id"])
    for annotation in document["annotations"]:
        annotation["image_id"] = of_annotation(annotation["image_id"])
        annotation["category_id"] = of_annotation(annotation["category_id"])
    draw_classes(tmp_path, "train", images=4)
    (tmp_path / "train" / "_annotations.coco.json").write_text(json.dumps(document))
    dataset = scan(tmp_path, choice=FRACTURES)
    assert (dataset.layout, dataset.table["label"].tolist()) == ("COCO", [1, 0, 1, 0])
    assert dataset.skipped == ()


def test_images_of_one_id_are_left_out_and_named(tmp_path):
    """Whose boxes those of a repeated id are cannot be told, so that neither image is taken as without."""
    root = draw_coco(tmp_path, images=[{"id": "2", "file_name": "image3.png", "width": 8, "height": 8}])
    dataset = scan(root, choice=FRACTURES)
    assert [name[-5] for name in dataset.table["image_id"]] == ["0", "1"]
    assert Skipped("annotation", SAME_ID, 2, "train/image2.png") in dataset.skipped


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [], "annotations": [], "categories": [', "must be JSON"),
        ('{"images": ' + "[" * 100_000 + '"annotations" "categories"', "must be JSON"),
    ],
)
def test_damaged_file_is_refused(tmp_path, content, message):
    """A file that was cut short is a sentence, not a data set without annotations."""
    root = draw_classes(tmp_path, "train")
    (root / "_annotations.coco.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        scan(root)


def test_too_large_file_is_refused(tmp_path, monkeypatch):
    """Beyond the bound nothing is parsed."""
    root = draw_coco(tmp_path)
    monkeypatch.setattr(module, "MAX_COCO_BYTES", 500)
    with pytest.raises(DatasetError, match=r"may have 0\.5 kB"):
        scan(root)


def test_dataset_csv_goes_before_annotations(tmp_path):
    """FracAtlas comes with its boxes in COCO's and YOLO's files, and stays FracAtlas."""
    root = draw_coco(tmp_path)
    (root / "train" / "image0.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (root / "dataset.csv").write_text("image_id,fractured\n" + "".join(f"image{n}.png,{n % 2}\n" for n in range(4)))
    dataset = scan(root)
    assert (dataset.layout, dataset.table["label"].tolist()) == ("dataset.csv", [0, 1, 0, 1])


def test_other_json_is_none_of_coco(tmp_path):
    """Another program's file beside images leaves them as they were."""
    root = draw_classes(tmp_path, "A", "B")
    (root / "settings.json").write_text('{"images": 3}')
    with pytest.raises(LabelsError, match="the folders 'A'"):
        scan(root)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("image0.png"),
    lambda each: (
        st.lists(each, max_size=5)
        | st.dictionaries(
            st.sampled_from(["id", "image_id", "category_id", "bbox", "file_name", "name", "width", "height"]), each
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(images=st.lists(ANY), annotations=st.lists(ANY), categories=st.lists(ANY))
def test_any_entries_are_read_or_counted(tmp_path, images, annotations, categories):
    """Whatever stands in the three lists, the four good images are read, or a sentence says why not."""
    root = draw_coco(tmp_path, images=images, annotations=annotations, categories=categories)
    try:
        found = coco(root, layouts.tree(root), FRACTURES)
    except DatasetError:
        return
    assert set(found.rows["image_id"]) <= {f"train/image{n}.png" for n in range(4)}
