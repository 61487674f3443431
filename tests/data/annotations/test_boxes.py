"""Images with boxes of several classes, and the one label that each gets."""

import pytest

from fracture.data.annotations.boxes import UNANNOTATED, AnnotatedImage, ClassBox, found_in, fractions
from fracture.data.labels.choice import CHOSEN, KNOWN, parse_choice
from fracture.data.layouts import Skipped
from fracture.errors import LabelsError
from tests.support.drawing import draw_classes

PLACE = (0.25, 0.5, 0.25, 0.25)


def annotated(*classes: str) -> list[AnnotatedImage]:
    """Images with a box of each of the classes that a text names, with blanks between them."""
    images = enumerate(classes)
    return [
        AnnotatedImage(f"image{n}.png", tuple(ClassBox(name, PLACE) for name in text.split())) for n, text in images
    ]


def test_positive_class_counts_before_one_that_is_left_out_and_that_before_negative(tmp_path):
    """Text in an image makes it negative only where no other box leaves it out or makes it positive."""
    images = annotated("text fracture", "text", "text metal", "metal fracture", "")
    choice = parse_choice(["positive=fracture", f"negative=text,{UNANNOTATED}"])
    found = found_in(tmp_path, "YOLO", images, choice)
    assert dict(zip(found.rows["image_id"], found.rows["label"], strict=True)) == {
        "image0.png": 1,
        "image1.png": 0,
        "image3.png": 1,
        "image4.png": 0,
    }
    assert found.skipped == (Skipped("class", "metal", 1, "image2.png"),)
    assert found.mapping.origin == CHOSEN


def test_images_without_boxes_are_never_negative_by_themselves(tmp_path):
    """Without a word from somebody, unannotated images are a class of their own: asked for, then left out."""
    images = annotated("fracture", "fracture", "")
    with pytest.raises(LabelsError, match="classes of boxes 'fracture' \\(2\\), 'unannotated' \\(1\\)") as caught:
        found_in(tmp_path, "YOLO", images, None)
    assert caught.value.images_of == {"fracture": 2, UNANNOTATED: 1}
    known = found_in(tmp_path, "YOLO", annotated("fracture", "normal", ""), None)
    assert known.mapping.origin == KNOWN and known.rows["label"].tolist() == [1, 0]
    assert known.skipped == (Skipped("class", UNANNOTATED, 1, "image2.png"),)


def test_numbers_of_classes_are_no_answers(tmp_path):
    """The classes 0 and 1 are not read as no and yes."""
    with pytest.raises(LabelsError):
        found_in(tmp_path, "YOLO", annotated("0", "1"), None)


@pytest.mark.parametrize(
    ("positive", "names"),
    [
        ("fracture", ("not fractured", "fractured")),
        ("fracture,Fractures", ("not fractured", "fractured")),
        ("metal", ("no metal", "metal")),
        ("metal,fracture", ("negative", "positive")),
        ("**metal**", ("negative", "positive")),
    ],
)
def test_label_names_say_what_an_image_shows(tmp_path, positive, names):
    """A model answers about the image, in the words of the one positive class."""
    images = annotated("", *positive.split(","))
    found = found_in(tmp_path, "YOLO", images, parse_choice([f"positive={positive}", f"negative={UNANNOTATED}"]))
    assert found.label_names == names


def test_boxes_of_positive_classes_are_stored_in_pixels(tmp_path):
    """Fractions become px of the file; boxes of other classes are not stored, and one that comes twice is once."""
    root = draw_classes(tmp_path, "a", images=1)
    image = "a/image0.png"
    boxes = (ClassBox("fracture", PLACE), ClassBox("text", (0, 0, 1, 1)), ClassBox("fracture", PLACE))
    others = [AnnotatedImage("a/none.png", ())]
    choice = parse_choice(["positive=fracture", f"negative={UNANNOTATED}"])
    found = found_in(root, "YOLO", [AnnotatedImage(image, boxes), *others], choice)
    from PIL import Image

    with Image.open(root / image) as opened:
        width, height = opened.size
    assert found.rows["boxes"].tolist() == [f"{width / 4:g} {height / 2:g} {width / 4:g} {height / 4:g}", ""]


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((0.5, 0.5, 0.25, 0.25), (0.5, 0.5, 0.25, 0.25)),
        ((-0.5, 0.5, 1, 1), (0, 0.5, 0.5, 0.5)),
        ((1.5, 0.5, 1, 1), None),
        ((0.5, 0.5, 0, 0.25), None),
        ((0.5, 0.5, -0.25, 0.25), None),
        ((float("nan"), 0.5, 0.25, 0.25), None),
    ],
)
def test_fractions_cut_off_what_sticks_out(box, inside):
    """A box that sticks out is cut off at the edge; one without any part inside is none."""
    assert fractions(*box) == inside
