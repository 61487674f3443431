"""Files written whole or not at all: beside their place, then renamed into it.

A reader never sees half a file, and a crash never harms a whole one.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_json(path: Path, values: dict[str, Any]) -> None:
    """A JSON object to a file, whole or not at all."""
    write_beside(path, lambda part: part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8"))


def write_beside(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file of the same ending, then rename it to ``path``."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
