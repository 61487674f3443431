"""The process of a run: takes the run's folder over, trains, writes signs of life, and records how the run ended.

:mod:`fracture.training.runs.queue` starts it as ``python -m fracture.training.runs.worker FOLDER``.
"""

import contextlib
import logging
import math
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from fracture import demo
from fracture.errors import Cancelled, FractureError, RunError
from fracture.jobs import process
from fracture.logs import configure_logs
from fracture.parallel import cluster_address
from fracture.registry.model_folder import ModelFolder
from fracture.training.config import TrainConfig
from fracture.training.events import EventLog
from fracture.training.runs.queue import advance, alone
from fracture.training.runs.run import RunStatus

HEARTBEAT = 2.0
"""Seconds between signs of life in ``status.json``, for other hosts, which can't ask this one about its processes."""

TRIES = 5
"""How often the worker tries to record the end of a run before it gives up."""

_log = logging.getLogger(__name__)


def work(folder: ModelFolder) -> None:
    """Do a run, from its status file to its model."""
    process.lower_priority()
    status = _take_over(folder)
    if status is None:
        return
    emit = EventLog(folder.events)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(folder, status, done), daemon=True)
    heart.start()
    outcome = _train(folder, status, emit)
    done.set()
    heart.join()
    try:
        _retry(lambda: status.model_copy(update=outcome).write(folder.status))
        folder.stop_request.unlink(missing_ok=True)
        emit.close()
    finally:
        # The next run begins, even where the end of this one could not be recorded.
        advance()


def _take_over(folder: ModelFolder) -> RunStatus | None:
    """Make this process the run's; None where the run was stopped meanwhile, or another process does it."""
    with alone():
        status = RunStatus.read(folder.status)
        if status is None or status.state != "running":
            return None
        if status.pid is not None and status.alive:
            return None
        _remove_partial_files(folder)
        status = status.model_copy(update={**process.identity(), "heartbeat": time.time()})
        status.write(folder.status)
        return status


def _remove_partial_files(folder: ModelFolder) -> None:
    """Remove the temporary files of a process that was killed while it wrote."""
    for left in folder.path.glob(".*"):
        if left.is_dir():
            shutil.rmtree(left)
        elif left.name != demo.OWNER_FILE:
            left.unlink()


def _retry(write: Callable[[], None]) -> None:
    """Write, again after a while where the disk is full. Raises OSError where it stays full."""
    for _ in range(TRIES):
        try:
            return write()
        except OSError as error:
            _log.warning("The end of the run cannot be recorded yet: %s", error)
        time.sleep(HEARTBEAT)
    return write()


def _train(folder: ModelFolder, status: RunStatus, emit: EventLog) -> dict[str, str | None]:
    """Train, and return how the run ended: ``state``, ``error`` and ``error_type`` of its status."""
    started = time.monotonic()
    limit = math.inf if status.seconds is None else status.seconds

    def should_stop() -> bool:
        return folder.stop_request.exists() or time.monotonic() - started > limit

    try:
        # The import is within the block, so that its failure is recorded like any other.
        from fracture.training.pipeline import run

        config = TrainConfig.from_json(status.config)
        cluster = cluster_address(status.cluster)
        card = run(config, emit, should_stop, resume=status.resume, cluster=cluster)
        return _outcome(card["state"])
    except Cancelled:
        outcome = _outcome("stopped")
    except FractureError as failure:
        outcome = _outcome("failed", str(failure), failure)
    except Exception as failure:  # noqa: BLE001  nobody above catches it, and the page must show it
        traceback.print_exc()
        words = f"The run broke off: {_reason(failure)} Details: {folder.log.name} in its folder."
        outcome = _outcome("failed", words, failure)
    with contextlib.suppress(OSError):  # the disk may be full; the status records the same
        seconds = round(time.monotonic() - started, 2)
        emit("end", state=outcome["state"], seconds=seconds, error=outcome["error"])
    return outcome


def _outcome(state: str, error: str | None = None, failure: Exception | None = None) -> dict[str, str | None]:
    error_type = type(failure).__name__ if failure else None
    return {"state": state, "error": error, "error_type": error_type}


def _reason(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.strerror}."
    return f"{type(failure).__name__}."


def _beat(folder: ModelFolder, status: RunStatus, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT):
        # A full disk must not end the run from here, nor a queue that others hold.
        with contextlib.suppress(OSError, RunError), alone():
            if _lost(folder):
                _leave(folder)
            status.model_copy(update={"heartbeat": time.time()}).write(folder.status)


def _lost(folder: ModelFolder) -> bool:
    """Whether another host has aborted the run or deleted it, or has given this process up and resumed the run."""
    found = RunStatus.read(folder.status)
    if found is None:  # deleted, or damaged
        return not folder.path.exists()
    return not (found.own and found.state == "running")


def _leave(folder: ModelFolder) -> None:
    """End at once, before anything is written to the folder."""
    _log.warning("The run %s is no longer this process's.", folder.name)
    os._exit(1)


if __name__ == "__main__":
    configure_logs()
    work(ModelFolder(Path(sys.argv[1])))
