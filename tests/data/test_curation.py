"""Decisions about single images, beside the data."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from fracture.data import curation
from fracture.data.curation import curate, decide, decided, last_decision, merge, read_decisions, undo
from fracture.data.dataset import scan
from fracture.errors import DatasetError
from tests.drawing import draw_mura


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
    result = curate(found)
    assert (result.excluded, result.relabelled) == (0, 0)
    pd.testing.assert_frame_equal(result.table, found.table)


def test_what_is_excluded_is_gone_and_what_is_relabelled_has_its_new_label(root, ids):
    """The files stay what they were."""
    found = scan(root)
    positive = found.table.loc[found.table["label"] == 1, "image_id"].iloc[0]
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    decide(root, ids[:2], "exclude", "only the hand is seen")
    decide(root, [positive], "negative")
    result = curate(found)
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
    result = curate(found)
    assert result.relabelled == 0
    pd.testing.assert_frame_equal(result.table, found.table)


def test_the_last_decision_counts(root, ids):
    """An image can be decided about again."""
    decide(root, ids[:2], "exclude")
    decide(root, ids[1:2], "keep")
    assert holding(root) == {ids[0]: "exclude", ids[1]: "keep"}
    assert curate(scan(root)).excluded == 1


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
        ("\x00\xff", "cannot be read|must have the columns"),
    ],
)
def test_what_cannot_be_understood_is_said_and_left_alone(root, text, said):
    """A decision that is overlooked is worse than none."""
    file = root / "curation.csv"
    file.write_text(text, encoding="latin-1")
    for act in (lambda: curate(scan(root)), lambda: decide(root, ["x.png"], "exclude"), lambda: undo(root, "")):
        with pytest.raises(DatasetError, match=said):
            act()
    assert file.read_text(encoding="latin-1") == text


def test_an_empty_file_decides_nothing(root):
    """As a spreadsheet may leave it behind."""
    (root / "curation.csv").write_text("")
    assert curate(scan(root)).excluded == 0


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

    monkeypatch.setattr(curation, "write_beside", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
        decide(root, ids[1:2], "exclude")
    assert holding(root) == {ids[0]: "exclude"}
