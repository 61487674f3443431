"""A dataset.csv of other spellings: ids, columns, values, encodings, places."""

import os
from pathlib import Path

import pytest

from fracture.data.dataset import scan
from fracture.data.labels.choice import ANSWERS, parse_choice
from fracture.data.layouts import Skipped
from fracture.errors import DatasetError, LabelsError
from tests.support.drawing import draw_classes


def listed(root: Path, header: str, rows: list[str], folder: str = "images", encoding: str = "utf-8") -> Path:
    """A dataset.csv beside images image0.png, image1.png ..., one a row; ``{}`` in a row is its number."""
    draw_classes(root, folder, images=len(rows))
    lines = [row.format(number) for number, row in enumerate(rows)]
    (root / "dataset.csv").write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return root


@pytest.mark.parametrize(
    "written", ["image{}.png", "image{}", "images/image{}.png", "images/image{}", "FracAtlas/images/image{}.png"]
)
@pytest.mark.parametrize("folder", ["images", "images/part1"])
def test_ids_with_or_without_ending_or_folder_find_their_files(tmp_path, written, folder):
    """An id may lack the ending, and have folders before it, also others than on disk."""
    table = scan(listed(tmp_path, "image_id,label", [f"{written},0", f"{written},1"] * 3, folder)).table
    assert table["path"].map(os.path.isfile).all()
    assert table["path"].nunique() == 6


def test_ids_of_several_files_are_refused(tmp_path):
    """An id that two files could be is refused; with its folder it is found."""
    root = listed(tmp_path, "image_id,label", ["image{},0", "image{},1"], "images/a")
    draw_classes(root, "images/b", images=1)
    with pytest.raises(DatasetError, match=r"several files called image0; name it in dataset.csv with its folder"):
        scan(root)
    (root / "dataset.csv").write_text("image_id,label\nb/image0,0\na/image1,1\n")
    assert scan(root).table["path"].map(os.path.isfile).all()


@pytest.mark.parametrize(
    ("header", "negative", "positive", "names"),
    [
        ("Filename,Class", "{},normal", "{},Fractured", ("normal", "Fractured")),
        ("image_id;label", "{};0", "{};1", ("negative", "positive")),
        ("image_id\tdiagnosis", "{}\tkeine Fraktur", "{}\tFraktur", ("keine Fraktur", "Fraktur")),
        ("filestem,fracture_visible", "{},", "{},1", ("not fractured", "fractured")),
        ("image,fracture", "{},no", "{},yes", ("not fractured", "fractured")),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_columns_separators_and_words_of_other_spellings(tmp_path, header, negative, positive, names, encoding):
    """Usual names of columns, semicolons, tabs, UTF-16 and words for the labels are understood."""
    rows = [row.replace("{}", "image{}") for row in (negative, positive) * 3]
    dataset = scan(listed(tmp_path, header, rows, encoding=encoding))
    assert dataset.label_names == names
    assert dataset.table["label"].tolist() == [0, 1] * 3


def test_graz_tables_give_patients_and_studies(tmp_path):
    """The columns of GRAZPEDWRI-DX: stems of files in images_part1 to 4, patients, studies, 1 or nothing."""
    header = "filestem,patient_id,study_number,fracture_visible"
    root = listed(tmp_path, header, ["image{},1,1,1", "image{},1,2,", "image{},2,1,1", "image{},3,1,"], "images_part1")
    table = scan(root).table.set_index("image_id")
    assert table["label"].tolist() == [1, 0, 1, 0]
    assert table["group"].tolist() == ["1", "1", "2", "3"]
    assert table["study"].tolist() == ["1/1", "1/2", "2/1", "3/1"]
    assert table["path"].map(os.path.isfile).all()


def test_digits_are_said_to_be_digits(tmp_path):
    """A column label of 0 and 1 is read as negative and positive, and said to be so; fractured says what it means."""
    digits = scan(listed(tmp_path / "a", "image_id,label", ["image{},0", "image{},1"]))
    assert [mapping.origin for mapping in digits.label_mappings] == [ANSWERS]
    named = scan(listed(tmp_path / "b", "image_id,fractured", ["image{},0", "image{},1"]))
    assert [mapping.origin for mapping in named.label_mappings] != [ANSWERS]


def test_unknown_values_are_asked_for_and_chosen(tmp_path):
    """Values that nobody can know are listed with their counts; a choice leaves out those that it does not name."""
    root = listed(tmp_path, "image_id,label", ["image{},S62", "image{},Z00", "image{},M80", "image{},"])
    with pytest.raises(LabelsError, match=r"the values .*'S62' \(1\)") as caught:
        scan(root)
    assert caught.value.images_of == {"S62": 1, "Z00": 1, "M80": 1, "(empty)": 1}
    dataset = scan(root, choice=parse_choice(["negative=Z00", "positive=S62"]))
    assert dataset.label_names == ("Z00", "S62")
    assert dataset.skipped == (Skipped("class", "(empty)", 1, "image3"), Skipped("class", "M80", 1, "image2"))
    assert dataset.table["image_id"].tolist() == ["image0", "image1"]


def test_images_that_are_not_listed_are_counted(tmp_path):
    """A file without a row is left out and counted."""
    root = listed(tmp_path, "image_id,label", ["image{},0", "image{},1"])
    draw_classes(root, "images/more", images=2)
    (root / "dataset.csv").write_text("image_id,label\nimage0.png,0\nmore/image1.png,1\n")
    assert scan(root).skipped == (Skipped("unlisted", "dataset.csv", 2, "image1.png"),)


def test_fracatlas_one_level_above_is_read_by_its_table(tmp_path):
    """The only dataset.csv in a folder of the opened one is used, not the class folders beside it."""
    inner = tmp_path / "zip" / "FracAtlas"
    draw_classes(inner / "images", "Fractured", "Non_fractured", images=40)
    for folder, first in (("Fractured", 0), ("Non_fractured", 40)):
        for number in range(40):
            file = inner / "images" / folder / f"image{number}.png"
            file.rename(file.with_name(f"IMG{first + number:07d}.png"))
    rows = [f"IMG{number:07d}.png,{int(number < 40)}" for number in range(80)]
    (inner / "dataset.csv").write_text("\n".join(["image_id,fractured", *rows]) + "\n")
    dataset = scan(tmp_path / "zip")
    assert (dataset.root, dataset.layout, dataset.table["group"].nunique()) == (inner, "dataset.csv", 4)
    assert (dataset.table.groupby("group")["split"].nunique() == 1).all()
    assert dataset.table.equals(scan(inner).table)


def test_one_group_can_be_looked_at(tmp_path):
    """Images that are all of one group stay together: there is no split, and no error before a run."""
    dataset = scan(listed(tmp_path, "image_id,label,patient", ["image{},0,a", "image{},1,a"]))
    assert set(dataset.table["split"]) == {"train"}
