"""Checks of a data set: those of the table, of single images, and of duplicates."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageOps
from scipy.ndimage import gaussian_filter

from fracture.data.checks import Problem, by_severity, check
from fracture.data.dataset import scan
from fracture.data.measurements import measure, measured
from fracture.imaging.gray_scale import is_blank
from tests.support.drawing import draw_classes, draw_limb, draw_mura


@pytest.fixture
def mura(homes: Path) -> Path:
    """A drawn data set that a test may spoil, and an empty cache."""
    return draw_mura(homes / "mura", 4, 2, size=80)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def of_kind(problems: list[Problem], kind: str) -> Problem:
    return only([problem for problem in problems if problem.kind == kind])


def image(root: Path, part: str, number: int = 0) -> Path:
    return sorted((root / part).rglob("*.png"))[number]


def names(root: Path, *paths: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(root).as_posix() for path in paths)


def picture(seed: int = 0) -> Image.Image:
    """Clouds around a limb: a picture whose copies can be told from others."""
    random = np.random.default_rng(seed)
    clouds = gaussian_filter(random.normal(size=(160, 160)), 6) * 400
    return Image.fromarray((draw_limb(random, 160, positive=False) / 2 + 60 + clouds).clip(0, 255).astype(np.uint8))


def listed(root: Path, rows: list[str], header: str = "image_id,label,split,patient,width,height") -> Path:
    (root / "dataset.csv").write_text("\n".join([header, *rows]))
    return root


def folder_of(root: Path, pictures: dict[str, tuple[Image.Image, int, str]]) -> Path:
    """A dataset.csv and its images: name -> picture, label and split; each of a patient of its own."""
    rows = []
    for name, (drawn, label, split) in pictures.items():
        drawn.save(root / name)
        rows.append(f"{name},{label},{split},{name},160,160")
    return listed(root, rows)


def test_check_sound_data_set_finds_no_problem(mura):
    """A data set with nothing wrong gives no problem at all."""
    assert check(scan(mura)) == []


def test_check_problem_says_what_and_why_in_sentences(homes):
    """What was found, and why it matters, are sentences."""
    for problem in check(scan(listed(homes, ["a.png,0,train,1,9,9", "b.png,0,train,2,80,80"]))):
        assert problem.message.endswith(".") and problem.why.endswith(".") and problem.why != problem.message


def test_by_severity_puts_errors_first(homes):
    """Problems are sorted by severity, and keep their order otherwise."""
    (homes / "notes.txt").write_text("a stray file is a note")
    severities = [problem.severity for problem in check(scan(listed(homes, ["a.png,0,train", "b.png,0,train"], LEAN)))]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert {"error", "warning", "note"} == set(severities)
    notes = [Problem("one", "note", "", ""), Problem("two", "error", "", ""), Problem("three", "note", "", "")]
    assert [problem.kind for problem in by_severity(notes)] == ["two", "one", "three"]


LEAN = "image_id,label,split"


def test_check_missing_listed_file_is_an_error(homes):
    """A listed file that is not on disk is named, and not called damaged as well."""
    found = check(scan(listed(homes, ["a.png,0,train,1,90,90", "b.png,1,train,2,90,90"])))
    assert [problem.kind for problem in found] == ["missing", "no validation"]
    assert (found[0].severity, found[0].images) == ("error", ("a.png", "b.png"))
    assert found[0].message.startswith("2 listed images cannot be found")


@pytest.mark.parametrize("read_files", [True, False])
def test_check_unreadable_file_is_an_error(mura, read_files):
    """A file that is no image is named, whether files are read or not."""
    broken = image(mura, "train")
    broken.write_bytes(b"not a png")
    problem = only(check(scan(mura), read_files=read_files))
    assert (problem.kind, problem.severity, problem.images) == ("unreadable", "error", names(mura, broken))
    assert problem.message.startswith("1 file cannot be read")


def test_check_damaged_pixels_are_an_error(mura):
    """A file whose header is good and whose pixels are cut short is named, with the decoder's words."""
    cut = image(mura, "train")
    cut.write_bytes(cut.read_bytes()[:-500])
    assert check(scan(mura), read_files=False) == []
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == ("damaged", "error", names(mura, cut))
    assert "image1.png cannot be read: this PNG file is damaged or cut short." in problem.message


