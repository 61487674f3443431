"""Delete what visitors of a public demo have left: after its retention time, or when newer things need the room.

There is no process for this alone: every page that is opened calls :func:`delete_outdated`.
"""

import contextlib
import logging
import os
import time
from pathlib import Path

from fracture import demo, paths
from fracture.data.folders import being_filled
from fracture.errors import FractureError
from fracture.files import remove_folder
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs import queue
from fracture.training.runs.run import Run, RunStatus

_log = logging.getLogger(__name__)


def delete_outdated() -> None:
    """Delete what is too old, and abort runs that have taken twice their time.

    Does nothing where this is no public demo. What is in use stays. Several processes may do this at once.
    """
    if not demo.is_public():
        return
    active = [run for run in queue.runs() if run.active]
    for run in active:
        _abort_overdue(run)
    for folder in _outdated(paths.models_home(), demo.LIMITS.max_runs):
        with contextlib.suppress(FractureError):  # it is running, or another process has deleted it just now
            queue.remove(ModelFolder(folder))
    for name in ("graphs", "features"):
        _trim(paths.cache_home() / name, demo.LIMITS.max_cache_bytes)
    used: set[str] = set()
    for run in active:
        used.update((str(run.config.get("data")), *map(str, run.config.get("also", ()))))
    for folder in _outdated(paths.data_home(), demo.LIMITS.max_datasets):
        if os.path.realpath(folder) not in used:
            _remove_data(folder)


def _outdated(home: Path, most: int) -> list[Path]:
    """The folders of visitors that are too old, or not among the ``most`` newest."""
    if not home.is_dir():
        return []
    since: dict[Path, float] = {}
    for path in home.iterdir():
        if path.name.startswith("."):
            continue
        # What has no owner is not a visitor's, and stays.
        mark = demo.owner_of(path)
        if mark:
            since[path] = mark.since
    newest = sorted(since, key=since.__getitem__, reverse=True)
    now = time.time()
    # A clock that was wrong may have dated a folder far ahead: that one goes as well.
    too_old = {path for path in newest if abs(now - since[path]) > demo.LIMITS.retention_seconds}
    return [path for number, path in enumerate(newest) if number >= most or path in too_old]


def _trim(folder: Path, most: int) -> None:
    """Delete the oldest files of a folder until at most ``most`` bytes are left."""
    with contextlib.suppress(OSError):  # it is not there yet, or another process has deleted a file just now
        newest = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in newest:
            total += path.stat().st_size
            if total > most:
                path.unlink()


def _abort_overdue(run: Run) -> None:
    """A run that hangs would block the queue, and its visitor, who alone may stop it, has left."""
    status = RunStatus.read(run.folder.status)
    if status is None or status.process_started is None or status.seconds is None:
        return
    if time.time() - status.process_started > 2 * status.seconds:
        try:
            queue.abort(run)
        except FractureError as error:
            _log.warning("The overdue run %s was not aborted: %s", run.name, error)


def _remove_data(folder: Path) -> None:
    """Delete a data set unless a job is filling it."""
    if being_filled(folder):
        return
    with contextlib.suppress(OSError):  # another process has deleted it
        remove_folder(folder)
