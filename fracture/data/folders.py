"""The data sets that this machine offers: the folders in the data home, and those whose paths people have typed.

A typed folder stays in the list of a private installation, in a file of the data home. A public demo has only its own.
"""

import logging
from pathlib import Path

from fracture import demo
from fracture.data.dataset import looks_like_data
from fracture.documents import Document
from fracture.files import read_json, write_json
from fracture.jobs.status import data_job
from fracture.paths import data_home

_log = logging.getLogger(__name__)

LIST = ".folders.json"
"""In the data home: the paths that were typed, the newest first."""

MOST_TYPED = 12
"""Typed paths that are kept; the oldest go first."""


def list_datasets() -> list[Path]:
    """The folders to choose from: those of the data home by name, then the typed ones, the newest first.

    A folder without an image is left out, unless a job is filling it.
    """
    home = data_home()
    inside = sorted(home.iterdir()) if home.is_dir() else []
    return [folder for folder in inside if not folder.name.startswith(".") and _offered(folder)] + typed_folders()


def _offered(folder: Path) -> bool:
    job = data_job(folder)
    if job is not None and not job.complete:
        return job.working or job.files > 0
    return looks_like_data(folder)


def being_filled(folder: Path) -> bool:
    """Whether images are being imported or generated into a folder."""
    job = data_job(folder)
    return job is not None and job.working


def typed_folders() -> list[Path]:
    """The folders elsewhere that people have typed and that are still data sets; none in a public demo."""
    return [] if demo.is_public() else [folder for folder in _typed() if looks_like_data(folder)]


def remember(folder: Path) -> None:
    """Keep a typed folder in the list. A public demo keeps none, and those of the data home are listed anyway."""
    before = _typed()
    listed = folder.parent == data_home() or before[:1] == [folder]
    if demo.is_public() or listed or not looks_like_data(folder):
        return
    others = [each for each in before if each != folder]
    _write([folder, *others][:MOST_TYPED])


def forget(folder: Path) -> None:
    """Remove a typed folder from the list; its files stay."""
    _write([each for each in _typed() if each != folder])


def _typed() -> list[Path]:
    path = data_home() / LIST
    try:
        return [Path(each) for each in _TypedFolders.model_validate(read_json(path)).folders]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        _log.warning("%s is damaged: %s", path, error)
        return []


class _TypedFolders(Document):
    """The file :data:`LIST`."""

    folders: list[str]


def _write(folders: list[Path]) -> None:
    try:
        data_home().mkdir(parents=True, exist_ok=True)
        write_json(data_home() / LIST, {"folders": [str(each) for each in folders]})
    except OSError as error:  # the folder is shown all the same, only not offered again
        _log.warning("%s cannot be written: %s", data_home() / LIST, error)
