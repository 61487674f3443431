"""Class folders of other names: digits, third classes, and names that must be asked for."""

from pathlib import Path

import pytest

from fracture.data.dataset import scan
from fracture.data.labels.choice import ANSWERS, CHOSEN, parse_choice
from fracture.data.layouts import Skipped
from fracture.errors import DatasetError, LabelsError
from tests.support.drawing import draw_classes


def labels(dataset):
    """The labels of the images by the folder that is their class."""
    folder = dataset.table["path"].map(lambda path: Path(path).parent.name)
    return dataset.table["label"].groupby(folder).unique().map(list).to_dict()


def test_digits_are_read_as_negative_and_positive(tmp_path):
    """0 is negative, the words for a model's answers are no digits, and the data set says on whose word."""
    dataset = scan(draw_classes(tmp_path, "train/0", "train/1", "valid/0", "valid/1"))
    assert labels(dataset) == {"0": [0], "1": [1]}
    assert dataset.label_names == ("negative", "positive")
    assert [mapping.origin for mapping in dataset.label_mappings] == [ANSWERS]


def test_digits_below_class_folders_are_no_classes(tmp_path):
    """Folders that number patients do not change the labels, be the classes words or digits themselves."""
    words = scan(draw_classes(tmp_path / "words", "normal/0", "normal/1", "fractured/0", "fractured/1"))
    assert words.label_names == ("normal", "fractured")
    assert words.table.groupby("label").size().to_dict() == {0: 6, 1: 6}
    digits = scan(draw_classes(tmp_path / "digits", "0/0", "0/1", "1/0", "1/1"))
    assert (digits.table["label"] == digits.table["image_id"].str[0].astype(int)).all()


def test_three_digits_are_asked_for(tmp_path):
    """Where there are more digits than 0 and 1, they may be grades."""
    with pytest.raises(LabelsError, match=r"'0' \(3\), '1' \(3\), '2' \(3\)"):
        scan(draw_classes(tmp_path, "0", "1", "2"))


def test_third_class_is_counted(tmp_path):
    """A class that is neither is left out and counted under its name."""
    dataset = scan(draw_classes(tmp_path, "normal", "fractured", "osteoporosis"))
    assert labels(dataset) == {"normal": [0], "fractured": [1]}
    assert dataset.skipped == (Skipped("class", "osteoporosis", 3, "osteoporosis/image0.png"),)


def test_unknown_names_are_asked_for_with_their_counts(tmp_path):
    """The error lists the folders found, whatever split folders are around them, and how to answer."""
    root = draw_classes(tmp_path, "train/A", "train/B", "valid/A", "valid/B")
    with pytest.raises(LabelsError, match=r"'A' \(6\), 'B' \(6\).*--labels negative=A,B positive=C") as caught:
        scan(root)
    assert caught.value.images_of == {"A": 6, "B": 6}


def test_choice_gives_the_labels_and_leaves_out(tmp_path):
    """Several folders may have one label; those that are ignored or not named are left out and counted."""
    root = draw_classes(tmp_path, "A", "B", "C", "D", "E")
    dataset = scan(root, choice=parse_choice(["negative=A,B", "positive=C", "ignore=D"]))
    assert labels(dataset) == {"A": [0], "B": [0], "C": [1]}
    assert {each.what: each.files for each in dataset.skipped} == {"D": 3, "E": 3}
    (mapping,) = dataset.label_mappings
    assert (mapping.negative, mapping.positive, mapping.ignore) == (("A", "B"), ("C",), ("D",))
    assert mapping.origin == CHOSEN


def test_choice_of_names_that_are_not_there_is_refused(tmp_path):
    """A choice of which one label has no image is refused with the folders that are there."""
    with pytest.raises(LabelsError, match=r"Received: 'A', 'X'. It has the folders 'A' \(3\), 'B' \(3\)"):
        scan(draw_classes(tmp_path, "A", "B"), choice=parse_choice(["negative=A", "positive=X"]))


def test_one_known_class_alone_is_refused(tmp_path):
    """With one class only there is nothing to ask."""
    with pytest.raises(DatasetError, match="only normal; choose the folder above both"):
        scan(draw_classes(tmp_path, "normal"))


@pytest.mark.parametrize("folders", [("Training", "Testing"), ("Train", "Val"), ("train_set", "TEST images")])
def test_split_folders_of_other_spellings(tmp_path, folders):
    """The second of two split folders is for validation."""
    first, second = folders
    root = draw_classes(tmp_path, *(f"{split}/{label}" for split in folders for label in ("normal", "fracture")))
    table = scan(root).table
    assert set(table.loc[table["image_id"].str.startswith(first), "split"]) == {"train"}
    assert set(table.loc[table["image_id"].str.startswith(second), "split"]) == {"valid"}


def test_names_that_are_no_words_do_not_become_answers(tmp_path):
    """Markdown or a very long name of a folder is not what a model answers with."""
    root = draw_classes(tmp_path, "![A](x)", "B")
    dataset = scan(root, choice=parse_choice(["negative=![A](x)", "positive=B"]))
    assert dataset.label_names == ("negative", "positive")
    assert dataset.label_mappings[0].negative == ("![A](x)",)
