"""Class folders made from a data set, as they are read back."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fracture.data.curation import curate, decide
from fracture.data.dataset import scan
from fracture.data.prep import places, write_prep, zip_prep
from fracture.errors import DatasetError
from tests.drawing import draw_mura


def told(dataset):
    """What must survive, whatever the images are called."""
    table = dataset.table
    study = table["patient"] + " " + table["study"].str.extract(r"(study\d+)", expand=False)
    rows = zip(table["split"], table["label"], table["patient"], study, table["body_part"], strict=True)
    return sorted(rows)


@pytest.mark.parametrize("how", ["copy", "link"])
def test_it_reads_back_as_the_same_data_set(drawn, tmp_path, how):
    """Parts, labels, patients and studies, byte for byte."""
    found, said = scan(drawn), []
    write_prep(found, tmp_path / "prep", how, lambda *done: said.append(done))
    again = scan(tmp_path / "prep")
    assert told(again) == told(found) and again.label_names == ("negative", "positive")
    assert said[-1] == (len(found.table), len(found.table))
    for source, place in zip(found.table["path"], places(found.table), strict=True):
        file = tmp_path / "prep" / place
        assert file.read_bytes() == Path(source).read_bytes() and file.samefile(source) == (how == "link")


def test_decisions_are_in_it(tmp_path):
    """What was excluded is not there; what was relabelled lies in the other folder, and still says where it was."""
    root = draw_mura(tmp_path / "MURA-v1.1")
    table = scan(root).table
    positive = table.loc[table["label"] == 1, "image_id"].iloc[0]
    decide(root, [table["image_id"].iloc[0]], "exclude")
    decide(root, [positive], "negative")
    write_prep(curate(scan(root)), tmp_path / "prep")
    names = [path.relative_to(tmp_path / "prep").as_posix() for path in (tmp_path / "prep").rglob("*.png")]
    assert len(names) == len(table) - 1
    assert "train/negative/" + positive.replace("/", "_") in names
    assert not any(name.endswith(table["image_id"].iloc[0].replace("/", "_")) for name in names)


def test_a_zip_holds_the_same(drawn, tmp_path):
    """One folder, prep, and in it what the folder would have."""
    found = scan(drawn)
    zip_prep(found, tmp_path / "new" / "prep.zip")
    with zipfile.ZipFile(tmp_path / "new" / "prep.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted("prep/" + places(found.table))


def test_no_two_images_get_one_name():
    """Where paths differ only in what separates their parts."""
    table = pd.DataFrame({"image_id": ["a/b_c.png", "a_b/c.png", "a/b/c.png"], "split": "train", "label": 1})
    assert places(table).nunique() == 3


def test_what_is_there_is_left_alone(drawn, tmp_path):
    """A folder with something in it is refused, and nothing is left beside it."""
    (tmp_path / "prep").mkdir()
    (tmp_path / "prep" / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="must be empty, or not there yet"):
        write_prep(scan(drawn), tmp_path / "prep")
    assert [path.name for path in tmp_path.iterdir()] == ["prep"]
    with pytest.raises(DatasetError, match="must not be there yet"):
        zip_prep(scan(drawn), tmp_path / "prep")


def test_a_missing_image_leaves_nothing_half_done(tmp_path):
    """It is all there or not there."""
    found = scan(draw_mura(tmp_path / "MURA-v1.1"))
    missing = found.table["path"].iloc[-1]
    (tmp_path / "MURA-v1.1" / found.table["image_id"].iloc[-1]).unlink()
    for act in (lambda: write_prep(found, tmp_path / "prep"), lambda: zip_prep(found, tmp_path / "prep.zip")):
        with pytest.raises(DatasetError, match="cannot be made: No such file") as failure:
            act()
        assert missing in str(failure.value)
    assert [path.name for path in tmp_path.iterdir()] == ["MURA-v1.1"]


def test_other_ways_are_refused(drawn, tmp_path):
    """A file is copied or linked."""
    with pytest.raises(DatasetError, match=r"how must be copy or link. Received: move"):
        write_prep(scan(drawn), tmp_path / "prep", "move")
