"""Decisions about single images, beside the data."""

import os
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest

from fracture.data import decisions
from fracture.data.dataset import scan
from fracture.data.decisions import apply_decisions, decide, decided, last_decision, merge, read_decisions, undo
from fracture.errors import DatasetError
from tests.support.drawing import draw_mura

HEADER = "time,image_id,decision,reason\n"
T = "2026-01-01T00:00:00.000Z,"


@pytest.fixture
def root(tmp_path):
    return draw_mura(tmp_path / "MURA-v1.1", truth=True)


@pytest.fixture
def ids(root):
    return list(scan(root).table["image_id"])


def holding(root):
    return decided(root)["decision"].to_dict()


def test_apply_decisions_without_a_file_changes_nothing(root):
    """Without a file, no image is excluded and no label is changed."""
    found = scan(root)
    result = apply_decisions(found)
    assert (result.excluded, result.relabelled) == (0, 0)
    pd.testing.assert_frame_equal(result.table, found.table)


def test_apply_decisions_excludes_and_relabels(root, ids):
    """Images are left out or get another label; their files stay as they are."""
    found = scan(root)
    positive = found.table.loc[found.table["label"] == 1, "image_id"].iloc[0]
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    decide(root, ids[:2], "exclude", "only the hand is seen")
    decide(root, [positive], "negative")
    result = apply_decisions(found)
    table = result.table.set_index("image_id")
    assert (result.excluded, result.relabelled) == (2, 1)
    assert not set(ids[:2]) & set(table.index) and len(table) == len(ids) - 2
    assert table.loc[positive, "label"] == 0 and table.loc[positive, "boxes"] == ""
    assert {path: path.read_bytes() for path in root.rglob("*.png")} == before


def test_apply_decisions_of_the_same_label_changes_nothing(root):
    """A decision for the label that the image has keeps its boxes and findings."""
    found = scan(root)
    row = found.table[found.table["label"] == 1].iloc[0]
    decide(root, [row["image_id"]], "positive")
    result = apply_decisions(found)
    assert result.relabelled == 0
    pd.testing.assert_frame_equal(result.table, found.table)


def test_decided_latest_decision_wins(root, ids):
    """An image can be decided about again."""
    decide(root, ids[:2], "exclude")
    decide(root, ids[1:2], "keep")
    assert holding(root) == {ids[0]: "exclude", ids[1]: "keep"}
    assert apply_decisions(scan(root)).excluded == 1


def test_undo_removes_one_decision_on_all_its_images(root, ids):
    """Each undo takes back the last decision, with all images that it was about."""
    decide(root, ids[:1], "positive")
    decide(root, ids[:3], "exclude")
    assert last_decision(root)[1:] == ("exclude", 3)
    undo(root, last_decision(root).time)
    assert holding(root) == {ids[0]: "positive"}
    undo(root, last_decision(root).time)
    assert holding(root) == {} and last_decision(root) is None


def test_undo_keeps_the_decisions_of_others(root, ids):
    """What somebody else has decided in between stays."""
    decide(root, ids[:2], "exclude")
    mine = last_decision(root)
    decide(root, ids[2:3], "positive")
    undo(root, mine.time)
    assert holding(root) == {ids[2]: "positive"}


def test_decide_writes_a_readable_line(root, ids):
    """Time, image, decision and reason, the reason in one line."""
    decide(root, ids[:1], "exclude", "a cast,\n hides the bone ")
    lines = (root / "curation.csv").read_text().splitlines()
    assert lines[0] == "time,image_id,decision,reason" and len(lines) == 2
    assert lines[1].endswith(f'Z,{ids[0]},exclude,"a cast, hides the bone"')


def test_merge_of_two_files_holds_both(root, ids, tmp_path):
    """Whichever is read first, and however often; a file put under another is read as well."""
    decide(root, ids[:1], "exclude", "mine")
    theirs = draw_mura(tmp_path / "theirs")
    decide(theirs, ids[:2], "positive", "theirs")
    other = theirs / "curation.csv"
    one_below_the_other = other.read_text() + (root / "curation.csv").read_text()
    assert merge(root, other) == 2 and merge(root, other) == 0
    assert holding(root) == {ids[0]: "positive", ids[1]: "positive"}
    other.write_text(one_below_the_other)
    pd.testing.assert_frame_equal(read_decisions(theirs), read_decisions(root))


