"""Decisions about single images: to exclude one, or to give it another label.

Decisions are stored in ``curation.csv`` in the folder of the data set, and applied by :func:`apply_decisions`; images
are never changed, moved or deleted. A line is one decision on one image, and the latest wins::

    time,image_id,decision,reason
    2026-11-23T09:15:02.311Z,train/XR_HUMERUS/patient00012/study1_positive/image2.png,exclude,only the hand is seen
    2026-11-23T09:16:40.029Z,train/XR_HUMERUS/patient00031/study1_negative/image1.png,positive,plate at lower edge

``decision`` is ``exclude``, ``negative`` (label 0), ``positive`` (label 1) or ``keep``, which leaves the image as it is
in the data. The files of two people are combined by :func:`merge`, or by putting the lines of one under the other's.

A tree can be opened at any of its levels, and decisions at one level are applied at those below it: where
``MURA-v1.1/train`` is opened, so are the decisions in ``MURA-v1.1/curation.csv`` about images in ``train``. The latest
about an image wins, in whichever file it is. New decisions are written into the folder that was opened.
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

DECISIONS_FILE = "curation.csv"
DECISION_COLUMNS = ["time", "image_id", "decision", "reason"]
LABELS = {"negative": 0, "positive": 1}
DECISIONS = ("exclude", *LABELS, "keep")

MAX_REASON_CHARACTERS = 200

MAX_LINES = 50_000
"""Of another person's file; MURA has 40,561 images."""

MAX_LINE_CHARACTERS = 10_000
"""A path, a reason, and other columns."""

YEARS = (1970, 2999)
"""First and last year of a time. Clocks that are wrong stay within, and so does the millisecond after a decision."""

_TIME = "%Y-%m-%dT%H:%M:%S.%f"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_UNWRITABLE = re.compile("[\0\r\n\ud800-\udfff]")


def read_decisions(root: Path) -> pd.DataFrame:
    """Every decision in a folder's own file, in the order of time, with :data:`DECISION_COLUMNS`.

    Raises DatasetError for a file with any line that cannot be parsed: a missed decision is worse than none.
    """
    file = root / DECISIONS_FILE
    if not file.exists():
        return pd.DataFrame(columns=DECISION_COLUMNS, dtype=str)
    return _parse(file)


def decided(root: Path) -> pd.DataFrame:
    """The latest decision on each image, by ``image_id``: ``time``, ``decision`` and ``reason``.

    They come from the file of a folder, and from those of the levels above of which it is a part.
    """
    # By time and not by file: a decision at a level above may be the later one.
    every = _sort(pd.concat([_of_images_in(root, level) for level in levels(root)]))
    return every.drop_duplicates("image_id", keep="last").set_index("image_id")


def decide(root: Path, image_ids: Iterable[str], decision: str, reason: str = "") -> None:
    """Add the same decision about each of some images, at the present time.

    Args:
        root: the folder of the data set.
        image_ids: the images.
        decision: one of :data:`DECISIONS`.
        reason: in one line, at most 200 characters.

    Raises:
        DatasetError: another decision or a longer reason, a name that no line can hold, or a file that cannot be read
            or written.
        PublicError: this is the public demo.
    """
    if decision not in DECISIONS:
        raise DatasetError(f"decision must be {', '.join(DECISIONS)}. Received: {decision}")
    words = " ".join(reason.split())
    if len(words) > MAX_REASON_CHARACTERS:
        raise DatasetError(f"A reason has at most {MAX_REASON_CHARACTERS} characters. Received: {len(words)}")
    images = list(dict.fromkeys(image_ids))
    odd = next((text for text in (*images, words) if _UNWRITABLE.search(text)), None)
    if odd:
        raise DatasetError(f"The name of an image and the reason must fit into a line of text. Received: {odd!a}")
    with locked(root):
        # Read within the lock: somebody else may have decided since the page was drawn.
        before = read_decisions(root)
        time = next_time(max(decided(root)["time"].tolist(), default=""))
        new = {"time": time, "image_id": images, "decision": decision, "reason": words}
        _write(root, pd.concat([before, pd.DataFrame(new)], ignore_index=True))


