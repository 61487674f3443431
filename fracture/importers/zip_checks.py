"""Which entries of a zip from a stranger are unpacked, and which zips are refused.

Its names may lead out of the folder, and its sizes may be wrong.
"""

import itertools
import re
import stat
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipInfo

from fracture.data import layouts
from fracture.data.labels.words import class_of
from fracture.data.splits import split_of
from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers.file_checks import check_space
from fracture.paths import leads_out

TABLE_FILES = ("dataset.csv", "truth.csv", "curation.csv", "labels.json")
"""The files besides images that are unpacked from every zip; see :func:`_lists` for others."""

_JOB_FILES = ("import.json", "phantom.json", "status.json")
"""What this project writes about its own jobs: that of somebody else's machine says nothing here."""

_SAYS_ITSELF = re.compile(r"(^|/)(dataset\.csv|(?i:study\d+_(positive|negative))/.*)$")
"""FracAtlas and MURA, which need no other lists."""

LIMIT = 8 * 10**9
"""Bytes that all files together may have, unpacked. MURA has 3.3 GB."""

MAX_FILES = 100_000
"""MURA has 40,561."""

MAX_TABLE_BYTES = 12 * 2**20
"""Bytes of a zip's table of contents: of as many files under long names. It is held in memory, ten times as large."""

MAX_RATIO = 100
"""How many times larger than in the zip a file may be. PNG and JPEG hardly shrink; an empty DICOM may, by 30."""

SMALL_FILE = 10**6
"""Bytes of a file whose ratio does not matter."""

SMALL_TOTAL = 10**8
"""Bytes of all files together whose ratio does not matter."""

_MEANINGFUL_FOLDERS = re.compile(r"XR_[A-Z]+|patient[ _-]?\d+|study[ _-]?\d+.*|images", re.IGNORECASE)