def test_decide_after_a_clock_was_set_back_wins(root, ids, monkeypatch):
    """The new decision counts, even if the old one lies in the future."""
    (root / "curation.csv").write_text(f"time,image_id,decision,reason\n2999-01-01T00:00:00Z,{ids[0]},exclude,\n")
    decide(root, ids[:1], "keep")
    assert holding(root) == {ids[0]: "keep"}


def test_decided_compares_times_of_any_zone(root, ids):
    """A file that was edited by hand may have other times."""
    now = datetime.now(UTC).isoformat()
    (root / "curation.csv").write_text(
        f"time,image_id,decision,reason\n{now},{ids[0]},keep,\n2020-01-01T09:00:00+02:00,{ids[0]},exclude,\n"
    )
    assert holding(root) == {ids[0]: "keep"}
    assert read_decisions(root)["time"].iloc[0] == "2020-01-01T07:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "must have the columns time, image_id, decision, reason. Received: a, b"),
        ("time,image_id,decision,reason\nyesterday,x.png,exclude,\n", "line 2: yesterday,x.png,exclude"),
        ("time,image_id,decision,reason\n2026-01-01T00:00:00Z,x.png,delete,\n", "line 2: .*delete"),
        ("time,image_id,decision,reason\n2026-01-01T00:00:00Z,,exclude,\n", "line 2"),
        ("time,image_id,decision,reason\n\n\n2026-01-01T00:00:00Z,x.png,delete,\n", "line 4"),
        (f'{HEADER}{T}a.png,exclude,"seen by A\n{T}b.png,keep,\n{T}c.png,keep,"dark"\n', "line 2: .*seen by A;"),
        (f"{HEADER}{T}a.png,exclude,dark, blurred\n", "quotes.*line 2: .*dark, blurred"),
        (f"{HEADER}9999-12-31T23:59:59.999Z,x.png,exclude,\n", "1970 to 2999.*line 2: 9999"),
        (f"{HEADER}0999-01-01T00:00:00Z,x.png,exclude,\n", "1970 to 2999.*line 2: 0999"),
        ("\x00\xff", "cannot be read|must have the columns"),
    ],
)
def test_read_decisions_damaged_line_is_refused(root, text, said):
    """A missed decision is worse than none, so the file is refused and left as it is."""
    file = root / "curation.csv"
    file.write_text(text, encoding="latin-1")
    for act in (
        lambda: apply_decisions(scan(root)),
        lambda: decide(root, ["x.png"], "exclude"),
        lambda: undo(root, ""),
    ):
        with pytest.raises(DatasetError, match=said):
            act()
    assert file.read_text(encoding="latin-1") == text


def test_read_decisions_empty_file_has_none(root):
    """A spreadsheet may leave an empty file."""
    (root / "curation.csv").write_text("")
    assert apply_decisions(scan(root)).excluded == 0


def test_decide_other_words_and_long_reasons_are_refused(root, ids):
    """Other words and long stories are refused."""
    with pytest.raises(DatasetError, match=r"decision must be exclude, negative, positive, keep. Received: delete"):
        decide(root, ids[:1], "delete")
    with pytest.raises(DatasetError, match=r"at most 200 characters. Received: 201"):
        decide(root, ids[:1], "keep", "x" * 201)


def test_decide_on_a_full_disk_keeps_the_decisions_before(root, ids, monkeypatch):
    """The error is a sentence, and the file stays as it was."""
    decide(root, ids[:1], "exclude")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decisions, "atomic_write", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
        decide(root, ids[1:2], "exclude")
    assert holding(root) == {ids[0]: "exclude"}


