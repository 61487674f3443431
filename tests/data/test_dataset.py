"""Scanning a folder: the data set, its layouts, dataset.csv, ground truth and provenance."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from fracture.data.dataset import TABLE_COLUMNS, counts, fingerprint, looks_like_data, scan
from fracture.data.measurements import measure
from fracture.errors import DatasetError
from tests.support.drawing import draw_mura


def draw(path: Path, width: int = 4, height: int = 3) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height), len(path.name)).save(path)


def listing(root: Path, text: str, drawn_names: tuple[str, ...] = ()) -> Path:
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "dataset.csv").write_text(text)
    for name in drawn_names:
        draw(root / "images" / name)
    return root


def row(table: pd.DataFrame, image_id: str) -> dict[str, object]:
    return table.set_index("image_id").loc[image_id].to_dict()


def test_scan_mura_tree_gives_a_table(drawn):
    """Every image of MURA's tree has the label, patient and study of its folders, and its size from its header."""
    dataset = scan(drawn)
    files = sorted(path.relative_to(drawn).as_posix() for path in drawn.rglob("*.png"))
    assert dataset.table["image_id"].tolist() == files
    assert {name: str(kind) for name, kind in dataset.table.dtypes.items()} == TABLE_COLUMNS
    assert (dataset.layout, dataset.label_names, dataset.name) == ("MURA", ("normal", "abnormal"), "MURA-v1.1")
    assert row(dataset.table, "train/XR_HUMERUS/patient00002/study1_positive/image1.png") == {
        "path": str(drawn / "train/XR_HUMERUS/patient00002/study1_positive/image1.png"),
        "split": "train",
        "body_part": "XR_HUMERUS",
        "patient": "patient00002",
        "study": "XR_HUMERUS/patient00002/study1_positive",
        "view": "image1",
        "label": 1,
        "width": 64,
        "height": 64,
        "group": "patient00002",
        "boxes": "",
        "mask": "",
        "findings": "",
    }


@pytest.mark.parametrize(
    "level",
    [
        "..",
        "train",
        "train/XR_HUMERUS",
        "train/XR_HUMERUS/patient00002",
        "train/XR_HUMERUS/patient00002/study1_positive",
    ],
)
def test_scan_mura_from_any_level_gives_the_same_rows(drawn, level):
    """The levels above the scanned folder are taken from its own path."""
    whole = scan(drawn).table.set_index("path").drop(columns="image_id")
    part = scan(drawn / level).table.set_index("path").drop(columns="image_id")
    pd.testing.assert_frame_equal(part, whole.loc[part.index])
    assert set(part["split"]) == ({"train", "valid"} if level == ".." else {"train"})


TRUTH = "image,view,boxes,mask,traps\n"


def with_truth(root: Path, lines: str, header: str = TRUTH) -> Path:
    """A tree of two patients, the second positive, with this truth.csv."""
    draw_mura(root, 1, 1)
    (root / "truth.csv").write_text(header + lines)
    return root


POSITIVE = "valid/XR_HUMERUS/patient00002/study1_positive/image1.png"


def test_scan_truth_csv_gives_boxes_masks_and_views(tmp_path):
    """Boxes, mask and view come from truth.csv; images that it does not list yet have none, and keep their view."""
    dataset = scan(with_truth(tmp_path, f"{POSITIVE},AP,1 2 3 4,5 6,marker\nstill/to/be/drawn.png,AP,,,\n"))
    assert dataset.synthetic
    found = row(dataset.table, POSITIVE)
    assert (found["boxes"], found["mask"], found["view"]) == ("1 2 3 4", "5 6", "AP")
    others = dataset.table[dataset.table["image_id"] != POSITIVE]
    assert len(others) > 0
    assert set(others["boxes"]) == set(others["mask"]) == {""}
    assert others["view"].str.startswith("image").all()
    assert {name: str(kind) for name, kind in dataset.table.dtypes.items()} == TABLE_COLUMNS


