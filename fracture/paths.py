"""Where things lie on disk: data sets, models and caches, each moved by one environment variable.

=================  ==================  =========================================
variable           default             what lies there
=================  ==================  =========================================
FRACTURE_DATA      ``<project>/data``    data sets, one folder each
FRACTURE_MODELS    ``<project>/models``  models and trainings, one folder each
FRACTURE_CACHE     ``<project>/.cache``  what can be computed again at any time
=================  ==================  =========================================

The variables are read at each call, so that a test or a notebook can move a folder at any time.

Whatever text from elsewhere becomes a path goes through here: a name by :func:`is_name`, the path of a file in a data
set or a zip by :func:`leads_out` or :func:`inside`, and what a person types on their own machine by :func:`typed_path`.
A public demo (:mod:`fracture.demo`) takes the names of its own data sets and models alone.
"""

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

from fracture.errors import FractureError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a model's folder may be called: no name leads out of its folder or hides."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DRIVE = re.compile(r"[A-Za-z]:")
_UNSEEN = re.compile("[\0-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

_MAX_SHOWN = 120
"""Characters of a foreign name that a message quotes."""

PROJECT = Path(__file__).resolve().parent.parent


def is_name(text: str) -> bool:
    """Whether a text may be the name of a folder in one of the homes; see :data:`SAFE_NAME`."""
    return bool(SAFE_NAME.fullmatch(text))


def as_name(text: str, otherwise: str, most: int = 64) -> str:
    """A text made into a name of at most ``most`` characters: what it may not hold becomes a dash."""
    return _UNSAFE.sub("-", text).strip("-._")[:most] or otherwise


def leads_out(path: str) -> bool:
    """Whether a posix path is absolute, goes up, or is read otherwise by some system or person.

    Such are backslashes, drive letters, line breaks, and marks that turn the direction of reading.
    """
    odd = "\\" in path or _UNSEEN.search(path) or _DRIVE.match(path)
    return bool(odd) or any(part in ("", ".", "..") for part in path.split("/"))


def inside(folder: Path, path: str) -> Path:
    """A file below a folder, by its posix path from there. Raises ValueError where the path leads out of it."""
    if leads_out(path):
        raise ValueError(f"A file must be named by a path below its folder. Received: {path[:120]!r}")
    return folder / path


def typed_path(text: str) -> Path:
    """The absolute path that a person typed: blanks and quotes around it do not count, ``~`` is their home.

    Raises:
        ValueError: it cannot be the path of anything.
    """
    path = Path(text.strip().strip("\"'"))
    try:
        path = path.expanduser().resolve()
        path.exists()
    except PermissionError as error:
        raise ValueError(f"{text[:80]!r} lies where this user may not look.") from error
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{text[:80]!r} is no path of a file or folder.") from error
    return path


def data_home() -> Path:
    """The folder of data sets. It need not exist. Raises FractureError where it may not be read."""
    return _readable(_folder("FRACTURE_DATA", "data"), "FRACTURE_DATA")


def short(folder: str) -> str:
    """The name alone of a folder in the data home, which says the same on any machine; other paths as they are."""
    with suppress(OSError, FractureError):
        return next((path.name for path in data_home().iterdir() if os.path.realpath(path) == folder), folder)
    return folder


def models_home() -> Path:
    """The folder of models and trainings. It need not exist. Raises FractureError where it may not be read."""
    return _readable(_folder("FRACTURE_MODELS", "models"), "FRACTURE_MODELS")


def cache_home() -> Path:
    """The folder of caches. It need not exist, and may be deleted at any time."""
    return _folder("FRACTURE_CACHE", ".cache")


def _folder(variable: str, default: str) -> Path:
    return Path(os.path.realpath(Path(os.environ.get(variable) or PROJECT / default).expanduser()))


def _readable(folder: Path, variable: str) -> Path:
    try:
        os.scandir(f"{folder}{os.sep}.").close()  # by way of the dot, which needs leave to enter as well as to list
    except PermissionError as error:
        raise FractureError(
            f"{variable} must be a folder that this user may read. Received: {folder}; "
            "change its permissions, or set the variable to another folder."
        ) from error
    except OSError:  # not there, or no folder: who needs it says so
        pass
    return folder


def sanitize_name(name: str) -> str:
    """A name from outside, made fit for a sentence: one line, at most 120 characters, nothing invisible."""
    seen = "".join(letter for letter in name[:1000] if unicodedata.category(letter)[0] not in "CZ" or letter == " ")
    short = seen if len(seen) <= _MAX_SHOWN else f"{seen[: _MAX_SHOWN // 2]}…{seen[-_MAX_SHOWN // 2 :]}"
    return short.strip() or "the file"