def test_check_patient_on_both_sides_is_a_leakage_error(mura):
    """A patient in train and in valid is a data leakage, reported once, with all images of that patient."""
    patient = mura / "train" / "XR_HUMERUS" / "patient00001"
    random = np.random.default_rng(0)
    for source in sorted(patient.rglob("*.png")):
        target = mura / "valid" / source.relative_to(mura / "train")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes() + random.bytes(4))  # no copy byte by byte
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("leak", "error")
    assert "share 1 patient with" in problem.message
    assert {Path(name).parts[2] for name in problem.images} == {"patient00001"}
    assert {Path(name).parts[0] for name in problem.images} == {"train", "valid"}


def test_check_copy_in_another_split_is_an_error(mura):
    """An identical file in train and in valid is found, but only if files are read."""
    one, two = image(mura, "train"), image(mura, "valid")
    shutil.copy(one, two)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == ("copies", "error", names(mura, one, two))
    assert check(scan(mura), read_files=False) == []


def test_check_copies_with_contradicting_labels_are_an_error(mura):
    """An identical file as normal and as abnormal is found, also within one split."""
    one = next((mura / "train").rglob("study1_negative/image1.png"))
    two = next((mura / "train").rglob("study1_positive/image1.png"))
    shutil.copy(one, two)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("contradiction", "error")
    assert problem.message.startswith("2 images are identical files")


def test_check_copies_in_one_split_are_a_note(mura):
    """An identical file of the same split and label is a note."""
    patients = (mura / "train" / "XR_HUMERUS" / f"patient{number:05d}" for number in (1, 3))
    one, two = (next(patient.rglob("*.png")) for patient in patients)
    shutil.copy(one, two)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == ("repeated", "note", names(mura, one, two))


CHANGED = {
    "reduced": lambda drawn: drawn.resize((120, 120)),
    "darker": lambda drawn: drawn.point(lambda level: level * 0.8),
    "mirrored": ImageOps.mirror,
    "inverted": ImageOps.invert,
    "mirrored and inverted": lambda drawn: ImageOps.invert(ImageOps.mirror(drawn)),
}


@pytest.mark.parametrize("change", CHANGED)
def test_check_near_duplicate_in_another_split_is_a_warning(homes, change):
    """A copy that was saved again, mirrored or inverted is found in the other split, beside its original."""
    pictures = {"a.png": (picture(), 0, "train"), "b.png": (picture(1), 1, "train"), "c.png": (picture(2), 1, "valid")}
    pictures["d.png"] = CHANGED[change](picture()), 0, "valid"
    problem = of_kind(check(scan(folder_of(homes, pictures))), "near copies")
    assert (problem.severity, problem.images) == ("warning", ("a.png", "d.png"))


def test_check_near_duplicates_with_contradicting_labels_are_a_warning(homes):
    """Duplicates stand side by side, in the order of the table."""
    pictures = {
        "a.png": (picture(), 0, "train"),
        "b.png": (picture(1), 1, "train"),
        "c.png": (picture(1).resize((120, 120)), 0, "train"),
        "d.png": (ImageOps.mirror(picture()), 1, "train"),
    }
    problem = of_kind(check(scan(folder_of(homes, pictures))), "near contradiction")
    assert (problem.severity, problem.images) == ("warning", ("a.png", "d.png", "b.png", "c.png"))


def test_check_near_duplicates_include_their_identical_copies(homes):
    """Near-duplicates stand side by side with their identical copies; identical files alone are no near-duplicates."""
    pictures = {
        "a.png": (picture(), 0, "train"),
        "again.png": (picture(), 0, "train"),
        "b.png": (picture().resize((120, 120)), 1, "train"),
        "c.png": (picture(1), 1, "train"),
        "d.png": (picture(1), 1, "train"),
    }
    problems = check(scan(folder_of(homes, pictures)))
    assert of_kind(problems, "near contradiction").images == ("a.png", "again.png", "b.png")
    assert of_kind(problems, "repeated").images == ("a.png", "again.png", "c.png", "d.png")
    assert not [problem for problem in problems if problem.kind == "near repeated"]


