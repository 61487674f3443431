import shutil
from pathlib import Path

import numpy as np
import pytest

from fracture.data.checks import Problem, check
from fracture.data.dataset import scan
from tests.drawing import draw_mura


@pytest.fixture
def mura(tmp_path: Path) -> Path:
    """A drawn data set that a test may spoil."""
    return draw_mura(tmp_path / "mura", 4, 2)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def image(root: Path, part: str, number: int = 0) -> Path:
    return sorted((root / part).rglob("*.png"))[number]


def test_nothing_is_wrong_with_a_sound_data_set(mura):
    """A data set with nothing wrong gives no problem at all."""
    assert check(scan(mura)) == []


def test_missing_listed_file_is_an_error(tmp_path):
    """A listed file that is not on disk is named."""
    (tmp_path / "dataset.csv").write_text(
        "image_id,label,split,patient,width,height\na.png,0,train,1,9,9\nb.png,1,train,2,9,9\n"
    )
    missing = check(scan(tmp_path))[0]
    assert (missing.kind, missing.severity, missing.images) == ("missing", "error", ("a.png", "b.png"))
    assert missing.message.startswith("2 listed images cannot be found")


@pytest.mark.parametrize("read_files", [True, False])
def test_unreadable_file_is_an_error(mura, read_files):
    """A file that is no image is named, whether files are read or not."""
    broken = image(mura, "train")
    broken.write_bytes(b"not a png")
    problem = only(check(scan(mura), read_files))
    assert (problem.kind, problem.severity) == ("unreadable", "error")
    assert problem.images == (broken.relative_to(mura).as_posix(),)
    assert problem.message.startswith("1 file cannot be read")


def test_patient_on_both_sides_is_an_error(mura):
    """A patient in train and in valid is a leak, with all images of that patient."""
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


def test_copy_on_the_other_side_is_an_error(mura):
    """An identical file in train and in valid is found, but only if files are read."""
    one, two = image(mura, "train"), image(mura, "valid")
    shutil.copy(one, two)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("copies", "error")
    assert set(problem.images) == {path.relative_to(mura).as_posix() for path in (one, two)}
    assert check(scan(mura), read_files=False) == []


def test_copies_with_contradicting_labels_are_an_error(mura):
    """An identical file as normal and as abnormal is found, also within one part."""
    one = next((mura / "train").rglob("study1_negative/image1.png"))
    two = next((mura / "train").rglob("study1_positive/image1.png"))
    shutil.copy(one, two)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("contradiction", "error")
    assert problem.message.startswith("2 images are identical files")


def test_part_of_one_class_is_an_error(mura):
    """A part without one of the classes says which is absent, in the data set's own words."""
    for study in list((mura / "valid").rglob("*_positive")):
        shutil.rmtree(study)
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity) == ("one class", "error")
    assert "valid part" in problem.message
    assert "all normal and none abnormal" in problem.message


def test_imbalance_is_noted(tmp_path):
    """A class below a quarter of the training images is noted with its share, and that accuracy misleads."""
    rows = [f"{n}.png,{int(n % 10 == 0)},{'train' if n < 40 else 'valid'},p{n},8,8" for n in range(60)]
    (tmp_path / "dataset.csv").write_text("image_id,label,split,patient,width,height\n" + "\n".join(rows))
    problem = check(scan(tmp_path), read_files=False)[-1]
    assert (problem.kind, problem.severity) == ("imbalance", "note")
    assert "Only 10% of the 40 training images are positive: accuracy misleads" in problem.message


@pytest.mark.parametrize(("column", "noted"), [("", True), ("patient", False), ("group", False), ("study", False)])
def test_unknown_patients_are_noted_unless_groups_are_given(tmp_path, column, noted):
    """Without patients each image counts as one, which is noted; patients, groups or studies answer it."""
    header = "image_id,label,split,width,height" + f",{column}" * bool(column)
    rows = [f"{n}.png,{n % 2},{'train' if n < 8 else 'valid'},8,8" + f",g{n // 2}" * bool(column) for n in range(12)]
    (tmp_path / "dataset.csv").write_text("\n".join([header, *rows]))
    kinds = [problem.kind for problem in check(scan(tmp_path), read_files=False)]
    assert ("no patients" in kinds) == noted


def test_no_valid_part_is_a_warning(mura):
    """A data set without a valid part is warned of: nothing could be measured."""
    shutil.rmtree(mura / "valid")
    problem = only(check(scan(mura)))
    assert (problem.kind, problem.severity, problem.images) == ("no validation", "warning", ())


def test_errors_come_first(tmp_path):
    """Problems are sorted by how bad they are."""
    (tmp_path / "dataset.csv").write_text("image_id,label,split\na.png,0,train\nb.png,0,train\n")
    severities = [problem.severity for problem in check(scan(tmp_path))]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert {"error", "warning", "note"} == set(severities)


def test_fracatlas_is_sound_but_unbalanced(fracatlas):
    """The real FracAtlas has no leak and no copies; that 18 % are fractured is noted."""
    problem = only(check(scan(fracatlas)))
    assert (problem.kind, problem.severity) == ("imbalance", "note")
    assert "18% of the 2549 training images are fractured" in problem.message
