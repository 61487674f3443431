"""The data sets that this machine offers: the folders in the data home, and those whose paths people have typed.

A typed folder stays in the list of a private installation, in a file of the data home. A public demo has only its own.
"""

import contextlib
import logging
from pathlib import Path

from fracture import demo
from fracture.data.dataset import looks_like_data
from fracture.files import read_json, write_json
from fracture.importers.job import find_import
from fracture.paths import data_home
from fracture.phantoms.job import find_drawing

LIST = ".folders.json"
"""In the data home: the paths that were typed, the newest first."""

MOST_TYPED = 12
"""Typed paths that are kept; the oldest go first."""


def list_datasets() -> list[Path]:
    """The folders to choose from: those of the data home by name, then the typed ones, the newest first.

    A folder without an image is left out, unless images are just being brought into it.
    """
    home = data_home()
    inside = sorted(home.iterdir()) if home.is_dir() else []
    return [folder for folder in inside if not folder.name.startswith(".") and _offered(folder)] + typed_folders()


def _offered(folder: Path) -> bool:
    incoming, phantoms = find_import(folder), find_drawing(folder)
    if incoming is not None and incoming.state != "complete":
        return incoming.active or incoming.progress.files > 0
    if phantoms is not None and phantoms.state != "complete":
        return phantoms.active or phantoms.images > 0
    return looks_like_data(folder)


def being_filled(folder: Path) -> bool:
    """Whether images are being imported or generated into a folder."""
    return any(job is not None and job.active for job in (find_import(folder), find_drawing(folder)))


def typed_folders() -> list[Path]:
    """The folders elsewhere that people have typed and that still look like data sets; none in a public demo."""
    return [] if demo.on() else [folder for folder in _typed() if looks_like_data(folder)]


def remember(folder: Path) -> None:
    """Keep a typed folder in the list. A public demo keeps none, and those of the data home are listed anyway."""
    before = _typed()
    if demo.on() or folder.parent == data_home() or before[:1] == [folder] or not looks_like_data(folder):
        return
    _write([folder, *(each for each in before if each != folder)][:MOST_TYPED])


def forget(folder: Path) -> None:
    """Take a typed folder out of the list; what is in it stays."""
    _write([each for each in _typed() if each != folder])


def _typed() -> list[Path]:
    with contextlib.suppress(OSError, ValueError):
        said = read_json(data_home() / LIST)
        if isinstance(said, dict) and isinstance(said.get("folders"), list):
            return [Path(each) for each in said["folders"] if isinstance(each, str)]
    return []


def _write(folders: list[Path]) -> None:
    try:
        data_home().mkdir(parents=True, exist_ok=True)
        write_json(data_home() / LIST, {"folders": [str(each) for each in folders]})
    except OSError as error:  # the folder is shown all the same, only not offered again
        logging.getLogger(__name__).warning("%s cannot be written: %s", data_home() / LIST, error)
