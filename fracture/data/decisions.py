"""What people have decided about single images: to leave one out, or that its label is another.

The decisions lie in ``curation.csv`` in the folder of the data set; images are never changed, moved or deleted. A line
is one decision on one image, and the last one counts::

    time,image_id,decision,reason
    2026-11-23T09:15:02.311Z,train/XR_HUMERUS/patient00012/study1_positive/image2.png,exclude,only the hand is seen
    2026-11-23T09:16:40.029Z,train/XR_HUMERUS/patient00031/study1_negative/image1.png,positive,plate at lower edge

``decision`` is ``exclude``, ``negative`` (label 0), ``positive`` (label 1) or ``keep``, as it is in the data. The
files of two people are combined by :func:`merge`, or by putting the lines of one under the other's.

A tree can be opened at any of its levels, and what was decided at one holds at those below it: where
``MURA-v1.1/train`` is opened, the decisions in ``MURA-v1.1/curation.csv`` about images in ``train`` are heeded, and of
all about one image the last one counts, in whichever file it is. What is decided is written into the folder that was
opened.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pandas as pd
from filelock import FileLock, Timeout

from fracture import demo
from fracture.data.dataset import Dataset
from fracture.data.layouts import levels
from fracture.errors import DatasetError
from fracture.files import atomic_write
from fracture.paths import sanitize_name

FILE = "curation.csv"
COLUMNS = ["time", "image_id", "decision", "reason"]
LABELS = {"negative": 0, "positive": 1}
DECISIONS = ("exclude", *LABELS, "keep")

MOST_REASON = 200
"""Characters of a reason."""

MOST_LINES = 50_000
"""Of a colleague's file; MURA has 40,561 images."""

MOST_LINE = 10_000
"""Characters of a line: a path, a reason, and what other columns say."""

YEARS = (1970, 2999)
"""First and last year of a time. Clocks that are wrong stay within, and so does the millisecond after a decision."""

_TIME = "%Y-%m-%dT%H:%M:%S.%f"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_UNWRITABLE = re.compile("[\0\r\n\ud800-\udfff]")


def read_decisions(root: Path) -> pd.DataFrame:
    """Every decision in a folder's own file, in the order of time, with :data:`COLUMNS`; no row where there is none.

    Raises DatasetError for a file that cannot be understood whole: a decision that is overlooked is worse than none.
    """
    return _parse(root / FILE) if (root / FILE).exists() else pd.DataFrame(columns=COLUMNS, dtype=str)


def decided(root: Path) -> pd.DataFrame:
    """The decisions that hold, a row an image, by ``image_id``: ``time``, ``decision`` and ``reason``.

    Heeded are those of a folder and of the levels above it that it is a part of.
    """
    return _holding(_in_order(pd.concat([_of_images_in(root, level) for level in levels(root)])))


def decide(root: Path, image_ids: Iterable[str], decision: str, reason: str = "") -> None:
    """Decide the same about images, now.

    ``decision``: one of :data:`DECISIONS`. ``reason``: in one line, at most 200 characters. Raises DatasetError for
    another decision or a longer reason, for a name that no line can hold, and where the file cannot be read or written.
    """
    if decision not in DECISIONS:
        raise DatasetError(f"decision must be {', '.join(DECISIONS)}. Received: {decision}")
    words = " ".join(reason.split())
    if len(words) > MOST_REASON:
        raise DatasetError(f"A reason has at most {MOST_REASON} characters. Received: {len(words)}")
    images = list(dict.fromkeys(image_ids))
    if odd := next((text for text in (*images, words) if _UNWRITABLE.search(text)), None):
        raise DatasetError(f"What is decided must fit into a line of text, name and reason. Received: {odd!a}")
    with _alone(root):
        before = read_decisions(root)
        time = _later(max(decided(root)["time"].tolist(), default=""))
        new = {"time": time, "image_id": images, "decision": decision, "reason": words}
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


def apply_decisions(dataset: Dataset) -> Dataset:
    """A data set without what was excluded and with labels as they were decided, and how many images that concerns.

    An image with a new label has no boxes, mask and findings: they tell of the old one. Decisions about images that are
    not in the table have no effect.

    Raises DatasetError where ``curation.csv`` cannot be understood, or leaves no image.
    """
    table = dataset.table
    decision = table["image_id"].map(decided(dataset.root)["decision"].to_dict())
    label = decision.map(LABELS).fillna(table["label"]).astype("int64")
    changed, excluded = label != table["label"], decision == "exclude"
    if len(table) and excluded.all():
        raise DatasetError(
            f"At least one image of {dataset.root} must be left. Received: all {len(table):,} are excluded by "
            f"decision; take some back, or delete their lines in {FILE}."
        )
    known = {name: table[name].mask(changed, "") for name in ("boxes", "mask", "findings")}
    kept = table.assign(label=label, **known)[~excluded].reset_index(drop=True)
    return replace(dataset, table=kept, excluded=int(excluded.sum()), relabelled=int(changed.sum()))