def test_check_near_duplicates_of_one_study_are_no_problem(homes):
    """Near-duplicates of two patients of one split are a note; those of one study are views of the same bone."""
    root = homes / "set"
    root.mkdir()
    for name, drawn in (("a.png", picture()), ("b.png", picture().resize((120, 120))), ("c.png", picture(1))):
        drawn.save(root / name)
    rows = ["a.png,0,train,1,s", "b.png,0,train,{},s", "c.png,1,train,3,s"]
    kinds = []
    for patient in (1, 2):
        table = [row.format(patient) for row in rows]
        kinds.append([each.kind for each in check(scan(listed(root, table, "image_id,label,split,patient,study")))])
    assert kinds == [["no validation"], ["no validation", "near repeated"]]


def test_check_split_of_one_class_is_an_error(mura):
    """A split without one of the classes says which is absent, by the label names of the data set."""
    for study in list((mura / "valid").rglob("*_positive")):
        shutil.rmtree(study)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("one class", "error")
    assert "valid split" in problem.message
    assert "all normal and none abnormal" in problem.message


def test_check_class_imbalance_is_a_note(homes):
    """A class below a quarter of the training images is noted with its share, and that accuracy misleads."""
    rows = [f"{n}.png,{int(n % 10 == 0)},{'train' if n < 40 else 'valid'},p{n},80,80" for n in range(60)]
    problem = of_kind(check(scan(listed(homes, rows)), read_files=False), "imbalance")
    assert problem.severity == "note"
    assert "Only 10% of the 40 training images are positive: accuracy misleads" in problem.message
    assert "always says negative has an accuracy of 90%" in problem.why


def test_check_tiny_images_are_a_note(homes):
    """Images smaller than the smallest input of the network are named; those without a size are unreadable instead."""
    rows = ["a.png,0,train,1,74,200", "b.png,1,train,2,75,75", "c.png,1,train,3,200,74", "d.png,0,train,4,0,0"]
    problem = of_kind(check(scan(listed(homes, rows)), read_files=False), "tiny")
    assert (problem.severity, problem.images) == ("note", ("a.png", "c.png"))


@pytest.mark.parametrize(("column", "noted"), [("", True), ("patient", False), ("group", False), ("study", False)])
def test_check_unknown_patients_are_a_warning_unless_groups_are_given(homes, column, noted):
    """Without patients each image counts as one, which is said; patients, groups or studies answer it."""
    header = f"{LEAN},width,height" + f",{column}" * bool(column)
    rows = [f"{n}.png,{n % 2},{'train' if n < 8 else 'valid'},80,80" + f",g{n // 2}" * bool(column) for n in range(12)]
    kinds = [problem.kind for problem in check(scan(listed(homes, rows, header)), read_files=False)]
    assert ("no patients" in kinds) == noted


def test_check_without_a_valid_split_is_a_warning(mura):
    """A data set without a valid split is warned of: nothing could be measured."""
    shutil.rmtree(mura / "valid")
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == ("no validation", "warning", ())


def test_check_blank_and_inverted_images_are_a_warning(mura):
    """One gray level; and bone dark on light. A blank white image is not called inverted as well."""
    blank, inverted = image(mura, "train"), image(mura, "train", 1)
    Image.new("L", (80, 80), 250).save(blank)
    ImageOps.invert(Image.open(inverted)).save(inverted)
    found = check(scan(mura))
    assert [(problem.kind, problem.severity, problem.images) for problem in found] == [
        ("blank", "warning", names(mura, blank)),
        ("inverted", "warning", names(mura, inverted)),
    ]


def test_check_finds_the_blank_images_that_no_model_answers_for(mura):
    """A black image with a marker on it is blank for the check, and for :func:`is_blank`."""
    blank = image(mura, "train")
    pixels = np.zeros((100, 100), np.uint8)
    pixels[5:15, 5:15] = 255
    Image.fromarray(pixels).save(blank)
    assert is_blank(pixels)
    assert of_kind(check(scan(mura)), "blank").images == names(mura, blank)


def with_letter(path: Path) -> None:
    drawn = Image.open(path).resize((240, 240))
    ImageDraw.Draw(drawn).text((16, 160), "R", fill=255, font_size=22)
    drawn.save(path)


def with_strip(path: Path) -> None:
    drawn = Image.open(path)
    drawn.paste(240, (0, 0, 80, 8))
    drawn.save(path)


@pytest.mark.parametrize(("kind", "spoil"), [("marks", with_letter), ("light border", with_strip)])
def test_check_marks_and_light_borders_are_a_note(mura, kind, spoil):
    """Letters and light strips are noted, with their share of each label by name."""
    spoilt = sorted((mura / "train").rglob("study1_positive/image1.png"))[0]
    spoil(spoilt)
    table = scan(mura).table
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == (kind, "note", names(mura, spoilt))
    share = 1 / table["label"].sum()
    assert f"{share:.1%} of those that are abnormal and 0.0% of those that are normal" in problem.message


