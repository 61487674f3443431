"""FracAtlas from figshare: a random sample of it, image by image out of its zip, or all of it.

::

    article ── where the zip is ──> dataset.csv, COCO boxes ── a sample ──> images/IMG0000019.jpg ...
                                                                            dataset.csv, LICENCE.txt
"""

import contextlib
import json
import logging
from collections.abc import Callable, Generator
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipInfo

import numpy as np
import pandas as pd
import requests
from numpy.typing import NDArray

from fracture import paths
from fracture.data.dataset_csv import BLOCK
from fracture.data.layouts import ENDINGS
from fracture.data.provenance import FRACATLAS
from fracture.errors import DatasetError, FetchError, RadiographError
from fracture.files import atomic_write
from fracture.imaging.annotations import Box, boxes_text, parse_boxes
from fracture.imaging.radiograph import header_size
from fracture.importers.download import Downloader, OnProgress, RemoteFile, ignore_progress
from fracture.importers.figshare import ARTICLE_PAGE, ZIP, open_zip
from fracture.importers.file_checks import MAX_FILE_BYTES, check_space
from fracture.importers.http import InterruptibleAdapter, RateLimiter
from fracture.importers.job import HIDDEN, Import, Order, carry_out
from fracture.importers.remote_zip import ZipMembers

MIN_IMAGES = 10
MAX_SEED = 2**31
_PLAN = "plan.csv"
_DRAWS = 200
"""Random samples among which one is chosen."""

_TABLE_ENDINGS = {"dataset.csv": "/dataset.csv", "coco.json": "/coco_fracture_masks.json"}
"""The tables in the zip, and how their paths end there, in lower case."""

_log = logging.getLogger(__name__)


def order(images: int = 200, seed: int = 1, whole: bool = False) -> Order:
    """What to import.

    ``images``: how many, 10 or more; 0 is all of them. ``seed``: of the random sample, 0 to 2**31. ``whole``: download
    the whole zip of 323 MB and take them from there, as is always done for all of them. Raises FetchError.
    """
    if images != 0 and images < MIN_IMAGES:
        raise FetchError(f"images must be {MIN_IMAGES} or more, or 0 for all. Received: {images}")
    if not 0 <= seed <= MAX_SEED:
        raise FetchError(f"seed must be 0 to {MAX_SEED}. Received: {seed}")
    return Order("fracatlas", {"images": images, "seed": seed}, {"whole": whole})


def default_folder(wanted: Order) -> Path:
    """The folder for an import, below the data home, where the user chooses none."""
    images = wanted.choices["images"]
    seed = wanted.choices["seed"]
    return paths.data_home() / (f"FracAtlas-{images}-seed{seed}" if images else "FracAtlas")


def import_fracatlas(
    root: Path, wanted: Order, on_progress: OnProgress = ignore_progress, limiter: RateLimiter | None = None
) -> Import:
    """Run or resume an import, and return its final state: complete, or interrupted by a request to stop.

    Args:
        root: a new or an empty folder, or one in which the same import was begun.
        wanted: from :func:`order`.
        on_progress: receives the progress about once a second.
        limiter: when a request may go out, and how often it is repeated.

    Raises:
        FetchError: with a sentence that says what to do.
    """
    hidden = root / HIDDEN
    whole = bool(wanted.how.get("whole") or not wanted.choices["images"])
    adapter = InterruptibleAdapter()

    def work(report: OnProgress, should_stop: Callable[[], bool]) -> None:
        downloader = Downloader(hidden, report, should_stop, adapter.interrupt, limiter or RateLimiter())
        preparing = downloader.preparing("Finding out which images there are.")
        plan = _read_plan(hidden)
        if plan is None or _missing(root, plan):
            with contextlib.closing(open_zip(hidden, whole, session, preparing)) as members:
                if plan is None:
                    plan = _make_plan(hidden, members, wanted, preparing)
                _download_images(root, plan, members, downloader)
        else:
            _write_tables(root, plan)
        (hidden / ZIP).unlink(missing_ok=True)

    with adapter.prepare(requests.Session()) as session:
        return carry_out(root, wanted, work, on_progress)


