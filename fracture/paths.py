"""The folders of data sets, models and caches, and which names and paths from outside may be used.

Each folder is moved by one environment variable:

=================  ==================  =========================================
variable           default             content
=================  ==================  =========================================
FRACTURE_DATA      ``<project>/data``    data sets, one folder each
FRACTURE_MODELS    ``<project>/models``  models and runs, one folder each
FRACTURE_SHIPPED   ``<project>/models``  the models that come with the project
FRACTURE_CACHE     ``<project>/.cache``  what can be computed again at any time
=================  ==================  =========================================

The variables are read at each call, so that a test or a notebook can move a folder at any time.

A text from outside becomes a path here: a name by :func:`is_name`, the path of a file in a data set or a zip by
:func:`leads_out` or :func:`inside`, and a path that a person types on their own machine by :func:`typed_path`. The
public demo (:mod:`fracture.demo`) accepts only the names of its own data sets and models.
"""

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

from fracture.errors import FractureError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names of folders of models and data sets: such a name leads out of no folder, and is not hidden."""

MAX_NAME_LENGTH = 64

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DRIVE = re.compile(r"[A-Za-z]:")
# Control characters, and marks that turn the direction of reading.
_INVISIBLE = re.compile("[\0-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

_MAX_QUOTED = 120
"""Characters of a name from outside that a message quotes."""

PROJECT = Path(__file__).resolve().parent.parent


def is_name(text: str) -> bool:
    """Whether a text may be the name of a folder in one of the homes; see :data:`SAFE_NAME`."""
    return bool(SAFE_NAME.fullmatch(text))


def as_name(text: str, default: str, max_length: int = MAX_NAME_LENGTH) -> str:
    """A text made into a name: characters that are not allowed become a dash. ``default`` where none are left."""
    return _UNSAFE.sub("-", text).strip("-._")[:max_length] or default


def leads_out(path: str) -> bool:
    """Whether a posix path is absolute, goes up, or means another file to some system or to a reader.

    Such are backslashes, drive letters, line breaks, and marks that turn the direction of reading.
    """
    if "\\" in path or _INVISIBLE.search(path) or _DRIVE.match(path):
        return True
    return any(part in ("", ".", "..") for part in path.split("/"))


def inside(folder: Path, path: str) -> Path:
    """A file below a folder, by its posix path from there. Raises ValueError where the path leads out of it."""
    if leads_out(path):
        raise ValueError(f"A file must be named by a path below its folder. Received: {path[:120]!r}")
    return folder / path


def typed_path(text: str) -> Path:
    """The absolute path for a typed one: without blanks and quotes around it, and with ``~`` for the home folder.

    Raises:
        ValueError: no file or folder can have this path.
    """
    path = Path(text.strip().strip("\"'"))
    try:
        path = path.expanduser().resolve()
        path.exists()  # asks the system, which refuses for example a name that is too long
    except PermissionError as error:
        raise ValueError(f"{text[:80]!r} lies in a folder that this user may not read.") from error
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{text[:80]!r} is no path of a file or folder.") from error
    return path


def data_home() -> Path:
    """The folder of data sets. It need not exist. Raises FractureError where it may not be read."""
    return _readable(_folder("FRACTURE_DATA", "data"), "FRACTURE_DATA")


def short(folder: str) -> str:
    """The name of a folder in the data home, which is the same on any machine; other paths as they are."""
    with suppress(OSError, FractureError):
        for path in data_home().iterdir():
            if os.path.realpath(path) == folder:
                return path.name
    return folder


def models_home() -> Path:
    """The folder of models and runs. It need not exist. Raises FractureError where it may not be read."""
    return _readable(_folder("FRACTURE_MODELS", "models"), "FRACTURE_MODELS")


def shipped_home() -> Path:
    """The folder of the models that come with the project, any of which may be left out."""
    return _folder("FRACTURE_SHIPPED", "models")


def cache_home() -> Path:
    """The folder of caches. It need not exist, and may be deleted at any time; rooms of class votes then end."""
    return _folder("FRACTURE_CACHE", ".cache")


def _folder(variable: str, default: str) -> Path:
    return Path(os.path.realpath(Path(os.environ.get(variable) or PROJECT / default).expanduser()))


def _readable(folder: Path, variable: str) -> Path:
    try:
        # With the dot at its end, the path needs permission to enter the folder as well as to list it.
        os.scandir(f"{folder}{os.sep}.").close()
    except PermissionError as error:
        raise FractureError(
            f"{variable} must be a folder that this user may read. Received: {folder}; "
            "change its permissions, or set the variable to another folder."
        ) from error
    except OSError:  # missing, or no folder: whoever opens it will say so
        pass
    return folder


def sanitize_name(name: str) -> str:
    """A name from outside that a message can quote: one line, at most 120 characters, nothing invisible."""
    visible = "".join(letter for letter in name[:1000] if _is_visible(letter))
    if len(visible) > _MAX_QUOTED:
        half = _MAX_QUOTED // 2
        visible = f"{visible[:half]}…{visible[-half:]}"
    return visible.strip() or "the file"


def _is_visible(letter: str) -> bool:
    # The categories C are control and format characters, Z are separators such as line breaks.
    return letter == " " or unicodedata.category(letter)[0] not in "CZ"
