"""One body part of MURA from Kaggle, file by file: 138 MB of it instead of 3.2 GB.

::

    {train,valid}_image_paths.csv ── which files ──> train/XR_HUMERUS/patient00001/study1_positive/image1.png ...
"""

import contextlib
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fracture import paths
from fracture.errors import FetchError
from fracture.files import atomic_write
from fracture.importers.download import Downloader, OnProgress, RemoteFile, ignore_progress
from fracture.importers.file_checks import check_space, is_complete_image
from fracture.importers.http import RateLimiter
from fracture.importers.job import HIDDEN, Import, Order, carry_out
from fracture.importers.kaggle_client import TOP, KaggleDataset
from fracture.importers.kaggle_credentials import Credentials

DATASET = "cjinny/mura-v11"
"""MURA v1.1, as uploaded by a Kaggle user."""

BODY_PART = "XR_HUMERUS"

IMAGES_OF_BODY_PART = {
    "XR_ELBOW": 5_396,
    "XR_FINGER": 5_567,
    "XR_FOREARM": 2_126,
    "XR_HAND": 6_003,
    "XR_HUMERUS": 1_560,
    "XR_SHOULDER": 8_942,
    "XR_WRIST": 10_411,
}
"""Images of each body part in MURA v1.1, training and validation together."""

BYTES = 90_000
"""Of an image, about: the 1,560 of the humerus have 138 MB."""

_PLAN = "wanted.txt"
MURA_SPLITS = ("train", "valid")
PATH_LISTS = tuple(f"{split}_image_paths.csv" for split in MURA_SPLITS)

_DATASET = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+")
_IMAGE = re.compile(
    r"(?:MURA-v1\.1/)?((?:train|valid)/(XR_[A-Z]+)/patient\d+/study\d+_(?:positive|negative)/[A-Za-z0-9_-]+\.png)"
)

_log = logging.getLogger(__name__)


def order(dataset: str = DATASET, body_part: str = BODY_PART) -> Order:
    """What to import.

    ``dataset``: ``owner/name``, or its address at Kaggle. ``body_part``: ``XR_HUMERUS``, ``humerus`` or ``hand``, in
    any case; ``all`` is everything. Raises FetchError for other values.
    """
    slug = dataset.strip().removeprefix("https://www.kaggle.com/datasets/").strip("/")
    if not _DATASET.fullmatch(slug):
        raise FetchError(f"dataset must be a data set's owner and name, such as {DATASET}. Received: {dataset[:80]!r}")
    part = "XR_" + body_part.strip().upper().removeprefix("XR_")
    if part != "XR_ALL" and part not in IMAGES_OF_BODY_PART:
        raise FetchError(
            f"body_part must be one of {', '.join(IMAGES_OF_BODY_PART)}, or all. Received: {body_part[:80]!r}"
        )
    return Order("kaggle", {"dataset": slug, "body_part": "all" if part == "XR_ALL" else part})


def default_folder(wanted: Order) -> Path:
    """The folder for an import, below the data home, where the user chooses none."""
    dataset = str(wanted.choices["dataset"])
    name = "MURA-v1.1" if dataset == DATASET else dataset.replace("/", "-")[:40]
    return paths.data_home() / f"{name}-{wanted.choices['body_part']}"


def expected(wanted: Order) -> tuple[int, int]:
    """About how many files and bytes will come."""
    files = IMAGES_OF_BODY_PART.get(str(wanted.choices["body_part"]), sum(IMAGES_OF_BODY_PART.values()))
    return files, files * BYTES