@pytest.mark.parametrize(
    "level", ["..", "valid", "valid/XR_HUMERUS", "valid/XR_HUMERUS/patient00002", str(Path(POSITIVE).parent)]
)
def test_scan_truth_csv_is_found_from_any_level(tmp_path, level):
    """The ground truth is at the root of the tree, however deep or high the scanned folder lies."""
    dataset = scan(with_truth(tmp_path / "a" / "tree", f"{POSITIVE},AP,1 2 3 4,5 6,\n") / level)
    assert dataset.synthetic
    assert dataset.table.loc[dataset.table["boxes"] != "", "path"].tolist() == [str(tmp_path / "a" / "tree" / POSITIVE)]


def test_scan_truth_csv_elsewhere_is_ignored(tmp_path):
    """A truth.csv that is not at the root of the tree is no truth of its images, and a tree without one is real."""
    root = with_truth(tmp_path / "a" / "tree", f"{POSITIVE},AP,1 2 3 4,5 6,\n")
    for elsewhere in (root.parent, root / "valid"):
        shutil.copy(root / "truth.csv", elsewhere)
    (root / "truth.csv").unlink()
    dataset = scan(root / "valid")
    assert not dataset.synthetic
    assert set(dataset.table["boxes"]) == {""}


@pytest.mark.parametrize(
    ("header", "lines", "words"),
    [
        ("", "", "cannot be read as a table"),
        ("image,view\n", "a.png,AP\n", "columns image, view, boxes and mask. Received: image, view"),
        (TRUTH, f"{POSITIVE},AP,,,\n" * 2, f"once. Received twice: {POSITIVE}"),
        (TRUTH, f"{POSITIVE},AP,1 2 3,,\n", rf"{POSITIVE} is damaged.*four numbers.*Received: '1 2 3'"),
        (TRUTH, f"{POSITIVE},AP,1 2 3 4,4000 97,\n", rf"{POSITIVE} is damaged.*64 x 64 px. Received: '4000 97'"),
    ],
)
def test_scan_damaged_truth_csv_is_refused(tmp_path, header, lines, words):
    """A truth.csv that cannot be used is refused when the data set is read, not at the end of a training."""
    with pytest.raises(DatasetError, match=words):
        scan(with_truth(tmp_path, lines, header))


@pytest.mark.parametrize("wanted", ["XR_WRIST", "xr_wrist", "Wrist", " wrist "])
def test_scan_body_part_is_found_by_any_spelling(tmp_path, wanted):
    """A body part is found with or without XR_, in any case."""
    draw_mura(tmp_path, 2, 1)
    draw_mura(tmp_path, 3, 1, body_part="XR_WRIST")
    assert set(scan(tmp_path, wanted).table["body_part"]) == {"XR_WRIST"}
    assert set(scan(tmp_path).table["body_part"]) == {"XR_WRIST", "XR_HUMERUS"}


def test_scan_unknown_body_part_is_refused_with_the_known_ones(drawn):
    """A body part that is not there is refused with the names of those that are."""
    with pytest.raises(DatasetError, match=r"XR_HUMERUS.*Received: elbow"):
        scan(drawn, "elbow")


def test_scan_skips_hidden_files(tmp_path):
    """Hidden folders, and the files that macOS puts beside an image, are no images."""
    draw_mura(tmp_path, 2, 1)
    before = len(scan(tmp_path).table)
    study = next(tmp_path.rglob("study1_*"))
    (study / "._image1.png").write_bytes(b"resource fork")
    shutil.copytree(tmp_path / "train", tmp_path / ".trash" / "train")
    (study / "notes.txt").write_text("no image")
    assert len(scan(tmp_path).table) == before


@pytest.mark.parametrize(
    "folders",
    [
        ("negative", "positive"),
        ("Normal", "ABNORMAL"),
        ("Non_fractured", "Fractured"),
        ("not fractured", "fractured"),
        ("non-fractured", "fracture"),
        ("healthy", "broken"),
    ],
)
def test_scan_class_folders_are_known_by_many_names(tmp_path, folders):
    """Class folders go by their usual names in any spelling, and give the label names as they are written."""
    for label, folder in enumerate(folders):
        for number in range(5):
            draw(tmp_path / "set" / folder / f"{label}{number}.png")
    dataset = scan(tmp_path / "set")
    assert dataset.label_names == folders
    assert dataset.table["label"].tolist() == [
        int(Path(path).parent.name == folders[1]) for path in dataset.table["path"]
    ]
    assert (dataset.layout, set(dataset.table["split"])) == ("class folders", {"train", "valid"})
    assert (dataset.table["group"] == dataset.table["image_id"]).all()
    assert (dataset.table["study"] == dataset.table["image_id"]).all()


