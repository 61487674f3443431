"""FracAtlas from figshare: a sample of it, image by image out of its zip, or all of it.

::

    article ── where the zip is ──> dataset.csv, COCO boxes ── a sample ──> images/IMG0000019.jpg ...
                                                                            dataset.csv, LICENCE.txt
"""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

import pandas as pd

from fracture import paths
from fracture.data.layouts import ENDINGS
from fracture.data.provenance import FRACATLAS
from fracture.errors import DatasetError, FetchError, RadiographError
from fracture.files import atomic_write
from fracture.imaging.annotations import parse_boxes
from fracture.imaging.radiograph import header_size
from fracture.importers.download import Progress, Say, Wanted, fetch_all
from fracture.importers.figshare import PAGE, ZIP, members_of
from fracture.importers.file_checks import check_space
from fracture.importers.fracatlas_tables import draw_sample, read_rows
from fracture.importers.http import Pace
from fracture.importers.job import HIDDEN, Import, Order, carry_out
from fracture.importers.remote_zip import Members

LEAST = 10
MOST_SEED = 2**31
TABLES = {"dataset.csv": "/dataset.csv", "coco.json": "/coco_fracture_masks.json"}
"""What is needed besides the images, and how its path in the zip ends, in lower case."""

PLAN = "plan.csv"
LARGEST = 100 * 2**20
"""Bytes of a table or an image that is let in."""

ShouldStop = Callable[[], bool]


def order(images: int = 200, seed: int = 1, whole: bool = False) -> Order:
    """What is to be imported.

    ``images``: how many, 10 or more; 0 is all of them. ``seed``: which ones, 0 to 2**31. ``whole``: fetch the whole
    zip of 323 MB and take them from there; so it is done anyway where all are wanted. Raises FetchError for others.
    """
    if images != 0 and images < LEAST:
        raise FetchError(f"images must be {LEAST} or more, or 0 for all. Received: {images}")
    if not 0 <= seed <= MOST_SEED:
        raise FetchError(f"seed must be 0 to {MOST_SEED}. Received: {seed}")
    return Order("fracatlas", {"images": images, "seed": seed}, {"whole": whole})


def default_folder(wanted: Order) -> Path:
    """Where an import goes unless somebody says otherwise: a folder in the data home."""
    images, seed = wanted.choices["images"], wanted.choices["seed"]
    return paths.data_home() / (f"FracAtlas-{images}-seed{seed}" if images else "FracAtlas")


def _nothing(progress: Progress) -> None:
    """Say nothing."""


def import_fracatlas(root: Path, wanted: Order, say: Say = _nothing, pace: Pace | None = None) -> Import:
    """Import, or go on importing, and return how it then stands: complete, or interrupted by a request to stop.

    Args:
        root: a new or an empty folder, or one in which the same import was begun.
        wanted: by :func:`order`.
        say: hears of the progress about once a second.
        pace: how often to try, and how long to wait in between.

    Raises:
        FetchError: in words that say what to do.
    """
    hidden, whole = root / HIDDEN, bool(wanted.how.get("whole") or not wanted.choices["images"])

    def work(hear: Say, should_stop: ShouldStop) -> None:
        get = partial(fetch_all, parts=hidden, should_stop=should_stop, pace=pace)
        find = partial(get, say=lambda progress: hear(_before(progress)))
        plan = _kept_plan(hidden)
        if plan is None or any(not (root / item.name).is_file() for item in _wanted(plan)):
            with contextlib.closing(members_of(hidden, whole, find)) as members:
                plan = _plan(hidden, members, wanted, find) if plan is None else plan
                _fetch_images(root, plan, members, partial(get, say=hear))
        _list(root, plan)
        (hidden / ZIP).unlink(missing_ok=True)

    return carry_out(root, wanted, work, say)


def _before(progress: Progress) -> Progress:
    """While nobody knows yet how many images will come."""
    note = progress.note or "Finding out which images there are."
    return replace(progress, files=0, total_files=None, note=note)


