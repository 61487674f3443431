"""Changes to a model folder: its name, the note about it, and a new model in the place of the one before.

A resumed run replaces the model that its first part left. That one stays whole until the new one is complete.
"""

import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from fracture.errors import ModelError
from fracture.files import JsonObject, atomic_write, write_json
from fracture.registry.model_folder import ModelFolder, model_folder, read_object

_log = logging.getLogger(__name__)

NOTE_LIMIT = 2000
"""The most characters of a note."""


def rename_model(folder: ModelFolder, name: str) -> ModelFolder:
    """Rename a model folder, and update the name in its card and status.

    The folder's own name counts. A process that dies before card and status are updated leaves a whole model with the
    new name.

    Returns:
        The folder under its new name.

    Raises:
        ModelError: the name is not allowed or is taken, the folder cannot be renamed, or it comes with the project.
    """
    target = model_folder(name, folder.path.parent)
    if folder.bundled:
        raise ModelError(f"Model {folder.name!r} comes with the project and keeps its name.")
    if target.path.exists() or model_folder(name).path.exists():
        raise ModelError(f"There is something called {name!r} already in the models folder. Choose another name.")
    try:
        folder.path.rename(target.path)
    except OSError as error:
        raise ModelError(f"{folder.name!r} cannot be renamed: {error.strerror}.") from error
    try:
        with _keep_age(target):
            for path in (target.card, target.status):
                if path.exists():
                    write_json(path, _renamed(read_object(path), folder.name, name))
    except (ModelError, OSError) as error:
        _log.warning("%s still holds the name %r: %s", target.path, folder.name, error)
    return target


def _renamed(document: JsonObject, old: str, new: str) -> JsonObject:
    """A card or a status with the new name wherever it holds the old one; nothing else of it changes."""
    renamed = dict(document)
    if "name" in document:
        renamed["name"] = new
    if isinstance(document.get("config"), dict):
        renamed["config"] = {**document["config"], "name": new}
    if document.get("command"):
        renamed["command"] = re.sub(rf"--name {re.escape(old)}(?= |$)", f"--name {new}", str(document["command"]))
    return renamed


def read_note(folder: ModelFolder) -> str:
    """The note about a model or a run; empty where there is none.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with folder.note.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(NOTE_LIMIT)  # people may have put a larger file there by hand
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ModelError(f"{folder.note.name} of {folder.name!r} cannot be read: {error.strerror}.") from error


def write_note(folder: ModelFolder, text: str) -> None:
    """Replace the note about a model or a run; a blank text deletes it.

    Raises:
        ModelError: the text is too long, or the note cannot be written.
    """
    if len(text) > NOTE_LIMIT:
        raise ModelError(f"A note has at most {NOTE_LIMIT:,} characters. Received: {len(text):,}. Shorten it.")
    try:
        with _keep_age(folder):
            if text.strip():
                atomic_write(folder.note, lambda part: part.write_text(text, encoding="utf-8", errors="replace"))
            else:
                folder.note.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"The note of {folder.name!r} cannot be written: {error.strerror}.") from error


@contextmanager
def _keep_age(folder: ModelFolder) -> Iterator[None]:
    """Restore the folder's modification time: by it the newest model is chosen, and a note makes no model newer."""
    before = folder.path.stat()
    try:
        yield
    finally:
        os.utime(folder.path, ns=(before.st_atime_ns, before.st_mtime_ns))


@contextmanager
def staging_folder(folder: ModelFolder) -> Iterator[ModelFolder]:
    """A folder for the files of a new model, beside those of the model before; deleted if an exception is raised."""
    staged = ModelFolder(folder.path / ".new")
    shutil.rmtree(staged.path, ignore_errors=True)  # left by a process that was killed
    staged.path.mkdir()
    try:
        yield staged
    except BaseException:
        shutil.rmtree(staged.path, ignore_errors=True)
        raise


def replace_model(staged: ModelFolder, folder: ModelFolder, card: JsonObject) -> None:
    """Move the staged files, and a card for them, into the place of the model before.

    The old card goes first and the new one comes last: where there is a card, the other files are whole and belong to
    it. Raises OSError; the model before is then whole.
    """
    write_json(staged.card, card)
    folder.card.unlink(missing_ok=True)
    for path in sorted(staged.path.iterdir(), key=lambda path: path == staged.card):
        path.replace(folder.path / path.name)
    staged.path.rmdir()