# The plan: which images to import, with their rows of FracAtlas's tables, their paths in the zip and their sizes.


def _read_plan(hidden: Path) -> pd.DataFrame | None:
    """The plan of an earlier run; None where there is none, or it is damaged."""
    try:
        plan = pd.read_csv(hidden / _PLAN, dtype=str, keep_default_na=False)
        plan["size"].map(int)
        plan["boxes"].map(parse_boxes)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, DatasetError) as error:
        _log.warning("ignored a damaged %s: %s", hidden / _PLAN, error)
        return None
    return plan if {"image_id", "fractured", "member"} <= set(plan) else None


def _make_plan(hidden: Path, members: ZipMembers, wanted: Order, downloader: Downloader) -> pd.DataFrame:
    """Draw the images to import, and write them to a file for the next run."""

    def read(table: RemoteFile) -> Generator[bytes, None, None]:
        return members.read(_find_table(members.infos(), _TABLE_ENDINGS[table.name]))

    downloader.download(hidden, [RemoteFile(name) for name in _TABLE_ENDINGS], read, workers=1)
    images = {PurePosixPath(info.filename).name: info for info in members.infos() if _is_image(info)}
    rows = _read_rows(hidden)
    rows = rows[rows["image_id"].isin(list(images))]
    if rows["fractured"].nunique() < 2:
        raise FetchError("FracAtlas's zip must hold images with and without a fracture; nothing was written.")
    plan = draw_sample(rows, int(wanted.choices["images"]), int(wanted.choices["seed"]))
    plan = plan.assign(
        member=[images[name].filename for name in plan["image_id"]],
        size=[str(images[name].file_size) for name in plan["image_id"]],
    )
    atomic_write(hidden / _PLAN, lambda part: plan.to_csv(part, index=False))
    for name in _TABLE_ENDINGS:
        (hidden / name).unlink()
    return plan


def _find_table(infos: list[ZipInfo], ending: str) -> str:
    """The shortest path in the zip that ends so."""
    found = [info.filename for info in infos if _lower_path(info).endswith(ending) and info.file_size < MAX_FILE_BYTES]
    if not found:
        raise FetchError(f"FracAtlas's zip must hold a file {ending}; nothing was written.")
    return min(found, key=len)


def _is_image(info: ZipInfo) -> bool:
    path = _lower_path(info)
    hidden = any(part.startswith((".", "__")) for part in path.split("/"))
    return "/images/" in path and path.endswith(ENDINGS) and not hidden and info.file_size < MAX_FILE_BYTES


def _lower_path(info: ZipInfo) -> str:
    return f"/{info.filename}".lower()


