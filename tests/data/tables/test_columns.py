"""CSV files with any columns: what is guessed, what is asked, and what a choice reads."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fracture.data.dataset import looks_like_data, scan, tables_in
from fracture.data.labels.choice import CHOSEN, KNOWN, parse_choice
from fracture.data.labels.columns import parse_columns
from fracture.data.labels.store import choose_columns, last_columns, undo_columns
from fracture.data.layouts import Skipped
from fracture.data.scan_cache import find_or_scan
from fracture.errors import ColumnsError, DatasetError, LabelsError, PublicError
from tests.support.drawing import draw_classes

AMBIGUOUS = [
    "File;Diagnosis;Fracture;pid",
    *(f"image{n};{'S52' if n % 2 else 'Z00'};{n % 2};{n // 2}" for n in range(6)),
]


def listed(root: Path, *lines: str, file: str = "list.csv", encoding: str = "utf-8") -> Path:
    """Images in a folder whose name says nothing, and a table."""
    draw_classes(root, "xrays", images=len(lines) - 1)
    (root / file).write_text("\n".join(lines) + "\n", encoding=encoding)
    return root


def test_table_with_one_meaning_is_read_without_asking(tmp_path):
    """One column names the images, one is the label, one the patient: read, said, and no stray."""
    lines = [
        "Patient-ID\tBild\tBefund\tAlter",
        *(f"{n // 2}\timage{n}.png\t{'Fraktur' if n % 2 else 'keine Fraktur'}\t40" for n in range(6)),
    ]
    root = listed(tmp_path, *lines, encoding="utf-16")
    assert looks_like_data(root)
    dataset = scan(root)
    assert dataset.columns.named() == {"file": "list.csv", "image": "Bild", "label": "Befund", "patient": "Patient-ID"}
    assert (dataset.layout, dataset.label_names) == ("table", ("keine Fraktur", "Fraktur"))
    assert [mapping.origin for mapping in dataset.label_mappings] == [KNOWN]
    assert dataset.table["label"].tolist() == [0, 1] * 3
    assert dataset.table["group"].tolist() == ["0", "0", "1", "1", "2", "2"]
    assert dataset.skipped == ()


def test_table_with_two_possible_labels_is_asked_about(tmp_path):
    """Two columns may be the label: nothing is taken for granted, and the sentence says what to do."""
    root = listed(tmp_path, *AMBIGUOUS)
    with pytest.raises(
        ColumnsError, match=r"list.csv has the columns File, Diagnosis, Fracture, pid; .*--columns image="
    ):
        scan(root)
    (table,) = tables_in(root)
    assert table.guess() == {"image": "File", "label": "Fracture", "patient": "pid"}
    assert table.candidates["label"] == ["Fracture", "Diagnosis"]
    assert table.shares["File"] == 1 and table.shares["Diagnosis"] == 0


def test_digits_of_a_label_are_no_names_of_images(tmp_path):
    """Where images are called 0.png and 1.png, a column of 0 and 1 is still the label."""
    root = listed(tmp_path, "file,fracture", *(f"{n}.png,{n % 2}" for n in range(6)))
    for number in range(6):
        (root / "xrays" / f"image{number}.png").rename(root / "xrays" / f"{number}.png")
    assert scan(root).columns.named() == {"file": "list.csv", "image": "file", "label": "fracture"}


def test_chosen_columns_are_stored_and_undone(homes, tmp_path):
    """The choice, with the meaning of the values, counts until it is taken back; the cache sees it."""
    root = listed(tmp_path / "set", *AMBIGUOUS)
    columns = parse_columns(["image=File", "label=Diagnosis", "patient=pid"])
    with pytest.raises(LabelsError, match=r"the values 'Z00' \(3\)"):
        choose_columns(root, columns)
    assert last_columns(root) is None
    choose_columns(root, columns, parse_choice(["negative=Z00", "positive=S52"]))
    choose_columns(root, columns, parse_choice(["negative=Z00", "positive=S52"]))
    dataset = find_or_scan(root)
    assert (dataset.label_names, dataset.label_mappings[0].origin) == (("Z00", "S52"), CHOSEN)
    assert dataset.columns == find_or_scan(root).columns == last_columns(root)
    stored = json.loads((root / "labels.json").read_text())
    assert [each["file"] for each in stored["columns"]] == ["list.csv"]
    undo_columns(root, last_columns(root).time)
    with pytest.raises(ColumnsError):
        find_or_scan(root)


def test_chosen_columns_go_before_class_folders_and_dataset_csv(tmp_path):
    """Somebody who names a table means it, whatever else the folder has."""
    root = listed(tmp_path, *AMBIGUOUS)
    (root / "dataset.csv").write_text("image_id,label\nimage0,1\nimage1,0\n")
    assert len(scan(root).table) == 2
    dataset = scan(root, columns=parse_columns(["image=File", "label=Fracture"]))
    assert (len(dataset.table), dataset.label_names) == (6, ("not fractured", "fractured"))


def test_chosen_columns_of_dataset_csv_keep_its_others(tmp_path):
    """A dataset.csv whose label has another name keeps its boxes and splits."""
    lines = [
        "image_id,kind,split,boxes",
        "image0,a,train,1 1 2 2",
        "image1,b,train,",
        "image2,b,valid,",
        "image3,a,valid,",
    ]
    root = listed(tmp_path, *lines, file="dataset.csv")
    with pytest.raises(ColumnsError, match="must have the columns image_id and label"):
        scan(root)
    columns = parse_columns(["image=image_id", "label=kind"])
    dataset = scan(root, choice=parse_choice(["negative=b", "positive=a"]), columns=columns)
    assert dataset.table["boxes"].iloc[0] == "1 1 2 2"
    assert dataset.table["split"].tolist() == ["train", "train", "valid", "valid"]
    assert dataset.layout == "dataset.csv"


def test_rows_of_an_image_that_say_the_same_are_one(tmp_path):
    """A table with a row for each finding is read where the rows agree, and refused where they don't."""
    columns = parse_columns(["image=file", "label=broken"])
    lines = ["file,broken,finding", "image0,yes,a", "image0,yes,b", "image1,no,", ",,"]
    assert len(scan(listed(tmp_path, *lines), columns=columns).table) == 2
    root = listed(tmp_path, *lines, "image1,yes,c")
    with pytest.raises(DatasetError, match=r"must list each image_id once\. Received twice: image1"):
        scan(root, columns=columns)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["image=File", "label=No"], "must have the columns File, No. Received: list.csv"),
        (["image=File", "label=No", "file=list.csv"], "must have the chosen column 'No'. Received: File, Diagnosis"),
        (["image=File", "label=Fracture", "file=gone.csv"], "There must be a table gone.csv"),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, words, message):
    """A wrong name is a sentence that lists the right ones."""
    with pytest.raises(ColumnsError, match=message):
        scan(listed(tmp_path, *AMBIGUOUS), columns=parse_columns(words))