def test_check_marks_with_one_label_are_a_warning(homes):
    """Marks on most images of one label and few of the other can be a shortcut."""
    dataset = scan(draw_mura(homes / "mura", 24, 12, size=80))
    measurements = measure(dataset.table)
    positive = dataset.table["label"] == 1
    for marked, severity in ((positive, "warning"), (dataset.table.index % 2 == 0, "note")):
        found = check(dataset, measurements.assign(marks=np.where(marked, 1, 0)))
        assert of_kind(found, "marks").severity == severity


def test_check_with_measurements_opens_no_file(mura):
    """Where some images are measured, only they are checked by their pixels; no file is opened."""
    dataset = scan(mura)
    one, two = image(mura, "train"), image(mura, "valid")
    Image.new("L", (80, 80), 250).save(one)
    Image.new("L", (80, 80), 251).save(two)
    assert check(dataset, measured(dataset.table)) == []
    measure(dataset.table[dataset.table["image_id"] == names(mura, one)[0]])
    assert only(check(dataset, measured(dataset.table))).images == names(mura, one)
    measure(dataset.table)
    assert only(check(dataset, measured(dataset.table))).images == names(mura, one, two)


def test_check_fracatlas_is_sound_but_unbalanced(fracatlas):
    """The real FracAtlas has no data leakage; that 18 % are fractured is noted."""
    problem = only(check(scan(fracatlas), read_files=False))
    assert (problem.kind, problem.severity) == ("imbalance", "note")
    assert "18% of the 2,549 training images are fractured" in problem.message


@pytest.mark.slow
def test_check_fracatlas_finds_its_near_duplicates_and_letters(fracatlas, homes):
    """Of a part of FracAtlas, its listed near-duplicates are found and no other images, and letters where they are."""
    dataset = scan(fracatlas)
    listed = pd.read_csv(fracatlas / "dataset.csv").set_index("image_id")["dup_group"]
    twin = listed.duplicated(keep=False)[dataset.table["image_id"]].to_numpy()
    lettered = {"IMG0000044.jpg", "IMG0000190.jpg", "IMG0002302.jpg"}
    others = np.random.default_rng(0).choice(np.flatnonzero(~twin), 50, replace=False)
    part = dataset.table[twin | dataset.table["image_id"].isin(lettered) | dataset.table.index.isin(others)]
    found = check(dataset, measure(part))
    same = {name for problem in found if problem.kind.endswith("repeated") for name in problem.images}
    assert same == set(dataset.table["image_id"][twin])
    assert lettered <= set(of_kind(found, "marks").images)
    assert not any(problem.kind == "inverted" for problem in found)


def test_check_files_left_out_are_counted_and_named(homes):
    """A third class and formats that are not read are warnings, strays and links notes, with numbers and names."""
    root = draw_classes(homes / "set", "normal", "fractured", "osteoporosis")
    for name in ("normal/a.svg", "normal/b.nii", "notes.txt"):
        (root / name).write_bytes(b"x")
    (root / "again").symlink_to(root / "normal")
    found = {problem.kind: problem for problem in check(scan(root), read_files=False)}
    assert "3 images are left out, of classes that are neither" in found["other classes"].message
    assert "osteoporosis (3)" in found["other classes"].message
    assert "2 files are left out that may be radiographs: .nii (1), .svg (1)" in found["unread formats"].message
    assert "1 file is not read as images: .txt (1), such as notes.txt" in found["stray files"].message
    assert "1 link is not followed, such as again" in found["links"].message
    kinds = ("other classes", "unread formats", "stray files", "links")
    assert [found[kind].severity for kind in kinds] == ["warning", "warning", "note", "note"]


def test_check_images_that_no_row_lists_are_a_warning(homes):
    """An image beside a dataset.csv that does not name it is counted."""
    root = draw_classes(homes / "set", "images", images=4)
    (root / "dataset.csv").write_text("image_id,fractured\nimage0.png,0\nimage1.png,1\n")
    problem = of_kind(check(scan(root), read_files=False), "unlisted")
    assert "2 images are left out that dataset.csv does not list, such as image2.png" in problem.message
