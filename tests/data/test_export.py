"""Class folders made from a data set, as they are read back."""

import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fracture.data.dataset import scan
from fracture.data.decisions import apply_decisions, decide
from fracture.data.export import export_paths, write_prep, zip_prep
from fracture.errors import DatasetError
from tests.support.drawing import draw_mura


def told(dataset):
    """What must survive, whatever the images are called."""
    table = dataset.table
    study = table["patient"] + " " + table["study"].str.extract(r"(study\d+)", expand=False)
    rows = zip(table["split"], table["label"], table["patient"], study, table["body_part"], strict=True)
    return sorted(rows)


@pytest.mark.parametrize("how", ["copy", "link"])
def test_write_prep_reads_back_as_the_same_data_set(drawn, tmp_path, how):
    """Splits, labels, patients and studies, byte for byte."""
    found, said = scan(drawn), []
    write_prep(found, tmp_path / "prep", how, lambda *done: said.append(done))
    again = scan(tmp_path / "prep")
    assert told(again) == told(found) and again.label_names == ("negative", "positive")
    assert said[-1] == (len(found.table), len(found.table))
    for source, place in zip(found.table["path"], export_paths(found.table), strict=True):
        file = tmp_path / "prep" / place
        assert file.read_bytes() == Path(source).read_bytes() and file.samefile(source) == (how == "link")


def test_write_prep_applies_decisions(tmp_path):
    """Excluded images are left out; a relabeled one is in the other folder, and its name says where it was."""
    root = draw_mura(tmp_path / "MURA-v1.1")
    table = scan(root).table
    positive = table.loc[table["label"] == 1, "image_id"].iloc[0]
    decide(root, [table["image_id"].iloc[0]], "exclude")
    decide(root, [positive], "negative")
    write_prep(apply_decisions(scan(root)), tmp_path / "prep")
    names = [path.relative_to(tmp_path / "prep").as_posix() for path in (tmp_path / "prep").rglob("*.png")]
    assert len(names) == len(table) - 1
    assert "train/negative/" + positive.replace("/", "_") in names
    assert not any(name.endswith(table["image_id"].iloc[0].replace("/", "_")) for name in names)


def test_zip_prep_holds_the_same(drawn, tmp_path):
    """It has one folder, prep, with the same files."""
    found = scan(drawn)
    zip_prep(found, tmp_path / "new" / "prep.zip")
    with zipfile.ZipFile(tmp_path / "new" / "prep.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted("prep/" + export_paths(found.table))


def test_export_paths_are_unique():
    """Also where paths differ only in what separates their parts."""
    names = ["a/b_c.png", "a_b/c.png", "a/b/c.png", "1_a_b_c.png"]
    table = pd.DataFrame({"image_id": names, "split": "train", "label": 1})
    found = export_paths(table)
    assert found.nunique() == 4 and found[3] == "train/positive/1_a_b_c.png"
    pd.testing.assert_series_equal(export_paths(table[::-1]).sort_index(), found)


def test_write_prep_into_a_full_folder_is_refused(drawn, tmp_path):
    """A folder with something in it is refused, and nothing is left beside it."""
    (tmp_path / "prep").mkdir()
    (tmp_path / "prep" / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="must be empty, or not there yet"):
        write_prep(scan(drawn), tmp_path / "prep")
    assert [path.name for path in tmp_path.iterdir()] == ["prep"]
    with pytest.raises(DatasetError, match="must not be there yet"):
        zip_prep(scan(drawn), tmp_path / "prep")


def test_write_prep_with_a_missing_image_writes_nothing(tmp_path):
    """All files are there, or none."""
    found = scan(draw_mura(tmp_path / "MURA-v1.1"))
    missing = found.table["path"].iloc[-1]
    (tmp_path / "MURA-v1.1" / found.table["image_id"].iloc[-1]).unlink()
    for act in (lambda: write_prep(found, tmp_path / "prep"), lambda: zip_prep(found, tmp_path / "prep.zip")):
        with pytest.raises(DatasetError, match="cannot be written: No such file") as failure:
            act()
        assert missing in str(failure.value)
    assert [path.name for path in tmp_path.iterdir()] == ["MURA-v1.1"]


def test_write_prep_other_modes_are_refused(drawn, tmp_path):
    """A file is copied or linked."""
    with pytest.raises(DatasetError, match=r"how must be copy or link. Received: move"):
        write_prep(scan(drawn), tmp_path / "prep", "move")


def test_write_prep_keeps_studies_apart_and_whole(tmp_path):
    """The same number of another body part is another study; a study with one relabeled image stays one."""
    for part in ("XR_HAND", "XR_HUMERUS"):
        root = draw_mura(tmp_path / "MURA-v1.1", 6, 4, body_part=part)
    table = scan(root).table
    several = table[table["label"] == 1].groupby("study")["image_id"].filter(lambda images: len(images) > 1)
    decide(root, several.iloc[:1], "negative")
    found = apply_decisions(scan(root))
    write_prep(found, tmp_path / "prep")
    again = scan(tmp_path / "prep")
    assert told(again) == told(found)
    assert sorted(again.table.groupby("study").size()) == sorted(found.table.groupby("study").size())
    assert sorted(again.table.groupby("group").size()) == sorted(found.table.groupby("group").size())


def test_write_prep_into_its_own_source_is_refused(tmp_path):
    """Neither directly nor by way of a link: the data set would hold each image twice."""
    root = draw_mura(tmp_path / "MURA-v1.1", 2, 2)
    (tmp_path / "link").symlink_to(root)
    for out in (root / "prep", tmp_path / "link" / "deep" / "prep"):
        with pytest.raises(DatasetError, match="must not lie in the data set itself"):
            write_prep(scan(root), out)
    assert sorted(path.name for path in root.iterdir()) == ["train", "valid"]


def test_zip_prep_of_files_before_1980_works(tmp_path):
    """A zip holds no time before 1980."""
    root = draw_mura(tmp_path / "MURA-v1.1", 2, 2)
    os.utime(next(root.rglob("*.png")), (0, 0))
    zip_prep(scan(root), tmp_path / "prep.zip")
    assert zipfile.is_zipfile(tmp_path / "prep.zip")


def test_write_prep_removes_the_rest_of_a_killed_export(drawn, tmp_path):
    """Once it is a day old: a younger one may still be at work."""
    for name in ("killed", "at-work"):
        (tmp_path / f".fracture-prep-{name}" / "prep").mkdir(parents=True)
    os.utime(tmp_path / ".fracture-prep-killed", (1e9, 1e9))
    write_prep(scan(drawn), tmp_path / "prep")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fracture-prep-at-work", "prep"]