def test_table_that_leaves_images_out_is_named_in_the_checks(tmp_path):
    """Images without a row are counted, and rows without an image stay in the table as missing."""
    root = listed(tmp_path, "file,fracture", *(f"image{n},{n % 2}" for n in range(19)), "gone,1")
    (root / "xrays" / "more.png").write_bytes((root / "xrays" / "image0.png").read_bytes())
    dataset = scan(root)
    assert len(dataset.table) == 20
    assert Skipped("unlisted", "list.csv", 2, "xrays/image19.png") in dataset.skipped


def test_class_folders_keep_their_meaning_beside_a_table(tmp_path):
    """A table beside class folders of known names changes nothing unless somebody chooses it."""
    draw_classes(tmp_path, "normal", "fractured")
    (tmp_path / "list.csv").write_text("file,fracture\nimage0,0\nimage1,1\n")
    assert scan(tmp_path).layout == "class folders"


def test_columns_in_a_public_demo_are_refused(homes, monkeypatch):
    """Nobody changes what everybody sees."""
    root = listed(homes / "data" / "set", *AMBIGUOUS)
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError):
        choose_columns("set", parse_columns(["image=File", "label=Fracture"]))
    assert not (root / "labels.json").exists()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(text=st.text(alphabet="image0123.,;\n\t\"'yesno /\\\0", max_size=200) | st.text(max_size=100))