def import_kaggle(
    root: Path,
    wanted: Order,
    credentials: Credentials | None = None,
    on_progress: OnProgress = ignore_progress,
    limiter: RateLimiter | None = None,
) -> Import:
    """Run or resume an import, and return its final state: complete, or interrupted by a request to stop.

    Args:
        root: a new or an empty folder, or one in which the same import was begun.
        wanted: from :func:`order`.
        credentials: by default those that Kaggle's package finds; not needed where no file is missing.
        on_progress: receives the progress about once a second.
        limiter: when a request may go out, and how often it is repeated.

    Raises:
        FetchError: with a sentence that says what to do.
    """
    body_part = str(wanted.choices["body_part"])

    def work(report: OnProgress, should_stop: Callable[[], bool]) -> None:
        downloader = Downloader(root / HIDDEN, report, should_stop, dataset.interrupt, limiter or RateLimiter())
        files = _read_plan(root)
        if not files:
            preparing = downloader.preparing("Finding out which files there are.")
            list_downloader = replace(preparing, limiter=limiter or RateLimiter(attempts=4))
            files = _make_plan(root, body_part, dataset, list_downloader)
        check_space(root, sum(not (root / file.name).exists() for file in files) * BYTES)
        downloader.download(root, files, dataset.read, is_complete_image)

    with contextlib.closing(KaggleDataset(str(wanted.choices["dataset"]), credentials)) as dataset:
        return carry_out(root, wanted, work, on_progress)


def _read_plan(root: Path) -> list[RemoteFile]:
    """The files to import according to an earlier run; none where there was none, or its list is damaged."""
    plan = root / HIDDEN / _PLAN
    try:
        names = plan.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        _log.warning("ignored %s: %s", plan, error)
        return []
    valid = all(map(_IMAGE.fullmatch, names)) and not _empty_splits(names)
    return [RemoteFile(name) for name in names] if valid else []


def _make_plan(root: Path, body_part: str, dataset: KaggleDataset, downloader: Downloader) -> list[RemoteFile]:
    """Download MURA's lists, choose a body part's images, and write them to a file for the next run."""
    lists = root / HIDDEN / "lists"
    downloader.download(lists, [RemoteFile(name) for name in PATH_LISTS], dataset.read)
    try:
        names = _spread(_select([lists / name for name in PATH_LISTS], body_part))
    finally:
        shutil.rmtree(lists)
    text = "".join(f"{name}\n" for name in names)
    atomic_write(root / HIDDEN / _PLAN, lambda part: part.write_text(text, encoding="utf-8"))
    return [RemoteFile(name) for name in names]


def _select(lists: list[Path], body_part: str) -> list[str]:
    """The images of a body part, as paths below ``MURA-v1.1``.

    Raises FetchError where a list holds anything else, or a split would have no images.
    """
    parts: dict[str, str] = {}
    for file in lists:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            row = line.strip().strip('"')
            if row and not row.rsplit("/", 1)[-1].startswith("._"):  # macOS leaves such files behind
                name, part = _parse_row(row, file.name)
                parts[name] = part
    names = [name for name, part in parts.items() if body_part in ("all", part)]
    if not names:
        listed = ", ".join(sorted(set(parts.values()))) or "none at all"
        raise FetchError(f"body_part must be one of those that the data set lists: {listed}. Received: {body_part}")
    if empty := _empty_splits(names):
        raise FetchError(
            f"{empty[0]}_image_paths.csv must name images in {empty[0]}/ (body part {body_part}). Received: none; "
            "no image was downloaded. Start the same import again later, or choose another data set."
        )
    return names


def _empty_splits(names: list[str]) -> list[str]:
    """The splits that have none of these images."""
    return [split for split in MURA_SPLITS if not any(name.startswith(f"{split}/") for name in names)]


def _parse_row(row: str, file: str) -> tuple[str, str]:
    """(the path below ``MURA-v1.1``, the body part) of a row in a list."""
    match = _IMAGE.fullmatch(row)
    if not match:
        raise FetchError(
            f"{file} must name images such as {TOP}train/XR_HUMERUS/patient00001/study1_positive/image1.png. "
            f"Received: {row[:120]!r}; no image was downloaded."
        )
    return match[1], match[2]


def _spread(names: list[str]) -> list[str]:
    """The images patient by patient, in an order in which the first ones come from all over the data set."""
    patients = list(dict.fromkeys(name.split("/study")[0] for name in names))
    golden = (5**0.5 - 1) / 2  # multiples of the golden section fill the unit interval evenly
    place = {patient: number * golden % 1 for number, patient in enumerate(patients)}
    return sorted(names, key=lambda name: place[name.split("/study")[0]])