class LimitedReads:
    """An open zip whose table of contents is not read where it is larger than :data:`MAX_TABLE_BYTES`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises FetchError for many at a time: zipfile reads the table at once, files in parts."""
        if size > MAX_TABLE_BYTES:
            raise FetchError(
                f"A zip's table of contents may have {format_bytes(MAX_TABLE_BYTES)}. "
                f"Received: {format_bytes(size)}; zip fewer files."
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def choose_entries(
    infos: Sequence[ZipInfo], name: str, body_part: str | None, is_dicom: Callable[[ZipInfo], bool]
) -> dict[ZipInfo, str]:
    """{entry: its path below the data set's folder} of all entries to unpack. Raises FetchError.

    ``is_dicom``: whether an entry without ending is a DICOM file by its first bytes.
    """
    for info in infos:
        _check_entry(info)
    unnamed = _unnamed_dicom(infos, is_dicom)
    kept = [info for info in infos if not info.is_dir() and (info in unnamed or _is_kept(info.filename))]
    images = [info for info in kept if info in unnamed or info.filename.lower().endswith(layouts.ENDINGS)]
    kept += _lists(infos, kept)
    if not images:
        raise FetchError(
            f"{name} must hold images ({', '.join(layouts.ENDINGS)}). Received: {len(infos):,} other entries."
        )
    if len(kept) > MAX_FILES:
        raise FetchError(f"A zip may hold {MAX_FILES:,} files to be unpacked. Received: {len(kept):,}")
    if body_part:
        unwanted = _other_body_parts(images, body_part)
        kept = [info for info in kept if info not in unwanted]
    places = dict(zip(kept, _without_wrapper([info.filename for info in kept]), strict=True))
    if len({place.casefold() for place in places.values()}) < len(places):
        raise FetchError(f"{name} holds several files of the same name; unpack it by hand, and choose among them.")
    return places


def is_list(path: str) -> bool:
    """Whether a file is no image but a table, annotations, or the names of classes."""
    return path.rpartition("/")[2].lower().endswith((*layouts.TABLES, *layouts.ANNOTATIONS))


def _lists(infos: Sequence[ZipInfo], kept: Sequence[ZipInfo]) -> list[ZipInfo]:
    """The tables and annotations of a data set whose folders do not say themselves what its images show."""
    folders = {part for info in kept for part in info.filename.split("/")[:-1]}
    if {0, 1} <= set(map(class_of, folders)) or any(_SAYS_ITSELF.search(info.filename) for info in kept):
        return []
    known = set(kept)
    lists = [info for info in infos if not info.is_dir() and info not in known and _is_other_list(info.filename)]
    for info in lists:
        _check_ratio(info)
    return lists


def _is_other_list(path: str) -> bool:
    return is_list(path) and not _is_hidden(path) and path.rpartition("/")[2] not in _JOB_FILES


def _unnamed_dicom(infos: Sequence[ZipInfo], is_dicom: Callable[[ZipInfo], bool]) -> set[ZipInfo]:
    """The DICOM files without ending; hidden files are left out."""
    by_folder = defaultdict(list)
    for info in infos:
        folder, _, file = info.filename.rpartition("/")
        if not info.is_dir() and not _is_hidden(info.filename) and layouts.may_be_dicom(file):
            by_folder[folder].append(info)
    return {info for candidates in by_folder.values() for info in layouts.choose_dicom(candidates, is_dicom)}


def _check_entry(info: ZipInfo) -> None:
    """Raises FetchError for an entry that no honest zip of images has."""
    # zipfile cuts filename at a null byte, and turns backslashes on Windows; orig_filename is as the zip has it.
    shown = repr(info.orig_filename[:120])
    if leads_out(info.orig_filename.removesuffix("/")):
        raise FetchError(
            "Entries of a zip must lie below its folder, with / between folders and no invisible characters. "
            f"Received: {shown}; nothing was unpacked."
        )
    # 0: no Unix file type is stated, as in a zip that was made on Windows.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FetchError(
            f"A zip may hold files and folders, no links or devices. Received: {shown}; nothing was unpacked."
        )
    if info.flag_bits & 0x1:
        raise FetchError(
            f"A zip must not be encrypted. Received: {shown} with a password; unpack it by hand, and zip it without."
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FetchError(f"A zip must use deflate. Received: {shown} with another compression; zip it again.")
    if _is_kept(info.filename) or layouts.may_be_dicom(info.filename.rpartition("/")[2]):
        _check_ratio(info)


def _check_ratio(info: ZipInfo) -> None:
    """Raises FetchError for a file that grows more than any honest one."""
    if info.file_size > max(SMALL_FILE, MAX_RATIO * info.compress_size):
        raise FetchError(
            f"A file may become {MAX_RATIO} times larger when unpacked. Received: {info.orig_filename[:120]!r}, from "
            f"{format_bytes(info.compress_size)} to {format_bytes(info.file_size)}; nothing was unpacked."
        )


def _is_kept(path: str) -> bool:
    """Whether an entry is an image or a known list, and no hidden file of an operating system."""
    if _is_hidden(path):
        return False
    return path.lower().endswith(layouts.ENDINGS) or path.rpartition("/")[2] in TABLE_FILES


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def _other_body_parts(images: list[ZipInfo], body_part: str) -> set[ZipInfo]:
    """The images of all other body parts. Raises FetchError where none would be left."""
    wanted = "XR_" + body_part.strip().upper().removeprefix("XR_")
    parts = {}
    for info in images:
        folders = info.filename.upper().split("/")[:-1]
        parts[info] = {folder for folder in folders if folder.startswith("XR_")}
    available = set().union(*parts.values())
    if wanted not in available:
        shown = ", ".join(sorted(available)) or "none is named"
        raise FetchError(f"body_part must be one of those in the zip ({shown}). Received: {body_part}")
    return {info for info in images if wanted not in parts[info]}


def _without_wrapper(paths: list[str]) -> list[str]:
    """The paths without outer folders that hold all of them and whose names mean nothing."""
    levels = zip(*(path.split("/")[:-1] for path in paths), strict=False)
    wrapper = list(itertools.takewhile(lambda level: len(set(level)) == 1 and not _is_meaningful(level[0]), levels))
    return [path.split("/", len(wrapper))[-1] for path in paths]


def _is_meaningful(folder: str) -> bool:
    """Whether a reader of data sets takes a label, a split or a patient from a folder's name."""
    is_class = class_of(folder) is not None
    return is_class or split_of(folder) != "" or bool(_MEANINGFUL_FOLDERS.fullmatch(folder))


def check_sizes(infos: Collection[ZipInfo], out: Path, limit: int) -> None:
    """Raises FetchError where the sizes that the zip states are above the limit, or the disk has no room for them."""
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > limit:
        raise too_large(total, limit)
    if total > max(SMALL_TOTAL, MAX_RATIO * packed):
        raise FetchError(
            f"The files may be {MAX_RATIO} times larger than the zip. Received: from {format_bytes(packed)} to "
            f"{format_bytes(total)}; nothing was unpacked."
        )
    check_space(out, total)


def too_large(size: int, limit: int) -> FetchError:
    """The error for a zip that unpacks to more than the limit."""
    return FetchError(
        f"The unpacked files may have {format_bytes(limit)} in all. "
        f"Received: {format_bytes(size)} or more; nothing was kept."
    )