class LastDecision(NamedTuple):
    """The decision that was made last, and on how many images."""

    time: str
    decision: str
    images: int


def last_decision(root: Path) -> LastDecision | None:
    """The decision that :func:`undo` can take back; None where there is none."""
    decisions = read_decisions(root)
    if decisions.empty:
        return None
    time, decision = decisions[["time", "decision"]].iloc[-1]
    return LastDecision(time, decision, int((decisions["time"] == time).sum()))


def undo(root: Path, time: str) -> None:
    """Delete the decision of a time, on all its images; the one before it counts again.

    The time says which decision is meant: in a class, somebody else may have made another one since.
    """
    with locked(root):
        decisions = read_decisions(root)
        _write(root, decisions[decisions["time"] != time])


def merge(root: Path, other: Path | BinaryIO) -> int:
    """Add the decisions of another file to those of a data set; how many were new. Of two on one image, the later wins.

    ``other``: its path, or the open file, such as an upload.

    Raises DatasetError where one of the files cannot be parsed, or that of the data set cannot be written.
    """
    theirs = _parse(other)
    with locked(root):
        before = read_decisions(root)
        both = _sort(pd.concat([before, theirs]))
        _write(root, both)
    return len(both) - len(before)


def apply_decisions(dataset: Dataset) -> Dataset:
    """A data set without its excluded images and with the decided labels; it also counts them.

    An image with a new label loses its boxes, mask and findings: they belong to the old one. Decisions about images
    that are not in the table have no effect.

    Raises DatasetError where ``curation.csv`` cannot be parsed, or excludes all images.
    """
    table = dataset.table
    decision = table["image_id"].map(decided(dataset.root)["decision"].to_dict())
    label = decision.map(LABELS).fillna(table["label"]).astype("int64")  # exclude and keep are no labels
    changed = label != table["label"]
    excluded = decision == "exclude"
    if len(table) and excluded.all():
        raise DatasetError(
            f"At least one image of {dataset.root} must be left. Received: all {len(table):,} are excluded by "
            f"decision; keep some of them, or delete their lines in {DECISIONS_FILE}."
        )
    annotations = {name: table[name].mask(changed, "") for name in ("boxes", "mask", "findings")}
    kept = table.assign(label=label, **annotations)[~excluded].reset_index(drop=True)
    return replace(dataset, table=kept, excluded=int(excluded.sum()), relabelled=int(changed.sum()))


def _of_images_in(root: Path, level: Path) -> pd.DataFrame:
    """The decisions in the file of a level at or above a folder about images in it, with their image_id there."""
    decisions = read_decisions(level)
    prefix = "".join(f"{name}/" for name in root.relative_to(level).parts)
    decisions = decisions[decisions["image_id"].str.startswith(prefix)]
    return decisions.assign(image_id=decisions["image_id"].str.removeprefix(prefix))


def _sort(decisions: pd.DataFrame) -> pd.DataFrame:
    """By time, then by the other columns, so that the order is the same whichever file was read first."""
    return decisions.drop_duplicates().sort_values(DECISION_COLUMNS, ignore_index=True)


def next_time(last: str) -> str:
    """The present time; where a clock was set back, just after the last decision, so that the new one wins."""
    now = datetime.now(UTC)
    if last:
        now = max(now, datetime.fromisoformat(last) + timedelta(milliseconds=1))
    return now.strftime(_TIME)[:-3] + "Z"


