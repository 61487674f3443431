"""Which entries of a stranger's zip are unpacked, and which zips are not touched at all.

Its names may lead anywhere, and its sizes may be lies.
"""

import itertools
import re
import stat
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipInfo

from fracture.data import layouts
from fracture.data.splits import SPLITS
from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers.file_checks import check_space
from fracture.paths import leads_out

LISTS = ("dataset.csv", "truth.csv", "curation.csv")
"""The only files besides images that are unpacked."""

LIMIT = 8 * 10**9
"""Bytes that all files together may have, unpacked. MURA has 3.3 GB."""

MOST_FILES = 100_000
"""MURA has 40,561."""

MOST_CONTENTS = 12 * 2**20
"""Bytes of a zip's table of contents: of as many files under long names. It is held in memory, ten times as large."""

RATIO = 100
"""How many times larger than in the zip a file may be. PNG and JPEG hardly shrink; an empty DICOM may, by 30."""

SMALL = 10**6
"""Bytes of a file whose ratio does not matter."""

MANY = 10**8
"""Bytes of all files together whose ratio does not matter."""

_KEPT_FOLDERS = re.compile(r"XR_[A-Z]+|patient[ _-]?\d+|study[ _-]?\d+.*|images", re.IGNORECASE)


class Contents:
    """An open zip that is not read where its table of contents is larger than :data:`MOST_CONTENTS`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises FetchError for many at a time: a table is read at once, files in small parts."""
        if size > MOST_CONTENTS:
            raise FetchError(
                f"A zip's table of contents may have {format_bytes(MOST_CONTENTS)}. "
                f"Received: {format_bytes(size)}; zip fewer files."
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def choose(infos: Sequence[ZipInfo], name: str, body_part: str | None) -> dict[ZipInfo, str]:
    """{entry: its path below the data set's folder} of all that is to be unpacked. Raises FetchError."""
    for info in infos:
        _check_entry(info)
    kept = [info for info in infos if not info.is_dir() and _is_kept(info.filename)]
    images = [info for info in kept if info.filename.lower().endswith(layouts.ENDINGS)]
    if not images:
        raise FetchError(
            f"{name} must hold images ({', '.join(layouts.ENDINGS)}). Received: {len(infos):,} other entries."
        )
    if len(kept) > MOST_FILES:
        raise FetchError(f"A zip may hold {MOST_FILES:,} files to be unpacked. Received: {len(kept):,}")
    if body_part:
        others = set(images) - set(_of_part(images, body_part))
        kept = [info for info in kept if info not in others]
    places = dict(zip(kept, _without_wrapper([info.filename for info in kept]), strict=True))
    if len({place.casefold() for place in places.values()}) < len(places):
        raise FetchError(f"{name} holds several files of the same name; unpack it by hand, and choose among them.")
    return places


def _check_entry(info: ZipInfo) -> None:
    """Raises FetchError for an entry that no honest zip of images has."""
    shown = repr(info.orig_filename[:120])
    kind = stat.S_IFMT(info.external_attr >> 16)
    if leads_out(info.orig_filename.removesuffix("/")):
        raise FetchError(
            "Entries of a zip must lie below its folder, with / between folders and no signs that are not seen. "
            f"Received: {shown}; nothing was unpacked."
        )
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FetchError(
            f"A zip may hold files and folders, no links or devices. Received: {shown}; nothing was unpacked."
        )
    if info.flag_bits & 0x1:
        raise FetchError(
            f"A zip must not be encrypted. Received: {shown} with a password; unpack it by hand, and zip it without."
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FetchError(f"A zip must be packed by deflate. Received: {shown}, packed otherwise; zip it again.")
    if info.file_size > max(SMALL, RATIO * info.compress_size) and _is_kept(info.filename):
        raise FetchError(
            f"A file may become {RATIO} times larger when unpacked. Received: {shown}, from "
            f"{format_bytes(info.compress_size)} to {format_bytes(info.file_size)}; nothing was unpacked."
        )


def _is_kept(path: str) -> bool:
    """Whether an entry is an image or a known list, and nothing that an operating system left there."""
    *folders, file = path.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in (*folders, file)):
        return False
    return file.lower().endswith(layouts.ENDINGS) or file in LISTS


def _of_part(images: list[ZipInfo], body_part: str) -> list[ZipInfo]:
    wanted = "XR_" + body_part.strip().upper().removeprefix("XR_")
    parts = {
        info: {part.upper() for part in info.filename.split("/")[:-1] if part.upper().startswith("XR_")}
        for info in images
    }
    if found := [info for info in images if wanted in parts[info]]:
        return found
    there = ", ".join(sorted(set().union(*parts.values()))) or "none is named"
    raise FetchError(f"body_part must be one of those in the zip ({there}). Received: {body_part}")


def _without_wrapper(paths: list[str]) -> list[str]:
    """The paths without folders that hold all of them and say nothing."""
    levels = zip(*(path.split("/")[:-1] for path in paths), strict=False)
    wrapper = list(itertools.takewhile(lambda level: len(set(level)) == 1 and not _says_something(level[0]), levels))
    return [path.split("/", len(wrapper))[-1] for path in paths]


def _says_something(folder: str) -> bool:
    """Whether a reader of data sets takes something from a folder's name."""
    return bool(_KEPT_FOLDERS.fullmatch(folder) or layouts.class_of(folder) is not None or folder.lower() in SPLITS)


def check_sizes(infos: Iterable[ZipInfo], out: Path, limit: int) -> None:
    """Raises FetchError where the sizes that the zip gives are above the limit, or the disk has no room for them."""
    infos = list(infos)
    total, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if total > limit:
        raise too_large(total, limit)
    if total > max(MANY, RATIO * packed):
        raise FetchError(
            f"What is unpacked may be {RATIO} times larger than the zip. Received: from {format_bytes(packed)} to "
            f"{format_bytes(total)}; nothing was unpacked."
        )
    check_space(out, total)


def too_large(size: int, limit: int) -> FetchError:
    """The error of what unpacks to more than it may."""
    return FetchError(
        f"What is unpacked may have {format_bytes(limit)} in all. "
        f"Received: {format_bytes(size)} or more; nothing was kept."
    )