def test_any_table_is_read_or_refused_in_a_sentence(tmp_path, text):
    """Whatever the file holds, a scan ends with a data set or a DatasetError."""
    root = draw_classes(tmp_path, "xrays")
    (root / "list.csv").write_text("file,label\n" + text, encoding="utf-8", errors="replace")
    try:
        scan(root, columns=parse_columns(["image=file", "label=label"]))
    except DatasetError as error:
        assert str(error)


def test_undo_of_columns_does_not_leave_the_labels_of_another_column(tmp_path):
    """Labels were chosen for the values of one column; read by another column, the same values mean what they say."""
    lines = ["image_id,label,intact", *(f"image{n},{n % 2},{1 - n % 2}" for n in range(6))]
    root = listed(tmp_path, *lines)
    labels = scan(root).table["label"].tolist()
    choice = parse_choice(["negative=1", "positive=0"])
    chosen = choose_columns(root, parse_columns(["image=image_id", "label=intact"]), choice)
    assert chosen.table["label"].tolist() == labels
    undo_columns(root, last_columns(root).time)
    assert scan(root).table["label"].tolist() == labels


@pytest.mark.parametrize("name", ["No Finding", "no_fracture", "keine Fraktur"])
def test_column_that_denies_a_finding_is_never_taken_without_asking(tmp_path, name):
    """In it, 1 means that nothing was found."""
    lines = [f"file,{name}", *(f"image{n},{n % 2}" for n in range(6))]
    with pytest.raises(ColumnsError):
        scan(listed(tmp_path, *lines))


def test_patients_are_groups_whatever_the_label_is_called(tmp_path):
    """Also where a column is called as FracAtlas's, which names no patients."""
    lines = ["file,fractured,pid", *(f"image{n},{n // 3 % 2},{n % 3}" for n in range(12))]
    table = scan(listed(tmp_path, *lines)).table
    assert sorted(table["group"].unique()) == ["0", "1", "2"]
    assert table.groupby("group")["split"].nunique().max() == 1


def test_two_rows_never_share_an_image(tmp_path):
    """A row whose file is missing does not get the file of the same name in another folder."""
    draw_classes(tmp_path, "scans/here", "scans/there")
    (tmp_path / "scans/there/image1.png").unlink()
    lines = ["file,label"]
    for folder, label in (("here", "normal"), ("there", "fractured")):
        lines += [f"scans/{folder}/image{n}.png,{label}" for n in range(3)]
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    table = scan(tmp_path).table.set_index("image_id")
    assert not Path(table.loc["scans/there/image1.png", "path"]).exists()
    assert Path(table.loc["scans/here/image1.png", "path"]).exists()
    assert not table["path"].duplicated().any()


def test_table_whose_label_says_nothing_is_refused(tmp_path):
    """An empty data set would be a dead end."""
    lines = ["image_id,fracture_visible,x", *(f"image{n},,{n}" for n in range(4))]
    (tmp_path / "images").mkdir()
    draw_classes(tmp_path, "images", images=4)
    (tmp_path / "dataset.csv").write_text("\n".join(lines) + "\n")
    assert scan(tmp_path).table["label"].tolist() == [0] * 4
    (tmp_path / "dataset.csv").write_text("\n".join(lines).replace(",,", ",maybe,") + "\n")
    with pytest.raises(LabelsError, match="maybe"):
        scan(tmp_path)


def test_folders_beside_a_table_without_labels_are_asked_about(tmp_path):
    """A table of ages does not hide the question which folder is which."""
    for kind in ("typeA", "typeB"):
        draw_classes(tmp_path, kind, images=2)
    (tmp_path / "meta.csv").write_text("filename,age\nimage0.png,40\nimage1.png,50\n")
    with pytest.raises(LabelsError, match="typeA"):
        scan(tmp_path)
