"""What visitors of a public demo have left: deleted after a day, or when newer things need the room.

No process does only this: whoever opens a page sweeps.
"""

import contextlib
import os
import time
from pathlib import Path

from fracture import demo, paths
from fracture.data.folders import being_filled
from fracture.errors import FractureError
from fracture.files import remove_folder
from fracture.registry.model_folder import ModelFolder, read_json
from fracture.training.runs import queue
from fracture.training.runs.run import Run


def sweep() -> None:
    """Delete what is too old, and end trainings that have not come to their end in twice their time.

    Does nothing where this is no public demo. What is in use stays, and several may sweep at once.
    """
    if not demo.on():
        return
    active = [run for run in queue.runs() if run.active]
    for run in active:
        _end_overdue(run)
    for folder in _outdated(paths.models_home(), demo.LIMITS.trainings):
        with contextlib.suppress(FractureError):  # at work, or swept by another just now
            queue.remove(ModelFolder(folder))
    for name in ("graphs", "features"):
        _trim(paths.cache_home() / name, demo.LIMITS.cached)
    used = {str(each) for run in active for each in (run.config.get("data"), *run.config.get("also", ()))}
    for folder in _outdated(paths.data_home(), demo.LIMITS.datasets):
        if os.path.realpath(folder) not in used:
            _remove_data(folder)


def _outdated(place: Path, most: int) -> list[Path]:
    """The folders of visitors that are too old, or not among the newest so many."""
    folders = [path for path in place.iterdir() if not path.name.startswith(".")] if place.is_dir() else []
    since = {path: mark.since for path in folders if (mark := demo.mark_of(path))}
    newest, now = sorted(since, key=since.__getitem__, reverse=True), time.time()
    # What a clock that was wrong then has put more than a day ahead does not stay until then.
    outdated = {path for path in newest if abs(now - since[path]) > demo.LIMITS.kept}
    return [path for number, path in enumerate(newest) if number >= most or path in outdated]


def _trim(place: Path, most: int) -> None:
    """Delete the oldest files of a folder until no more bytes than so many are left."""
    with contextlib.suppress(OSError):  # not there yet, or swept by another just now
        newest = sorted(place.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in newest:
            total += path.stat().st_size
            if total > most:
                path.unlink()


def _end_overdue(run: Run) -> None:
    """One that hangs would keep all others waiting; nobody but its visitor, who has left, could end it."""
    with contextlib.suppress(FractureError, KeyError):
        status = read_json(run.folder.status)
        if time.time() - status["process_started"] > 2 * status["seconds"]:
            queue.end(run)


def _remove_data(folder: Path) -> None:
    """Remove a data set unless images are being brought into it."""
    if being_filled(folder):
        return
    with contextlib.suppress(OSError):  # another has done it
        remove_folder(folder)
