"""Checks before a file from elsewhere is let into a folder: complete content, enough disk space."""

import hashlib
import shutil
from pathlib import Path

from PIL import Image

from fracture.errors import FetchError
from fracture.formatting import format_bytes

MAX_FILE_BYTES = 100 * 2**20
"""Of a table or an image that is accepted from a server; those of MURA and FracAtlas are far smaller."""

SPARE = 200 * 2**20
"""Bytes that are left free on the disk."""

_END_MARKS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}
_TAIL = 4096
"""Bytes at the end of a file that are searched for the end mark: some cameras write a few more bytes behind it."""


def is_complete_image(path: Path) -> bool:
    """Whether a PNG or JPEG file exists and has its end; the checksums in a PNG are verified, too."""
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            image.verify()
            end_mark = _END_MARKS[image.format or ""]
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return end_mark in file.read()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def has_md5(path: Path, md5: str) -> bool:
    """Whether a file exists and has this MD5 sum; an empty sum, where a server names none, fits every file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return not md5 or hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5


def check_space(folder: Path, needed: int) -> None:
    """Raises FetchError where the disk of ``folder``, which need not exist yet, has no room for so many bytes."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if needed + SPARE > free:
        raise FetchError(
            f"About {format_bytes(needed)} and {format_bytes(SPARE)} to spare must be free on the disk of {folder}. "
            f"Received: {format_bytes(free)}; make room, or choose a folder on another disk."
        )