@contextmanager
def locked(root: Path, file: str = DECISIONS_FILE) -> Iterator[None]:
    """Keep others from writing a file of decisions; yields after they have.

    Raises:
        DatasetError: the disk or somebody else's lock does not allow it.
        PublicError: this is the public demo, where nobody may decide.
    """
    demo.refuse("decisions")
    if not root.is_dir():  # the lock would create it
        raise DatasetError(f"There is no folder {root} any more to store decisions in; read the data again.")
    try:
        with FileLock(root / f".{file}.lock", timeout=10):
            yield
    except Timeout as error:
        raise DatasetError(f"{root / file} is being written to by someone else. Try again.") from error
    except OSError as error:
        raise DatasetError(
            f"{root / file} cannot be written: {error.strerror or error}. Decisions are stored "
            "beside the data; copy the data set to a folder that you may write to."
        ) from error


def _write(root: Path, decisions: pd.DataFrame) -> None:
    atomic_write(root / DECISIONS_FILE, lambda part: decisions.to_csv(part, index=False))


def _parse(source: Path | BinaryIO) -> pd.DataFrame:
    """Every decision in a file or an upload, in the order of time. Raises DatasetError for a line that is wrong."""
    is_upload = not isinstance(source, Path)
    file = sanitize_name(str(getattr(source, "name", "The file"))) if is_upload else str(source)
    try:
        content = source.read_bytes() if isinstance(source, Path) else source.read()
        text = content.decode()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    # The data set's own file may have more: it grows with each decision, and must stay readable.
    count = max(text.count("\n"), text.count("\r"))
    if is_upload and count > MAX_LINES:
        raise DatasetError(f"{file} may have {MAX_LINES:,} lines. Received: {count:,}; leave some out.")
    numbers, lines = _split_lines(text, file)
    decisions = pd.DataFrame(lines, columns=DECISION_COLUMNS, dtype=str)
    time = pd.to_datetime(decisions["time"], utc=True, format="ISO8601", errors="coerce")
    has_time = time.dt.year.between(*YEARS)
    wrong = ~has_time | ~decisions["decision"].isin(DECISIONS) | (decisions["image_id"] == "")
    if wrong.any():
        first = int(wrong.argmax())
        raise _wrong_line(file, numbers[first], ",".join(decisions.iloc[first]))
    # One spelling for all times, in UTC and to the millisecond, so that they sort as text.
    milliseconds = time.dt.strftime(_TIME).str[:-3] + "Z"
    return _sort(decisions.assign(time=milliseconds))


def _split_lines(text: str, file: str) -> tuple[list[int], list[list[str]]]:
    """The number of each line that holds a decision, and its :data:`DECISION_COLUMNS`.

    Each line is parsed by itself, so that a quote that is not closed swallows no other. Where a file was put under
    another, the header comes again, perhaps after a byte order mark. Excel adds blank lines and columns.
    """
    header: list[str] = []
    numbers = []
    found = []
    for number, line in enumerate(_NEWLINE.split(text), start=1):
        cells = _cells(line.removeprefix("\ufeff"), number, file)
        if set(DECISION_COLUMNS) <= set(cells):
            header = cells
        elif not cells:
            continue
        elif not header:
            received = sanitize_name(", ".join(cells))
            raise DatasetError(f"{file} must have the columns {', '.join(DECISION_COLUMNS)}. Received: {received}")
        elif len(cells) > len(header):  # a comma in a reason without quotes around it
            raise _wrong_line(file, number, line)
        else:
            by_column = dict(zip(header, cells, strict=False))  # the last cells may be missing, such as the reason
            numbers.append(number)
            found.append([by_column.get(name, "") for name in DECISION_COLUMNS])
    return numbers, found


def _cells(line: str, number: int, file: str) -> list[str]:
    """The cells of a line up to the last that is not empty."""
    if len(line) > MAX_LINE_CHARACTERS:
        raise _wrong_line(file, number, line)
    try:
        cells = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise _wrong_line(file, number, line) from error
    count = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
    return cells[:count]


def _wrong_line(file: str, number: int, line: str) -> DatasetError:
    return DatasetError(
        f"Every line of {file} must have a time (of {YEARS[0]} to {YEARS[1]}), an image_id and a decision "
        f"({', '.join(DECISIONS)}), with quotes around a text with a comma. "
        f"Received in line {number}: {sanitize_name(line)}; correct that line or delete it."
    )