@pytest.mark.parametrize("name", ["valid", "val", "Validation", "test"])
def test_scan_split_folders_give_the_split(tmp_path, name):
    """Split folders give the split; the second of two is the valid split, whatever it is called."""
    for split in ("train", name):
        for folder in ("negative", "positive"):
            draw(tmp_path / split / folder / "a.png")
    table = scan(tmp_path).table
    assert sorted(table["split"]) == ["train", "train", "valid", "valid"]


def test_scan_keeps_test_apart_from_valid(tmp_path):
    """Where there is a valid split, the test split stays one of its own: nothing may be chosen by it."""
    for split in ("train", "val", "test"):
        for folder in ("negative", "positive"):
            draw(tmp_path / split / folder / "a.png")
    assert sorted(set(scan(tmp_path).table["split"])) == ["test", "train", "valid"]


def test_scan_class_folders_keep_patients_together(tmp_path):
    """A patient in the names of files is one group, in whichever class folders the images lie."""
    for patient in range(12):
        folder = ("negative", "positive")[patient % 2]
        for view in range(3):
            draw(tmp_path / folder / f"patient{patient:05d}_study1_image{view}.png")
    draw(tmp_path / "negative" / "patient00001_study2_image1.png")
    table = scan(tmp_path).table
    assert table["patient"].nunique() == 12
    assert table["study"].nunique() == 13
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert row(table, "negative/patient00001_study2_image1.png")["group"] == "patient00001"


def test_scan_class_folders_separate_studies_by_part_patient_and_label(tmp_path):
    """By body part, patient, number and the label of MURA's study, or else that of the folder."""
    for name in ("XR_HAND_patient1_study1_a", "XR_HUMERUS_patient1_study1_a", "patient1_study1_positive_a"):
        for folder in ("negative", "positive"):
            draw(tmp_path / "train" / folder / f"{name}.png")
    studies = scan(tmp_path).table["study"]
    assert sorted(studies) == [
        "negative/XR_HAND/patient1/study1",
        "negative/XR_HUMERUS/patient1/study1",
        "patient1/study1_positive",
        "patient1/study1_positive",
        "positive/XR_HAND/patient1/study1",
        "positive/XR_HUMERUS/patient1/study1",
    ]


def test_scan_one_class_alone_is_refused(tmp_path):
    """A folder with one class says that the other is missing."""
    draw(tmp_path / "fractured" / "a.png")
    with pytest.raises(DatasetError, match="only fractured"):
        scan(tmp_path)


def test_scan_images_in_and_out_of_splits_are_refused(tmp_path):
    """Where some images are in split folders and some are not, the split of the others is unknown."""
    for place in ("train/negative", "train/positive", "negative"):
        draw(tmp_path / place / "a.png")
    with pytest.raises(DatasetError, match=r"1 of 3 without one, such as negative/a\.png"):
        scan(tmp_path)


def test_scan_of_a_valid_folder_does_not_split_it(tmp_path):
    """A folder that is itself the valid split is not split again."""
    draw_mura(tmp_path, 2, 4)
    assert set(scan(tmp_path / "valid").table["split"]) == {"valid"}