def _of_images_in(root: Path, level: Path) -> pd.DataFrame:
    """The decisions that lie at a level at or above a folder, of the images in it, under the names they have there."""
    made = read_decisions(level)
    above = "".join(f"{name}/" for name in root.relative_to(level).parts)
    made = made[made["image_id"].str.startswith(above)]
    return made.assign(image_id=made["image_id"].str.removeprefix(above))


def _holding(decisions: pd.DataFrame) -> pd.DataFrame:
    return decisions.drop_duplicates("image_id", keep="last").set_index("image_id")


def _in_order(decisions: pd.DataFrame) -> pd.DataFrame:
    """By time; of those of one moment, the order is the same whichever file was read first."""
    return decisions.drop_duplicates().sort_values(COLUMNS, ignore_index=True)


def _later(last: str) -> str:
    """Now; or, where a clock was set back in between, just after the last decision, so that the new one counts."""
    now = datetime.now(UTC)
    if last:
        now = max(now, datetime.fromisoformat(last) + timedelta(milliseconds=1))
    return now.strftime(_TIME)[:-3] + "Z"


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else writes meanwhile; what the disk refuses is a DatasetError. In a public demo nobody writes at all."""
    demo.refuse("decisions")
    if not root.is_dir():  # the lock would make it anew
        raise DatasetError(
            f"There is no folder {root} any more, in which decisions could be kept; read the data again."
        )
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
    atomic_write(root / FILE, lambda part: decisions.to_csv(part, index=False))


def _parse(source: Path | BinaryIO) -> pd.DataFrame:
    file = source if isinstance(source, Path) else sanitize_name(str(getattr(source, "name", "The file")))
    try:
        text = (source.read_bytes() if isinstance(source, Path) else source.read()).decode()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    many = max(text.count("\n"), text.count("\r"))
    if many > MOST_LINES and not isinstance(source, Path):
        raise DatasetError(f"{file} may have {MOST_LINES:,} lines. Received: {many:,}; leave some out.")
    numbers, lines = _lines(text, str(file))
    made = pd.DataFrame(lines, columns=COLUMNS, dtype=str)
    time = pd.to_datetime(made["time"], utc=True, format="ISO8601", errors="coerce")
    wrong = ~time.dt.year.between(*YEARS) | ~made["decision"].isin(DECISIONS) | (made["image_id"] == "")
    if wrong.any():
        raise _wrong(str(file), numbers[int(wrong.argmax())], ",".join(made[wrong].iloc[0]))
    return _in_order(made.assign(time=time.dt.strftime(_TIME).str[:-3] + "Z"))


def _lines(text: str, file: str) -> tuple[list[int], list[list[str]]]:
    """The number of each line that holds a decision, and its :data:`COLUMNS`.

    Each line is read by itself, so that a quote that is not closed swallows no other. A file that was put under another
    brings its header along, and the mark that some editors begin a file with; blank lines and columns are Excel's.
    """
    header: list[str] = []
    numbers, found = [], []
    for number, line in enumerate(_NEWLINE.split(text), start=1):
        cells = _cells(line.removeprefix("\ufeff"), number, file)
        if set(COLUMNS) <= set(cells):
            header = cells
        elif cells and not header:
            raise DatasetError(
                f"{file} must have the columns {', '.join(COLUMNS)}. Received: {sanitize_name(', '.join(cells))}"
            )
        elif len(cells) > len(header):  # a comma in a reason, and no quotes around it
            raise _wrong(file, number, line)
        elif cells:
            by_column = dict(zip(header, cells, strict=False))
            numbers.append(number)
            found.append([by_column.get(name, "") for name in COLUMNS])
    return numbers, found


def _cells(line: str, number: int, file: str) -> list[str]:
    """The cells of a line up to the last that holds something."""
    if len(line) > MOST_LINE:
        raise _wrong(file, number, line)
    try:
        cells = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise _wrong(file, number, line) from error
    return cells[: max((place for place, cell in enumerate(cells, start=1) if cell), default=0)]


def _wrong(file: str, number: int, line: str) -> DatasetError:
    return DatasetError(
        f"Every line of {file} must have a time (of {YEARS[0]} to {YEARS[1]}), an image_id and a decision "
        f"({', '.join(DECISIONS)}), with quotes around what holds a comma. "
        f"Received in line {number}: {sanitize_name(line)}; put that line right or delete it."
    )
