"""One body part of MURA from Kaggle, file by file: 138 MB of it instead of 3.2 GB.

::

    {train,valid}_image_paths.csv ── which files ──> train/XR_HUMERUS/patient00001/study1_positive/image1.png ...

Kaggle's data set has all below a folder ``MURA-v1.1``; a copy may have it at its top.
"""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from fracture import paths
from fracture.errors import FetchError
from fracture.files import atomic_write
from fracture.importers.download import Progress, Say, Wanted, fetch_all
from fracture.importers.file_checks import check_space, whole_image
from fracture.importers.http import Pace
from fracture.importers.job import HIDDEN, Import, Order, carry_out
from fracture.importers.kaggle_client import TOP, Source
from fracture.importers.kaggle_credentials import Credentials

DATASET = "cjinny/mura-v11"
"""MURA v1.1, as a Kaggle user put it there."""

BODY_PART = "XR_HUMERUS"

IMAGES = {
    "XR_ELBOW": 5_396,
    "XR_FINGER": 5_567,
    "XR_FOREARM": 2_126,
    "XR_HAND": 6_003,
    "XR_HUMERUS": 1_560,
    "XR_SHOULDER": 8_942,
    "XR_WRIST": 10_411,
}
"""How many images MURA v1.1 has of each body part, training and validation together."""

BYTES = 90_000
"""Of an image, about: 138 MB are 1,560 of the humerus."""

KEPT = "wanted.txt"
SPLITS = ("train", "valid")
LISTS = tuple(f"{split}_image_paths.csv" for split in SPLITS)

ShouldStop = Callable[[], bool]

_DATASET = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+")
_IMAGE = re.compile(
    r"(?:MURA-v1\.1/)?((?:train|valid)/(XR_[A-Z]+)/patient\d+/study\d+_(?:positive|negative)/[A-Za-z0-9_-]+\.png)"
)


def order(dataset: str = DATASET, body_part: str = BODY_PART) -> Order:
    """What is to be imported.

    ``dataset``: ``owner/name``, or its address at Kaggle. ``body_part``: ``XR_HUMERUS``, ``humerus`` or ``hand``, in
    any case; ``all`` is everything. Raises FetchError for other words.
    """
    named = dataset.strip().removeprefix("https://www.kaggle.com/datasets/").strip("/")
    if not _DATASET.fullmatch(named):
        raise FetchError(f"dataset must be a data set's owner and name, such as {DATASET}. Received: {dataset[:80]!r}")
    part = "XR_" + body_part.strip().upper().removeprefix("XR_")
    if part != "XR_ALL" and part not in IMAGES:
        raise FetchError(f"body_part must be one of {', '.join(IMAGES)}, or all. Received: {body_part[:80]!r}")
    return Order("kaggle", {"dataset": named, "body_part": "all" if part == "XR_ALL" else part})


def default_folder(wanted: Order) -> Path:
    """Where an import goes unless somebody says otherwise: a folder in the data home."""
    dataset, part = str(wanted.choices["dataset"]), wanted.choices["body_part"]
    name = "MURA-v1.1" if dataset == DATASET else dataset.replace("/", "-")[:40]
    return paths.data_home() / f"{name}-{part}"


def expected(wanted: Order) -> tuple[int, int]:
    """How many files and bytes will come, about."""
    part = str(wanted.choices["body_part"])
    files = IMAGES.get(part, sum(IMAGES.values()))
    return files, files * BYTES


def _nothing(progress: Progress) -> None:
    """Say nothing."""