def test_scan_dataset_csv_reads_its_columns(tmp_path):
    """A dataset.csv needs image_id and label, and may have the other columns."""
    text = "image_id,label,split,patient,study,view,body_part,boxes\n"
    text += "a.png,0,train,p1,s1,frontal,XR_HAND,\nsub/b.png,1,val,p2,s1,lateral,XR_HAND,1 2 3 4;5 6 7 8\n"
    dataset = scan(listing(tmp_path, text, ("a.png", "sub/b.png")))
    assert (dataset.layout, dataset.label_names) == ("dataset.csv", ("negative", "positive"))
    assert row(dataset.table, "sub/b.png") == {
        "path": str(tmp_path / "images" / "sub/b.png"),
        "split": "valid",
        "body_part": "XR_HAND",
        "patient": "p2",
        "study": "p2/s1",
        "view": "lateral",
        "label": 1,
        "width": 4,
        "height": 3,
        "group": "p2",
        "boxes": "1 2 3 4;5 6 7 8",
        "mask": "",
        "findings": "",
    }


def test_scan_dataset_csv_keeps_missing_images(tmp_path):
    """A listed file that is not there stays in the table without a size, for the checks to report."""
    table = scan(listing(tmp_path, "image_id,label\na.png,0\nb.png,1\n", ("a.png",))).table
    assert table.set_index("image_id")["width"].to_dict() == {"a.png": 4, "b.png": 0}


def test_scan_fracatlas_as_published_is_split(tmp_path):
    """FracAtlas as it is published, sorted into two folders of images/ and without a split, is read and split."""
    header = (
        "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique\n"
    )
    lines = [f"IMG{number:07d}.jpg,1,0,0,0,0,0,0,{number % 2},0,1,1,0\n" for number in range(0, 400, 5)]
    listing(tmp_path, header + "".join(lines))
    draw(tmp_path / "images" / "Fractured" / "IMG0000005.jpg")
    dataset = scan(tmp_path)
    assert dataset.label_names == ("not fractured", "fractured")
    assert row(dataset.table, "IMG0000005.jpg")["path"] == str(tmp_path / "images/Fractured/IMG0000005.jpg")
    assert dataset.table["group"].value_counts().tolist() == [5] * 16
    assert set(dataset.table["view"]) == {"frontal+lateral"}
    assert (dataset.table.groupby("group")["split"].nunique() == 1).all()


def test_scan_fracatlas_near_duplicates_join_blocks(tmp_path):
    """Near-duplicates in two blocks of numbers make one group of both blocks, and of a third by way of another."""
    text = "image_id,fractured,dup_group\nIMG01.png,0,1\nIMG30.png,1,1\nIMG31.png,0,2\nIMG80.png,1,2\nIMG99.png,0,3\n"
    text += "IMG200.png,0,3\nIMG300.png,0,4\n"
    groups = scan(listing(tmp_path, text)).table.set_index("image_id")["group"]
    assert groups["IMG01.png"] == groups["IMG30.png"] == groups["IMG31.png"] == "block 00000"
    assert groups["IMG80.png"] == groups["IMG99.png"] == groups["IMG200.png"] == "block 00000"
    assert groups["IMG300.png"] == "block 00012"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("picture,label\na.png,0\n", "columns image_id and label"),
        ("image_id,label\na.png,0\na.png,1\n", "once. Received twice: a.png"),
        ("image_id,label\na.png,maybe\n", r"which values are negative.*'maybe' \(1\).*--labels negative="),
        ("image_id,label,split\na.png,0,later\n", "train, valid or test. Received: 'later'"),
        ("image_id,label\n../a.png,0\n", "below images/"),
        ("image_id,label\na\0.png,0\n", r"below images/.*Received: 'a\\x00.png'"),
        ("image_id,label\n", "lists no image"),
        ("", "cannot be read as a table"),
    ],
)
def test_scan_unusable_dataset_csv_is_refused(tmp_path, text, words):
    """A dataset.csv that cannot be used says what was allowed and what came."""
    with pytest.raises(DatasetError, match=words):
        scan(listing(tmp_path, text))


def test_scan_unknown_layout_names_the_known_ones(tmp_path):
    """A folder of no known layout is refused with the known layouts and with its content."""
    draw(tmp_path / "pictures" / "holiday.png")
    (tmp_path / "readme.txt").write_text("")
    with pytest.raises(DatasetError) as error:
        scan(tmp_path)
    for words in (
        "MURA",
        "class folders",
        "dataset.csv",
        "YOLO",
        "pictures/, readme.txt (folders: 1, files: 1, images at any depth: 1)",
    ):
        assert words in str(error.value)


