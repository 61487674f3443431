"""What people may change of a finished model or a training: its name, and the note about it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fracture.errors import ModelError
from fracture.files import atomic_write, write_json
from fracture.registry.model_folder import ModelFolder, model_folder, read_json

NOTE_LIMIT = 2000
"""Most characters of a note."""


def rename(folder: ModelFolder, name: str) -> ModelFolder:
    """Give a model folder another name, and say it in its card and status; returns it as it is called now.

    The folder's own name counts. Who dies before the files say it, too, leaves a whole model with the new name.

    Raises:
        ModelError: the name could lead out of the models folder or is taken; the folder cannot be renamed, or came with
            the project.
    """
    target = model_folder(name, folder.path.parent)
    if folder.bundled:
        raise ModelError(f"Model {folder.name!r} comes with the project and keeps its name.")
    if target.path.exists():
        raise ModelError(f"There is something called {name!r} already in the models folder. Choose another name.")
    try:
        folder.path.rename(target.path)
    except OSError as error:
        raise ModelError(f"{folder.name!r} cannot be renamed: {error.strerror}.") from error
    with suppress(ModelError, OSError), _as_old_as_before(target):
        for path in (target.card, target.status):
            if path.exists():
                write_json(path, _renamed(read_json(path), folder.name, name))
    return target


def _renamed(said: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """A card or a status, wherever it says the name."""
    config = {"config": {**said["config"], "name": new}} if isinstance(said.get("config"), dict) else {}
    called = {"name": new} if "name" in said else {}
    command = re.sub(rf"--name {re.escape(old)}(?= |$)", f"--name {new}", str(said.get("command", "")))
    return {**said, **config, **called, **({"command": command} if command else {})}


def read_note(folder: ModelFolder) -> str:
    """What people wrote about a model or a training; empty where nobody has.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with folder.note.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(NOTE_LIMIT)  # whatever else has been put there
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ModelError(f"{folder.note.name} of {folder.name!r} cannot be read: {error.strerror}.") from error


def write_note(folder: ModelFolder, text: str) -> None:
    """Keep a note beside a model or a training, in the place of the one before; a blank one takes it away.

    Raises:
        ModelError: it is too long, or cannot be written.
    """
    if len(text) > NOTE_LIMIT:
        raise ModelError(f"A note has at most {NOTE_LIMIT:,} characters. Received: {len(text):,}. Shorten it.")
    try:
        with _as_old_as_before(folder):
            if text.strip():
                atomic_write(folder.note, lambda part: part.write_text(text, encoding="utf-8", errors="replace"))
            else:
                folder.note.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"The note of {folder.name!r} cannot be kept: {error.strerror}.") from error


@contextmanager
def _as_old_as_before(folder: ModelFolder) -> Iterator[None]:
    """A note and a name make no model newer: its folder's age is what says which is the newest."""
    was = folder.path.stat()
    try:
        yield
    finally:
        os.utime(folder.path, ns=(was.st_atime_ns, was.st_mtime_ns))
