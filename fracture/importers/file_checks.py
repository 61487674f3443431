"""What must hold before a file from elsewhere is let into a folder: its name, its end, and room for it."""

import shutil
from pathlib import Path

from PIL import Image

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.paths import leads_out

SPARE = 200 * 2**20
"""Bytes that are left free on the disk."""

_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}


def check_name(name: str) -> None:
    """Raises FetchError for a name that leads out of its folder, or would not mean the same on every system."""
    if leads_out(name):
        raise FetchError(
            f"A file must be named by a path below its folder. Received: {name[:120]!r}; nothing was written."
        )


def whole_image(path: Path) -> bool:
    """Whether a PNG or JPEG file is there and goes on to its end; of a PNG, each part's check sum is looked at, too."""
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            image.verify()
            return _ENDS[image.format or ""] in _tail(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))  # some cameras write a few more bytes behind the end
        return file.read()


def check_space(folder: Path, needed: int) -> None:
    """Raises FetchError where the disk of ``folder``, which need not exist yet, has no room for so many bytes."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed + SPARE > free:
        raise FetchError(
            f"About {format_bytes(needed)} and {format_bytes(SPARE)} to spare must be free on the disk of {folder}. "
            f"Received: {format_bytes(free)}; make room, or choose a folder on another disk."
        )