def import_kaggle(
    root: Path,
    wanted: Order,
    credentials: Credentials | None = None,
    say: Say = _nothing,
    pace: Pace | None = None,
) -> Import:
    """Import, or go on importing, and return how it then stands: complete, or interrupted by a request to stop.

    Args:
        root: a new or an empty folder, or one in which the same import was begun.
        wanted: by :func:`order`.
        credentials: otherwise those that Kaggle's package finds; none are needed where all is there.
        say: hears of the progress about once a second.
        pace: how often to try, and how long to wait in between.

    Raises:
        FetchError: in words that say what to do.
    """
    dataset, part = str(wanted.choices["dataset"]), str(wanted.choices["body_part"])
    connections = contextlib.ExitStack()
    source = Source(dataset, credentials, connections)

    def work(hear: Say, should_stop: ShouldStop) -> None:
        get = partial(fetch_all, fetch=source.read, parts=root / HIDDEN, should_stop=should_stop)
        lists = partial(get, pace=pace or Pace(tries=4), say=lambda progress: hear(_finding_out(progress)))
        files = _kept_list(root) or _fetched_list(root, part, lists)
        check_space(root, sum(not (root / item.name).exists() for item in files) * BYTES)
        get(root, files, whole=whole_image, pace=pace, say=hear)

    with connections:
        return carry_out(root, wanted, work, say)


def _finding_out(progress: Progress) -> Progress:
    return Progress(note=progress.note or "Finding out which files there are.")


def _kept_list(root: Path) -> list[Wanted]:
    """The files that an earlier run found out to be wanted; none if there was none, or it was led astray."""
    try:
        names = (root / HIDDEN / KEPT).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    right = all(map(_IMAGE.fullmatch, names)) and not _without_images(names)
    return [Wanted(name) for name in names] if right else []


def _fetched_list(root: Path, body_part: str, get: Callable[..., Progress]) -> list[Wanted]:
    """The files of a body part, as Kaggle's lists name them, noted down for the next time."""
    lists = root / HIDDEN / "lists"
    get(lists, [Wanted(name) for name in LISTS], whole=Path.is_file)
    try:
        names = _mixed(_chosen([lists / name for name in LISTS], body_part))
    finally:
        shutil.rmtree(lists)  # used, or of no use
    text = "".join(f"{name}\n" for name in names)
    atomic_write(root / HIDDEN / KEPT, lambda part: part.write_text(text, encoding="utf-8"))
    return [Wanted(name) for name in names]


def _chosen(lists: Iterable[Path], body_part: str) -> list[str]:
    """The images of a body part, as paths below ``MURA-v1.1``.

    Raises FetchError where a list holds anything else, or a split would have none of them.
    """
    parts: dict[str, str] = {}
    for file in lists:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if (row := line.strip().strip('"')) and not row.rsplit("/", 1)[-1].startswith("._"):  # left by macOS
                parts.update([_image(row, file.name)])
    names = [name for name, part in parts.items() if body_part in ("all", part)]
    if not names:
        there = ", ".join(sorted(set(parts.values()))) or "none at all"
        raise FetchError(f"body_part must be one of those that the data set lists: {there}. Received: {body_part}")
    if empty := _without_images(names):
        raise FetchError(
            f"{empty[0]}_image_paths.csv must name images in {empty[0]}/ (body part {body_part}). Received: none; "
            "no image was fetched. Start the same import again later, or choose another data set."
        )
    return names


def _without_images(names: list[str]) -> list[str]:
    """The splits that have none of these images."""
    return [split for split in SPLITS if not any(name.startswith(f"{split}/") for name in names)]


def _image(row: str, file: str) -> tuple[str, str]:
    """(the path below ``MURA-v1.1``, the body part) of a row in a list."""
    if match := _IMAGE.fullmatch(row):
        return match[1], match[2]
    raise FetchError(
        f"{file} must name images such as {TOP}train/XR_HUMERUS/patient00001/study1_positive/image1.png. "
        f"Received: {row[:120]!r}; no image was fetched."
    )


def _mixed(names: list[str]) -> list[str]:
    """Patient by patient, in an order of which any beginning comes from all over the set."""
    patients = list(dict.fromkeys(name.split("/study")[0] for name in names))
    golden = (5**0.5 - 1) / 2  # multiples of the golden section fill the unit interval evenly
    place = {patient: number * golden % 1 for number, patient in enumerate(patients)}
    return sorted(names, key=lambda name: place[name.split("/study")[0]])