def _read_rows(folder: Path) -> pd.DataFrame:
    """FracAtlas's rows, one an image, with ``boxes``. Raises FetchError where a table is not as expected."""
    try:
        # As text, so that the columns are written back as they came.
        rows = pd.read_csv(folder / "dataset.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
        boxes = read_boxes(json.loads((folder / "coco.json").read_text(encoding="utf-8")))
        rows = rows[rows["fractured"].isin(["0", "1"])].drop_duplicates("image_id")
        return rows.assign(boxes=[boxes.get(name, "") for name in rows["image_id"]])
    except (ValueError, KeyError, TypeError, AttributeError, DatasetError) as error:
        reason = str(error) if isinstance(error, DatasetError) else type(error).__name__
        raise FetchError(f"FracAtlas's tables are not as expected; nothing was written. {reason}") from error


def read_boxes(coco: Any) -> dict[str, str]:
    """{file name: its boxes as text} of a COCO document. Raises DatasetError for an impossible box."""
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    boxes: dict[str, list[Box]] = {}
    for annotation in coco["annotations"]:
        x, y, w, h = map(float, annotation["bbox"])
        boxes.setdefault(names[annotation["image_id"]], []).append((x, y, w, h))
    texts = {name: boxes_text(several) for name, several in boxes.items()}
    for text in texts.values():
        parse_boxes(text)  # raises here what would stop a reader of the data set later
    return texts


def draw_sample(rows: pd.DataFrame, images: int, seed: int) -> pd.DataFrame:
    """A random sample of so many rows, or all of them for 0, in random order.

    Whole blocks of consecutive numbers are drawn, as their images may show one patient; only the last block may be cut
    short. Of :data:`_DRAWS` samples, the one is taken whose share of fractures is closest to that of all rows.
    """
    number = pd.to_numeric(rows["image_id"].str.extract(r"(\d+)\D*$", expand=False), errors="coerce").fillna(-1)
    rows = rows.iloc[number.argsort(kind="stable")]
    blocks = list(rows.groupby(number // BLOCK).indices.values())
    fractured = (rows["fractured"] == "1").to_numpy()
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(_DRAWS):
        shuffled = [blocks[index] for index in random.permutation(len(blocks))]
        samples.append(np.concatenate(shuffled)[: images or None])
    return rows.iloc[min(samples, key=lambda sample: _difference(fractured[sample], fractured))]


def _difference(sample: NDArray[np.bool_], population: NDArray[np.bool_]) -> tuple[bool, float]:
    """How far the share of fractures in a sample is from that of all; a sample of one class comes last."""
    single_class = bool(sample.all() or not sample.any())
    return single_class, abs(sample.mean() - population.mean())


# The images, and the files written beside them.


def _files(plan: pd.DataFrame) -> list[RemoteFile]:
    return [RemoteFile(f"images/{name}", int(size)) for name, size in zip(plan["image_id"], plan["size"], strict=True)]


def _missing(root: Path, plan: pd.DataFrame) -> list[RemoteFile]:
    return [file for file in _files(plan) if not (root / file.name).is_file()]


def _download_images(root: Path, plan: pd.DataFrame, members: ZipMembers, downloader: Downloader) -> None:
    """Download the missing images; also after an error, the tables list those that are present."""
    files = _files(plan)
    paths_in_zip = {file.name: member for file, member in zip(files, plan["member"], strict=True)}
    check_space(root, sum(file.size or 0 for file in _missing(root, plan)))
    try:
        downloader.download(root, files, lambda file: members.read(paths_in_zip[file.name]))
    finally:
        _write_tables(root, plan)


def _write_tables(root: Path, plan: pd.DataFrame) -> None:
    """``dataset.csv``, with a row for each image that is present, and the license."""
    present = plan[[(root / "images" / name).is_file() for name in plan["image_id"]]].sort_values("image_id")
    if present.empty:
        return
    sizes = [_size_px(root / "images" / name) for name in present["image_id"]]
    rows = present.drop(columns=["boxes", "member", "size"])
    rows[["width", "height"]] = sizes
    rows["boxes"] = present["boxes"]
    atomic_write(root / "dataset.csv", lambda part: rows.to_csv(part, index=False))
    atomic_write(root / "LICENCE.txt", lambda part: part.write_text(_license(len(present)), encoding="utf-8"))


def _size_px(image: Path) -> tuple[int, int]:
    try:
        return header_size(image)
    except RadiographError as error:
        _log.warning("%s: its size is written as 0 x 0 px. %s", image.name, error)
        return 0, 0


def _license(images: int) -> str:
    return f"""{FRACATLAS.name}, licensed under {FRACATLAS.licence} (https://creativecommons.org/licenses/by/4.0/).

{FRACATLAS.citation}
{ARTICLE_PAGE}

These are {images:,} of its images, unchanged. dataset.csv has FracAtlas's rows of them; the columns width, height
and boxes were added, the boxes from its COCO annotations.
"""