def _kept_plan(hidden: Path) -> pd.DataFrame | None:
    """The rows that an earlier run drew; None if there was none, or they are damaged."""
    try:
        plan = pd.read_csv(hidden / PLAN, dtype=str, keep_default_na=False)
        plan["size"].map(int), plan["boxes"].map(parse_boxes)
        return plan if {"image_id", "fractured", "member"} <= set(plan) else None
    except (OSError, ValueError, KeyError, DatasetError):
        return None


def _plan(hidden: Path, members: Members, wanted: Order, get: Callable[..., Progress]) -> pd.DataFrame:
    """The rows of the images that are wanted, with ``member`` and ``size`` of each, noted down for the next time."""
    tables = {name: hidden / name for name in TABLES}

    def read(item: Wanted) -> Generator[bytes, None, None]:
        return members.read(_ending(members.infos(), TABLES[item.name]))

    get(hidden, [Wanted(name) for name in TABLES], read, whole=Path.is_file, workers=1)
    infos = {PurePosixPath(info.filename).name: info for info in members.infos() if _is_image(info)}
    rows = read_rows(tables["dataset.csv"], tables["coco.json"], {name: info.filename for name, info in infos.items()})
    plan = draw_sample(rows, int(wanted.choices["images"]), int(wanted.choices["seed"]))
    plan = plan.assign(size=[str(infos[name].file_size) for name in plan["image_id"]])
    atomic_write(hidden / PLAN, lambda part: plan.to_csv(part, index=False))
    for table in tables.values():
        table.unlink()
    return plan


def _ending(infos: list[ZipInfo], ending: str) -> str:
    """The path in the zip that ends so."""
    found = [
        info.filename for info in infos if f"/{info.filename}".lower().endswith(ending) and info.file_size < LARGEST
    ]
    if not found:
        raise FetchError(f"FracAtlas's zip must hold a file {ending}; nothing was written.")
    return min(found, key=len)


def _is_image(info: ZipInfo) -> bool:
    path = f"/{info.filename}".lower()
    hidden = any(part.startswith((".", "__")) for part in path.split("/"))
    return "/images/" in path and path.endswith(ENDINGS) and not hidden and info.file_size < LARGEST


def _wanted(plan: pd.DataFrame) -> list[Wanted]:
    return [Wanted(f"images/{name}", int(size)) for name, size in zip(plan["image_id"], plan["size"], strict=True)]


def _fetch_images(root: Path, plan: pd.DataFrame, members: Members, get: Callable[..., Progress]) -> None:
    """What is lacking; whatever happens, the images that are there are listed."""
    wanted = _wanted(plan)
    places = {item.name: member for item, member in zip(wanted, plan["member"], strict=True)}
    check_space(root, sum(item.size or 0 for item in wanted if not (root / item.name).is_file()))
    try:
        get(root, wanted, lambda item: members.read(places[item.name]), whole=Path.is_file)
    finally:
        _list(root, plan)


def _list(root: Path, plan: pd.DataFrame) -> None:
    """``dataset.csv`` with the images that are there, and on which terms they came."""
    there = plan[[(root / "images" / name).is_file() for name in plan["image_id"]]].sort_values("image_id")
    if there.empty:
        return
    sizes = pd.DataFrame(
        [_size(root / "images" / name) for name in there["image_id"]], there.index, ["width", "height"]
    )
    listed = pd.concat([there.drop(columns=["boxes", "member", "size"]), sizes, there["boxes"]], axis=1)
    atomic_write(root / "dataset.csv", lambda part: listed.to_csv(part, index=False))
    atomic_write(root / "LICENCE.txt", lambda part: part.write_text(_terms(len(there)), encoding="utf-8"))


def _size(image: Path) -> tuple[int, int]:
    try:
        return header_size(image)
    except RadiographError:
        return 0, 0


def _terms(images: int) -> str:
    return f"""{FRACATLAS.name}, licensed under {FRACATLAS.licence} (https://creativecommons.org/licenses/by/4.0/).

{FRACATLAS.citation}
{PAGE}

These are {images:,} of its images, as they came. dataset.csv has FracAtlas's rows of them; the columns width, height
and boxes were added, the boxes from its COCO annotations.
"""
