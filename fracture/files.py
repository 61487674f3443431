"""Atomic writes, JSON files, checksums, and opening what may be a pipe.

A file is written under a temporary name and then renamed: a reader never sees half a file, and a crash never damages a
whole one.
"""

import errno
import json
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

JsonObject = dict[str, Any]
"""A JSON object as it is read, or is about to be written."""

MAX_JSON_BYTES = 64 * 2**20
"""Of a JSON file that is read; those of this project have a thousandth of that."""

_DAMAGED_ARRAYS = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    TypeError,  # a single array, which is no archive
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and NumPy raise for an archive of arrays that is damaged in one way or another."""


def read_arrays(path: Path) -> dict[str, "NDArray[Any]"]:
    """The arrays of an ``.npz`` file, by name. No pickled object is read.

    Raises:
        FileNotFoundError: there is no file.
        ValueError: it cannot be read, or is no such file.
    """
    import numpy as np  # a tenth of a second, which ``fracture --help`` need not take

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except _DAMAGED_ARRAYS as error:
        raise ValueError(f"{path.name} holds no arrays: {error}") from error


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no JSON document, or one that is far too large.
    """
    size = path.stat().st_size
    if size > MAX_JSON_BYTES:
        raise ValueError(f"it has {size:,} bytes, and at most {MAX_JSON_BYTES:,} are read")
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


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    text = json.dumps(values, indent=1) + "\n"
    atomic_write(path, lambda part: part.write_text(text, encoding="utf-8"))


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file of the same ending, then rename it to ``path``.

    The content is on the disk before the rename, and the rename before this returns: a power failure leaves the old
    file or the new one.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o644)
        _sync_file(part)
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Delete a folder with all its files; of a link, only the link. Raises OSError where it cannot be renamed."""
    # Renamed first, so that nobody reads a folder of which half is deleted.
    deleted = folder.with_name(f".deleted-{folder.name}-{os.urandom(4).hex()}")
    folder.rename(deleted)
    if deleted.is_symlink():
        deleted.unlink()
    else:
        shutil.rmtree(deleted, ignore_errors=True)


def _sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    _sync(path, os.O_RDWR)


def _sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk; Windows, which opens no folder, does that by itself."""
    with suppress(PermissionError):
        _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
