"""What people have decided about single images: to leave one out, or that its label is another.

The decisions lie in ``curation.csv`` in the folder of the data set; images are never changed, moved or deleted. A line
is one decision on one image, and the last one counts::

    time,image_id,decision,reason
    2026-11-23T09:15:02.311Z,train/XR_HUMERUS/patient00012/study1_positive/image2.png,exclude,only the hand is seen
    2026-11-23T09:16:40.029Z,train/XR_HUMERUS/patient00031/study1_negative/image1.png,positive,plate at lower edge

``decision`` is ``exclude``, ``negative`` (label 0), ``positive`` (label 1) or ``keep``, as it is in the data. The
files of two people are combined by :func:`merge`, or by putting the lines of one under the other's.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pandas as pd
from filelock import FileLock, Timeout
from pandas.errors import EmptyDataError

from fracture.data.dataset import Dataset
from fracture.errors import DatasetError
from fracture.files import write_beside

FILE = "curation.csv"
COLUMNS = ["time", "image_id", "decision", "reason"]
LABELS = {"negative": 0, "positive": 1}
DECISIONS = ("exclude", *LABELS, "keep")

MOST_REASON = 200
"""Characters of a reason."""

_TIME = "%Y-%m-%dT%H:%M:%S.%f"


def read_decisions(root: Path) -> pd.DataFrame:
    """Every decision that was made, in the order of time, with :data:`COLUMNS`; no row where there is no file.

    Raises DatasetError for a file that cannot be understood whole: a decision that is overlooked is worse than none.
    """
    return _parse(root / FILE) if (root / FILE).exists() else pd.DataFrame(columns=COLUMNS, dtype=str)


def decided(root: Path) -> pd.DataFrame:
    """The decisions that hold, a row an image, by ``image_id``: ``time``, ``decision`` and ``reason``."""
    return _holding(read_decisions(root))


def decide(root: Path, image_ids: Iterable[str], decision: str, reason: str = "") -> None:
    """Decide the same about images, now.

    ``decision``: one of :data:`DECISIONS`. ``reason``: in one line, at most 200 characters. Raises DatasetError for
    another decision or a longer reason, and where the file cannot be read or written.
    """
    if decision not in DECISIONS:
        raise DatasetError(f"decision must be {', '.join(DECISIONS)}. Received: {decision}")
    words = " ".join(reason.split())
    if len(words) > MOST_REASON:
        raise DatasetError(f"A reason has at most {MOST_REASON} characters. Received: {len(words)}")
    with _alone(root):
        before = read_decisions(root)
        time = _later(before["time"].iloc[-1] if len(before) else "")
        new = {"time": time, "image_id": list(dict.fromkeys(image_ids)), "decision": decision, "reason": words}
        _write(root, pd.concat([before, pd.DataFrame(new)], ignore_index=True))


class Last(NamedTuple):
    """The decision that was made last, and on how many images."""

    time: str
    decision: str
    images: int


def last_decision(root: Path) -> Last | None:
    """What there is to be taken back; None where there is nothing."""
    decisions = read_decisions(root)
    if decisions.empty:
        return None
    time, decision = decisions[["time", "decision"]].iloc[-1]
    return Last(time, decision, int((decisions["time"] == time).sum()))


def undo(root: Path, time: str) -> None:
    """Take back what was decided at a time, on all images: what held before holds again.

    The time says which decision is meant: in a class, somebody else may have made another one since.
    """
    with _alone(root):
        decisions = read_decisions(root)
        _write(root, decisions[decisions["time"] != time])


def merge(root: Path, other: Path | BinaryIO) -> int:
    """Add the decisions of another file to a data set's; how many were new. Of two about one image, the later counts.

    ``other``: its path, or the open file, such as an upload.

    Raises DatasetError where either cannot be understood, or the data set's not written.
    """
    theirs = _parse(other)
    with _alone(root):
        before = read_decisions(root)
        both = _in_order(pd.concat([before, theirs]))
        _write(root, both)
    return len(both) - len(before)


def curate(dataset: Dataset) -> Dataset:
    """A data set without what was excluded and with labels as they were decided, and how many images that concerns.

    An image with a new label has no boxes, mask and findings: they tell of the old one. Decisions about images that are
    not in the table have no effect. Raises DatasetError where ``curation.csv`` cannot be understood.
    """
    table = dataset.table
    decision = table["image_id"].map(decided(dataset.root)["decision"].to_dict())
    label = decision.map(LABELS).fillna(table["label"]).astype("int64")
    changed, excluded = label != table["label"], decision == "exclude"
    known = {name: table[name].mask(changed, "") for name in ("boxes", "mask", "findings")}
    kept = table.assign(label=label, **known)[~excluded].reset_index(drop=True)
    return replace(dataset, table=kept, excluded=int(excluded.sum()), relabelled=int(changed.sum()))


def _holding(decisions: pd.DataFrame) -> pd.DataFrame:
    return decisions.drop_duplicates("image_id", keep="last").set_index("image_id")


def _in_order(decisions: pd.DataFrame) -> pd.DataFrame:
    """By time; of those of one moment, the order is the same whichever file was read first."""
    return decisions.drop_duplicates().sort_values(["time", "image_id", "decision"], ignore_index=True)


def _later(last: str) -> str:
    """Now; or, where a clock was set back in between, just after the last decision, so that the new one counts."""
    now = datetime.now(UTC)
    if last:
        now = max(now, datetime.fromisoformat(last) + timedelta(milliseconds=1))
    return now.strftime(_TIME)[:-3] + "Z"


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else writes meanwhile; what the disk refuses is a DatasetError."""
    try:
        with FileLock(root / f".{FILE}.lock", timeout=10):
            yield
    except Timeout as error:
        raise DatasetError(f"{root / FILE} is being written to by someone else. Try again.") from error
    except OSError as error:
        raise DatasetError(
            f"{root / FILE} cannot be written: {error.strerror or error}. Decisions are kept beside the data; "
            "a copy of the data set in a folder that can be written to can be curated."
        ) from error


def _write(root: Path, decisions: pd.DataFrame) -> None:
    write_beside(root / FILE, lambda part: decisions.to_csv(part, index=False))


def _parse(source: Path | BinaryIO) -> pd.DataFrame:
    file = source if isinstance(source, Path) else getattr(source, "name", "The file")
    try:
        lines = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except EmptyDataError:
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    if not set(COLUMNS) <= set(lines):
        received = ", ".join(map(str, lines.columns))
        raise DatasetError(f"{file} must have the columns {', '.join(COLUMNS)}. Received: {received}")
    lines = lines.loc[lines["time"] != "time", COLUMNS]  # one file put under another brings its header along
    time = pd.to_datetime(lines["time"], utc=True, format="ISO8601", errors="coerce")
    wrong = time.isna() | ~lines["decision"].isin(DECISIONS) | (lines["image_id"] == "")
    if wrong.any():
        line, shown = lines.index[wrong][0], ",".join(lines[wrong].iloc[0])[:120]
        raise DatasetError(
            f"Every line of {file} must have a time, an image_id and a decision ({', '.join(DECISIONS)}). "
            f"Received in line {int(line) + 2}: {shown}; put that line right or delete it."
        )
    return _in_order(lines.assign(time=time.dt.strftime(_TIME).str[:-3] + "Z"))
