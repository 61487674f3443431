"""Files written whole or not at all: beside their place, then renamed into it.

A reader never sees half a file, and a crash never harms a whole one.
"""

import errno
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

LARGEST = 64 * 2**20
"""Bytes of a JSON file that is read; those of this project have a thousandth of that."""


def read_json(path: Path) -> Any:
    """A JSON document from a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no such document, or far too large a one.
    """
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(f"it has {size:,} bytes, and at most {LARGEST:,} are read")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def open_file(path: Path) -> BufferedReader:
    """Open a file to read its bytes. Raises OSError, also for a pipe or a device: reading one may never end."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # opening a folder raises an error of its own
        return path.open("rb")
    raise OSError(errno.EINVAL, "It is a pipe or device", str(path))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes in hexadecimal. Raises OSError as :func:`open_file` does."""
    import hashlib  # 4 MB that `fracture --help` does not need

    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, values: dict[str, Any]) -> None:
    """A JSON object to a file, whole or not at all."""
    atomic_write(path, lambda part: part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8"))


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file of the same ending, then rename it to ``path``.

    It is on the disk before it has the name, and has it for good before this returns: also where the power fails.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o644)
        _settle(part)
        part.replace(path)
        _settle(path.parent)
    finally:
        part.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it: renamed first, so that nobody meets half of it. Of a link, only the link.

    Raises OSError where it cannot be renamed.
    """
    doomed = folder.with_name(f".deleted-{folder.name}-{os.urandom(4).hex()}")
    folder.rename(doomed)
    if doomed.is_symlink():
        doomed.unlink()
    else:
        shutil.rmtree(doomed, ignore_errors=True)


def _settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; some systems do that for files alone."""
    with suppress(PermissionError) if path.is_dir() else nullcontext():
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