@pytest.mark.parametrize("level", ["train", "train/XR_HUMERUS", "train/XR_HUMERUS/patient00002"])
def test_decided_applies_decisions_of_the_levels_above(root, ids, level):
    """Where a tree is opened at a level of its own, decisions from above have the names of that level."""
    chosen = [name for name in ids if name.startswith(f"{level}/")][:2]
    decide(root, chosen, "exclude", "dark")
    assert holding(root / level) == {name.removeprefix(f"{level}/"): "exclude" for name in chosen}
    assert apply_decisions(scan(root / level)).excluded == 2
    assert last_decision(root / level) is None and read_decisions(root / level).empty


def test_decided_latest_decision_wins_across_files(root, ids):
    """Each is written into the folder that was opened, also after one with a time in the future."""
    name = next(each for each in ids if each.startswith("train/")).removeprefix("train/")
    decide(root / "train", [name], "positive")
    assert holding(root / "train") == {name: "positive"} and holding(root) == {}
    (root / "curation.csv").write_text(f"{HEADER}2999-01-01T00:00:00Z,train/{name},exclude,\n")
    assert holding(root / "train") == {name: "exclude"}
    decide(root / "train", [name], "keep")
    assert holding(root / "train") == {name: "keep"}
    undo(root / "train", last_decision(root / "train").time)
    assert holding(root / "train") == {name: "exclude"}


def test_decided_ignores_files_above_the_tree(root, ids):
    """A file in a folder above the tree belongs to something else."""
    (root.parent / "curation.csv").write_text("something else")
    assert holding(root / "train") == {}


def test_read_decisions_of_spreadsheets_and_editors_are_parsed(root):
    """Commas at the ends of all lines, blank lines, and byte order marks are accepted."""
    lines = [f"\ufeff{HEADER.strip()},", f"{T}a.png,exclude,dark,", ",,,,", "", f"\ufeff{HEADER.strip()}"]
    (root / "curation.csv").write_text("\r\n".join([*lines, f'{T}b.png,keep,"dark, blurred"', f"{T}c.png,keep"]))
    assert decided(root)["reason"].to_dict() == {"a.png": "dark", "b.png": "dark, blurred", "c.png": ""}


def test_merge_does_not_depend_on_the_order(root, tmp_path):
    """Not even where two people decide the same at the same time, with different reasons."""
    other = draw_mura(tmp_path / "other")
    for folder, reasons in ((root, "ba"), (other, "cab")):
        text = HEADER + "".join(f"{T}a.png,exclude,{reason}\n" for reason in reasons)
        (folder / "curation.csv").write_text(text)
    (tmp_path / "mine.csv").write_bytes((root / "curation.csv").read_bytes())
    merge(root, other / "curation.csv")
    merge(other, tmp_path / "mine.csv")
    assert (root / "curation.csv").read_text() == (other / "curation.csv").read_text()


@pytest.mark.parametrize("name", ["a\rb.png", "a\nb.png", "a\0b.png", os.fsdecode(b"a\xffb.png")])
def test_decide_name_that_no_line_can_hold_is_refused(root, name):
    """Rather than written so that the file cannot be read again."""
    with pytest.raises(DatasetError, match="must fit into a line of text"):
        decide(root, ["a.png", name], "exclude")
    assert read_decisions(root).empty


def test_decide_in_a_deleted_folder_is_refused(root, tmp_path):
    """The folder is not created for the decisions alone."""
    (tmp_path / "other.csv").write_text(HEADER)
    shutil.rmtree(root)
    for act in (
        lambda: decide(root, ["a.png"], "keep"),
        lambda: undo(root, ""),
        lambda: merge(root, tmp_path / "other.csv"),
    ):
        with pytest.raises(DatasetError, match="no folder"):
            act()
    assert not root.exists()


def test_apply_decisions_that_exclude_all_are_refused(root, ids):
    """A data set needs at least one image."""
    decide(root, ids, "exclude")
    with pytest.raises(
        DatasetError, match=f"At least one image .* must be left. Received: all {len(ids)} are excluded"
    ):
        apply_decisions(scan(root))