def test_scan_of_no_folder_a_file_or_an_empty_folder_is_refused(tmp_path):
    """No folder, a file and an empty folder are each refused in their own words."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, words in {"gone": "no folder", "file": "is a file", "empty": "an empty folder"}.items():
        with pytest.raises(DatasetError, match=words):
            scan(tmp_path / name)


def test_scan_unreadable_file_has_no_size(tmp_path):
    """A file that cannot be read stays in the table with size 0."""
    draw_mura(tmp_path, 2, 1)
    broken = next(tmp_path.rglob("image1.png"))
    broken.write_bytes(b"not a png")
    table = scan(tmp_path).table
    assert table.loc[table["width"] == 0, "path"].tolist() == [str(broken)]


def test_scan_of_one_body_part_keeps_the_split(tmp_path):
    """An image is in the same split whether one body part is read or all: no training image is used for validation."""
    for number in range(60):
        part, label = ("XR_HAND", "XR_HUMERUS")[number % 2], ("negative", "positive")[number % 3 == 0]
        draw(tmp_path / "set" / part / f"patient{number:05d}" / f"study1_{label}" / "image1.png")
    whole = scan(tmp_path / "set").table.set_index("image_id")["split"]
    hand = scan(tmp_path / "set", "hand").table.set_index("image_id")["split"]
    assert set(whole) == {"train", "valid"}
    assert (hand == whole.loc[hand.index]).all()


def test_fingerprint_of_a_copy_is_the_same(tmp_path):
    """A copy has the same fingerprint; a changed file, label or image has another."""
    one, two = draw_mura(tmp_path / "one", 3, 1), draw_mura(tmp_path / "two", 3, 1)
    dataset = scan(one)
    assert fingerprint(dataset) == fingerprint(scan(two))
    seen = {fingerprint(dataset)}
    next(two.rglob("image1.png")).write_bytes(b"changed")
    seen.add(fingerprint(scan(two)))
    next(two.rglob("image1.png")).unlink()
    seen.add(fingerprint(scan(two)))
    assert len(seen) == 3


def test_counts_adds_up(drawn):
    """Counts give images, studies and groups for each split, body part and label."""
    table = scan(drawn).table
    counted = counts(table)
    assert list(counted) == ["split", "body_part", "label", "images", "studies", "groups"]
    assert counted["images"].sum() == len(table)
    assert counted.set_index(["split", "label"])["groups"].to_dict() == {
        ("train", 0): 6,
        ("train", 1): 6,
        ("valid", 0): 3,
        ("valid", 1): 3,
    }


def test_looks_like_data_finds_each_layout_and_nothing_else(tmp_path):
    """In a home folder, each kind of data set is found and other folders are not."""
    draw_mura(tmp_path / "mura" / "MURA-v1.1", 1, 1)
    draw_mura(tmp_path / "wrist" / "MURA-v1.1", 1, 1, body_part="XR_WRIST")
    draw(tmp_path / "sorted" / "train" / "Fractured" / "a.png")
    draw(tmp_path / "sorted" / "train" / "Not Fractured" / "a.png")
    listing(tmp_path / "listed", "image_id,label\n")
    draw(tmp_path / "holiday" / "pictures" / "a.png")
    (tmp_path / "note.txt").write_text("")
    assert sorted(path.name for path in tmp_path.iterdir() if looks_like_data(path)) == [
        "listed",
        "mura",
        "sorted",
        "wrist",
    ]
    assert not looks_like_data(tmp_path / "gone")


def test_looks_like_data_finds_one_body_part_by_its_studies(tmp_path):
    """A body part copied out of its tree is still found, and read."""
    draw_mura(tmp_path / "all", 2, 1)
    shutil.move(tmp_path / "all" / "train" / "XR_HUMERUS", tmp_path / "home" / "humerus")
    assert looks_like_data(tmp_path / "home" / "humerus")
    assert scan(tmp_path / "home" / "humerus").layout == "MURA"


def test_scan_relative_and_linked_folders_give_absolute_paths(drawn, tmp_path, monkeypatch):
    """Paths are absolute, whether the folder is named relatively or by a link."""
    monkeypatch.chdir(drawn.parent)
    (tmp_path / "link").symlink_to(drawn / "train" / "XR_HUMERUS")
    assert scan(drawn.name).table["path"].map(os.path.isabs).all()
    assert set(scan(tmp_path / "link").table["body_part"]) == {"XR_HUMERUS"}


def test_scan_real_fracatlas_has_its_known_numbers(fracatlas):
    """The real FracAtlas has its known numbers, and no group on both sides of its split."""
    dataset = scan(fracatlas)
    table = dataset.table
    assert len(table) == 3202
    assert table.groupby("split")["label"].agg(["size", "sum"]).to_dict("index") == {
        "train": {"size": 2549, "sum": 454},
        "valid": {"size": 653, "sum": 112},
    }
    assert table["body_part"].value_counts().to_dict() == {
        "leg": 1676,
        "hand": 987,
        "mixed": 317,
        "hip": 144,
        "shoulder": 78,
    }
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert dataset.label_names == ("not fractured", "fractured")
    assert (table["boxes"] != "").sum() == table["label"].sum()
    assert not dataset.synthetic
    assert len(scan(fracatlas, "Hand").table) == 987


def test_scan_names_that_are_not_utf8_are_refused(tmp_path):
    """The one that is not UTF-8 is named, as far as it can be."""
    draw_mura(tmp_path, 2, 1)
    image = next(tmp_path.rglob("image1.png"))
    image.rename(image.with_name(os.fsdecode(b"x\xff.png")))
    with pytest.raises(DatasetError, match=r"must be UTF-8. Received: '.*x\\udcff.png'; rename it"):
        scan(tmp_path)


@pytest.mark.parametrize("where", ["", "train", "train/XR_HUMERUS/patient00001"])
def test_scan_unreadable_folder_is_refused_by_name(tmp_path, monkeypatch, where):
    """Its images would be missing, and nobody would notice."""
    forbidden, listed = str(draw_mura(tmp_path / "set", 2, 1) / where), os.scandir

    def refuse(place):
        if place == forbidden:
            raise PermissionError(13, "Permission denied", place)
        return listed(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DatasetError, match=f"must be readable. Received: {forbidden}: Permission denied"):
        scan(tmp_path / "set")


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """A data set with 1,100 folders within each other, which pytest could not remove."""
    monkeypatch.chdir(draw_mura(tmp_path / "deep", 2, 1))
    for _ in range(1100):
        Path("d").mkdir()
        os.chdir("d")
    yield tmp_path / "deep"
    for _ in range(1100):
        os.chdir("..")
        Path("d").rmdir()


def test_scan_a_thousand_nested_folders_works(deep):
    """Folders may be nested deeper than Python's recursion goes."""
    assert len(scan(deep).table) == len(list((deep / "train").rglob("*.png"))) + len(
        list((deep / "valid").rglob("*.png"))
    )


def test_scan_never_waits_for_a_pipe(homes, tmp_path):
    """A pipe in a folder is ignored; one in a dataset.csv cannot be read."""
    draw_mura(tmp_path / "set", 2, 1)
    before = len(scan(tmp_path / "set").table)
    os.mkfifo(tmp_path / "set" / "train" / "XR_HUMERUS" / "patient00001" / "study1_negative" / "f.png")
    assert len(scan(tmp_path / "set").table) == before
    root = listing(tmp_path / "listed", "image_id,label\na.png,0\nf.png,1\n", ("a.png",))
    os.mkfifo(root / "images" / "f.png")
    table = scan(root).table
    assert table.set_index("image_id")["width"].to_dict() == {"a.png": 4, "f.png": 0}
    assert not measure(table)["readable"][1]


def test_list_datasets_skips_an_unreadable_folder(tmp_path, monkeypatch):
    """It is passed over."""
    draw_mura(tmp_path / "mura", 1, 1)
    (tmp_path / "closed").mkdir()
    look = Path.is_file

    def refuse(path):
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    assert sorted(path.name for path in tmp_path.iterdir() if looks_like_data(path)) == ["mura"]
