"""YOLO's layout as Ultralytics, Roboflow and labelImg write it, and odd lines in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fracture.data.annotations import yolo as module
from fracture.data.annotations.boxes import UNANNOTATED
from fracture.data.annotations.yolo import LINE, MAX_BOXES, NO_IMAGE, NO_NAME, OUTSIDE, TOO_MANY, parse_labels
from fracture.data.checks import check
from fracture.data.dataset import looks_like_data, scan
from fracture.data.labels.choice import parse_choice
from fracture.data.labels.store import choose_labels
from fracture.data.layouts import Skipped
from fracture.errors import DatasetError, LabelsError
from tests.support.drawing import draw_classes

FRACTURES = parse_choice(["positive=fracture", f"negative={UNANNOTATED}"])
BOX = "0 0.5 0.5 0.25 0.5\n"


def draw_yolo(root: Path, *folders: str, texts: tuple[str, ...] = (BOX, "", BOX, ""), names: str = "fracture") -> Path:
    """Images in folders, with their labels in folders whose names say labels for images."""
    draw_classes(root, *folders, images=len(texts))
    for folder in folders:
        labels = root / folder.replace("images", "labels")
        labels.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts):
            (labels / f"image{number}.txt").write_text(text)
    if names:
        (root / "data.yaml").write_text(f"train: ../train/images\nnames: [{names}]\n")
    return root


@pytest.mark.parametrize("folders", [("train/images", "valid/images"), ("images/train", "images/val")])
def test_yolo_of_roboflow_and_ultralytics_is_read(tmp_path, folders):
    """Labels, splits and boxes are found in both orders of folders; the texts are no strays."""
    root = draw_yolo(tmp_path, *folders)
    assert looks_like_data(root)
    dataset = scan(root, choice=FRACTURES)
    assert (dataset.layout, dataset.label_names) == ("YOLO", ("not fractured", "fractured"))
    table = dataset.table
    assert table.groupby("split")["label"].sum().to_dict() == {"train": 2, "valid": 2}
    assert ((table["boxes"] != "") == (table["label"] == 1)).all()
    assert dataset.skipped == ()


def test_yolo_beside_the_images_is_read(tmp_path):
    """The texts and classes.txt may be in the folder of the images, where labelImg writes them."""
    root = draw_yolo(tmp_path, "pictures", names="")
    (root / "pictures" / "classes.txt").write_text("metal\nfracture\n")
    with pytest.raises(LabelsError, match=r"'metal' \(2\), 'unannotated' \(2\)"):
        scan(root)
    assert scan(root, choice=parse_choice(["negative=unannotated", "positive=metal"])).skipped == ()


def test_yolo_without_names_asks_with_numbers(tmp_path):
    """Where no list names the classes, they have the numbers of the texts, which mean nothing by themselves."""
    root = draw_yolo(tmp_path, "images/train", names="")
    with pytest.raises(LabelsError) as caught:
        scan(root)
    assert caught.value.images_of == {"class id 0": 2, UNANNOTATED: 2}


def test_yolo_choice_is_stored(tmp_path):
    """The choice of classes is stored like any other, and the checks name the images that it leaves out."""
    root = draw_yolo(
        tmp_path, "train/images", texts=(BOX, "", "1 0.5 0.5 0.1 0.1", "2 0.5 0.5 0.1 0.1"), names="a, b, c"
    )
    choose_labels(root, parse_choice(["positive=a", "negative=b", "ignore=c"]))
    dataset = scan(root)
    assert dataset.table["label"].tolist() == [1, 0]
    messages = " ".join(problem.message for problem in check(dataset, read_files=False))
    assert (
        "2 images are left out, of classes that are neither negative nor positive: c (1), unannotated (1)" in messages
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("fracture 0.5 0.5 0.1 0.1", LINE),
        ("0 0.5 0.5 0.1", LINE),
        ("0 120 80 40 30", LINE),
        ("0 nan 0.5 0.1 0.1", LINE),
        ("-1 0.5 0.5 0.1 0.1", LINE),
        ("7 0.5 0.5 0.1 0.1", NO_NAME),
        ("0 1.4 0.5 0.1 0.1", OUTSIDE),
        ("0 0.5 0.5 0 0.1", OUTSIDE),
    ],
)
def test_images_with_damaged_labels_are_left_out_and_named(tmp_path, line, problem):
    """An image of which not all boxes are known may be of either class."""
    root = draw_yolo(tmp_path, "images", texts=(BOX, "", line, BOX + line))
    dataset = scan(root, choice=FRACTURES)
    assert dataset.table["label"].tolist() == [1, 0]
    assert dataset.skipped == (Skipped("annotation", problem, 2, "labels/image2.txt"),)
    said = [each.message for each in check(dataset, read_files=False) if each.kind == "annotations"]
    assert problem in said[0] and "2 annotations are left out" in said[0]


def test_labels_without_image_and_images_without_labels_are_counted(tmp_path):
    """A missing image is named, and a folder without any label is not taken for images without findings."""
    root = draw_yolo(tmp_path, "images")
    (root / "labels" / "gone.txt").write_text(BOX)
    draw_classes(root, "previews", images=3)
    dataset = scan(root, choice=FRACTURES)
    assert len(dataset.table) == 4
    assert dataset.skipped == (
        Skipped("annotation", NO_IMAGE, 1, "labels/gone.txt"),
        Skipped("unlisted", "a folder of labels", 3, "previews/image0.png"),
    )


@pytest.mark.parametrize("room", [10, 1_000])
def test_reports_beside_images_are_no_labels(tmp_path, monkeypatch, room):
    """Texts that hold no boxes leave class folders as they were, however large, and whatever YAML file is there."""
    monkeypatch.setattr(module, "MAX_YOLO_BYTES", room)
    root = draw_yolo(tmp_path, "A", "B", texts=("Keine Fraktur.", "Fraktur.", "", ""), names="[")
    with pytest.raises(LabelsError, match="the folders 'A'"):
        scan(root)


def test_damaged_names_of_boxes_are_refused(tmp_path):
    """Without the names that a damaged data.yaml holds, classes would have numbers alone, and nobody would know why."""
    with pytest.raises(DatasetError, match=r"data\.yaml, which may name the classes of boxes, must be YAML"):
        scan(draw_yolo(tmp_path, "images", names="["), choice=FRACTURES)


def test_class_folders_of_known_names_go_before_boxes(tmp_path):
    """What was read by its folders before stays so, whatever is beside the images."""
    assert scan(draw_yolo(tmp_path, "normal", "fractured")).layout == "class folders"


def test_image_with_too_many_boxes_is_left_out_and_named(tmp_path):
    """Thousands of boxes in an image are no annotation of it, and would fill the memory."""
    dataset = scan(
        draw_yolo(tmp_path, "images", texts=(BOX, "", BOX * MAX_BOXES, BOX * (MAX_BOXES + 1))), choice=FRACTURES
    )
    assert dataset.table["label"].tolist() == [1, 0, 1]
    assert dataset.skipped == (Skipped("annotation", TOO_MANY, 1, "labels/image3.txt"),)


def test_too_large_labels_are_refused(tmp_path, monkeypatch):
    """The bound is for all label files together, damaged ones as well, since each file alone is small."""
    root = draw_yolo(tmp_path, "images", texts=(BOX, "", BOX, "x" * len(BOX)))
    monkeypatch.setattr(module, "MAX_YOLO_BYTES", 3 * len(BOX))
    assert len(scan(root, choice=FRACTURES).table) == 3
    monkeypatch.setattr(module, "MAX_YOLO_BYTES", 3 * len(BOX) - 1)
    with pytest.raises(DatasetError, match=r"may have 0\.1 kB\. Received: more"):
        scan(root, choice=FRACTURES)


def test_boxes_are_of_the_class_with_their_number(tmp_path):
    """An empty name in data.yaml is a place of the list: boxes of class 1 stay fractures, and class 0 has no name."""
    root = draw_yolo(tmp_path, "images", texts=(BOX.replace("0", "1", 1), "", BOX, ""), names="'', 'fracture'")
    dataset = scan(root, choice=FRACTURES)
    assert dataset.table["label"].tolist() == [1, 0, 0]
    assert dataset.skipped == (Skipped("annotation", NO_NAME, 1, "labels/image2.txt"),)


def test_polygon_counts_as_the_box_around_it():
    """Segmentations and predictions with a confidence give boxes, too."""
    polygon, box = parse_labels("0 0.25 0.5 0.5 0.75 0.375 0.25\n0 0.375 0.5 0.25 0.5 0.9\n", {})
    assert polygon.place == box.place == (0.25, 0.25, 0.25, 0.5)


@given(st.text(alphabet="0123456789.- e\nna") | st.text())
def test_any_text_gives_boxes_within_the_image_or_a_problem(text):
    """Whatever a file holds, each box has a part of the image, or the file is named as damaged."""
    try:
        boxes = parse_labels(text, {})
    except ValueError as error:
        assert str(error) in (LINE, NO_NAME, OUTSIDE)
        return
    for box in boxes:
        x, y, w, h = box.place
        assert 0 <= x < x + w <= 1 + 1e-9 and 0 <= y < y + h <= 1 + 1e-9
