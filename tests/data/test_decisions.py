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


def test_what_nobody_decided_about_is_as_it_is(root):
    """Without a file, nothing is left out and no label is another."""
    found = scan(root)
    result = apply_decisions(found)
    assert (result.excluded, result.relabelled) == (0, 0)
    pd.testing.assert_frame_equal(result.table, found.table)


def test_what_is_excluded_is_gone_and_what_is_relabelled_has_its_new_label(root, ids):
    """The files stay what they were."""
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


def test_a_label_that_is_confirmed_changes_nothing(root):
    """To decide for the label that the image has is no new label, and keeps what is known of it."""
    found = scan(root)
    row = found.table[found.table["label"] == 1].iloc[0]
    decide(root, [row["image_id"]], "positive")
    result = apply_decisions(found)
    assert result.relabelled == 0
    pd.testing.assert_frame_equal(result.table, found.table)


def test_the_last_decision_counts(root, ids):
    """An image can be decided about again."""
    decide(root, ids[:2], "exclude")
    decide(root, ids[1:2], "keep")
    assert holding(root) == {ids[0]: "exclude", ids[1]: "keep"}
    assert apply_decisions(scan(root)).excluded == 1


def test_each_undo_goes_one_step_back(root, ids):
    """On all images that were decided about together."""
    decide(root, ids[:1], "positive")
    decide(root, ids[:3], "exclude")
    assert last_decision(root)[1:] == ("exclude", 3)
    undo(root, last_decision(root).time)
    assert holding(root) == {ids[0]: "positive"}
    undo(root, last_decision(root).time)
    assert holding(root) == {} and last_decision(root) is None


def test_only_what_is_meant_is_taken_back(root, ids):
    """What somebody else has decided in between stays."""
    decide(root, ids[:2], "exclude")
    mine = last_decision(root)
    decide(root, ids[2:3], "positive")
    undo(root, mine.time)
    assert holding(root) == {ids[2]: "positive"}


def test_a_decision_is_a_line_that_people_can_read(root, ids):
    """Time, image, decision and reason, the reason in one line."""
    decide(root, ids[:1], "exclude", "a cast,\n hides the bone ")
    lines = (root / "curation.csv").read_text().splitlines()
    assert lines[0] == "time,image_id,decision,reason" and len(lines) == 2
    assert lines[1].endswith(f'Z,{ids[0]},exclude,"a cast, hides the bone"')


def test_two_peoples_files_become_one(root, ids, tmp_path):
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


def test_a_clock_set_back_does_not_hide_a_decision(root, ids, monkeypatch):
    """The new decision counts, even if the old one lies in the future."""
    (root / "curation.csv").write_text(f"time,image_id,decision,reason\n2999-01-01T00:00:00Z,{ids[0]},exclude,\n")
    decide(root, ids[:1], "keep")
    assert holding(root) == {ids[0]: "keep"}


def test_times_are_compared_whatever_their_zone(root, ids):
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
def test_what_cannot_be_understood_is_said_and_left_alone(root, text, said):
    """A decision that is overlooked is worse than none."""
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


def test_an_empty_file_decides_nothing(root):
    """As a spreadsheet may leave it behind."""
    (root / "curation.csv").write_text("")
    assert apply_decisions(scan(root)).excluded == 0


def test_what_may_be_decided(root, ids):
    """Other words and long stories are refused."""
    with pytest.raises(DatasetError, match=r"decision must be exclude, negative, positive, keep. Received: delete"):
        decide(root, ids[:1], "delete")
    with pytest.raises(DatasetError, match=r"at most 200 characters. Received: 201"):
        decide(root, ids[:1], "keep", "x" * 201)


def test_a_disk_that_refuses_is_an_answer(root, ids, monkeypatch):
    """What was decided before stays."""
    decide(root, ids[:1], "exclude")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decisions, "atomic_write", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
        decide(root, ids[1:2], "exclude")
    assert holding(root) == {ids[0]: "exclude"}


@pytest.mark.parametrize("level", ["train", "train/XR_HUMERUS", "train/XR_HUMERUS/patient00002"])
def test_decisions_hold_at_every_level_below(root, ids, level):
    """Where a tree is opened at a level of its own, what was decided above is heeded under the names of that level."""
    chosen = [name for name in ids if name.startswith(f"{level}/")][:2]
    decide(root, chosen, "exclude", "dark")
    assert holding(root / level) == {name.removeprefix(f"{level}/"): "exclude" for name in chosen}
    assert apply_decisions(scan(root / level)).excluded == 2
    assert last_decision(root / level) is None and read_decisions(root / level).empty


def test_the_last_decision_counts_in_whichever_file_it_is(root, ids):
    """Each is written where it was made, also after one that lies in the future."""
    name = next(each for each in ids if each.startswith("train/")).removeprefix("train/")
    decide(root / "train", [name], "positive")
    assert holding(root / "train") == {name: "positive"} and holding(root) == {}
    (root / "curation.csv").write_text(f"{HEADER}2999-01-01T00:00:00Z,train/{name},exclude,\n")
    assert holding(root / "train") == {name: "exclude"}
    decide(root / "train", [name], "keep")
    assert holding(root / "train") == {name: "keep"}
    undo(root / "train", last_decision(root / "train").time)
    assert holding(root / "train") == {name: "exclude"}


def test_what_lies_above_the_tree_is_none_of_its(root, ids):
    """A file of another one's in a folder above is not read."""
    (root.parent / "curation.csv").write_text("something else")
    assert holding(root / "train") == {}


def test_spreadsheets_and_editors_leave_their_marks(root):
    """Commas at the ends of all lines, blank lines, and the marks of two files one under the other."""
    lines = [f"\ufeff{HEADER.strip()},", f"{T}a.png,exclude,dark,", ",,,,", "", f"\ufeff{HEADER.strip()}"]
    (root / "curation.csv").write_text("\r\n".join([*lines, f'{T}b.png,keep,"dark, blurred"', f"{T}c.png,keep"]))
    assert decided(root)["reason"].to_dict() == {"a.png": "dark", "b.png": "dark, blurred", "c.png": ""}


def test_of_two_files_it_does_not_matter_which_is_read_first(root, tmp_path):
    """Not even where two say the same of one image at the same time, for other reasons."""
    other = draw_mura(tmp_path / "other")
    for folder, reasons in ((root, "ba"), (other, "cab")):
        text = HEADER + "".join(f"{T}a.png,exclude,{reason}\n" for reason in reasons)
        (folder / "curation.csv").write_text(text)
    (tmp_path / "mine.csv").write_bytes((root / "curation.csv").read_bytes())
    merge(root, other / "curation.csv")
    merge(other, tmp_path / "mine.csv")
    assert (root / "curation.csv").read_text() == (other / "curation.csv").read_text()


@pytest.mark.parametrize("name", ["a\rb.png", "a\nb.png", "a\0b.png", os.fsdecode(b"a\xffb.png")])
def test_a_name_that_no_line_can_hold_is_refused(root, name):
    """Rather than written so that the file cannot be read again."""
    with pytest.raises(DatasetError, match="must fit into a line of text"):
        decide(root, ["a.png", name], "exclude")
    assert read_decisions(root).empty


def test_a_folder_that_is_gone_stays_gone(root, tmp_path):
    """It is said, and not made anew for the decisions alone."""
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


def test_something_must_be_left(root, ids):
    """A data set of which all is excluded is none that anything can be made of."""
    decide(root, ids, "exclude")
    with pytest.raises(
        DatasetError, match=f"At least one image .* must be left. Received: all {len(ids)} are excluded"
    ):
        apply_decisions(scan(root))
