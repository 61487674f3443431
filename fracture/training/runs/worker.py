"""What a training's own process does: take its folder over, train, say that it lives, and write down how it ended.

:mod:`fracture.training.runs.queue` starts it as ``python -m fracture.training.runs.worker FOLDER``.
"""

import contextlib
import math
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fracture import demo
from fracture.errors import Cancelled, FractureError
from fracture.files import write_json
from fracture.jobs import process
from fracture.logs import configure_logs
from fracture.registry.model_folder import ModelFolder, read_json
from fracture.training.config import TrainConfig
from fracture.training.events import EventLog
from fracture.training.runs.queue import advance, alone

HEARTBEAT = 2.0
"""Seconds between signs of life in ``status.json``, for readers that cannot ask this machine about its processes."""

TRIES = 5
"""Times that the end of a training is tried to be written down before it is given up."""


def work(folder: ModelFolder) -> None:
    """What the training process does, from its status file to its model."""
    process.step_back()
    status = _take_over(folder)
    if status is None:
        return
    emit = EventLog(folder.events)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(folder, dict(status), done), daemon=True)
    heart.start()
    outcome = _train(folder, status, emit)
    done.set()
    heart.join()
    try:
        _patiently(lambda: write_json(folder.status, {**status, **outcome}))
        folder.stop_request.unlink(missing_ok=True)
        emit.close()
    finally:
        advance()


def _take_over(folder: ModelFolder) -> dict[str, Any] | None:
    """Make this process the one that trains here; None where the run was ended meanwhile, or another is at it."""
    with alone():
        status = read_json(folder.status)
        if status["state"] != "running" or ("pid" in status and process.alive(status)):
            return None
        for left in folder.path.glob(".*"):  # what a killed process left of files that it was writing
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != demo.MARK:
                left.unlink()
        status.update(process.identity())
        write_json(folder.status, status)
        return status


def _patiently(write: Callable[[], None]) -> None:
    """The disk may be full, and no longer so a moment later."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            return write()
        time.sleep(HEARTBEAT)
    return write()


def _train(folder: ModelFolder, status: dict[str, Any], emit: EventLog) -> dict[str, str | None]:
    """How it ended: ``state``, ``error`` and ``error_type`` of a status."""
    started, limit = time.monotonic(), float(status.get("seconds", math.inf))

    def should_stop() -> bool:
        return folder.stop_request.exists() or time.monotonic() - started > limit

    try:
        from fracture.training.pipeline import run

        config = TrainConfig.from_json(status["config"])
        card = run(config, emit, should_stop, resume=status.get("resume", False))
        return _outcome(card["state"])
    except Cancelled:
        outcome = _outcome("stopped")
    except FractureError as failure:
        outcome = _outcome("failed", str(failure), failure)
    except Exception as failure:  # noqa: BLE001  the last border: whatever it was, the page must be told
        traceback.print_exc()
        words = f"The training broke off: {_in_words(failure)} Details: {folder.log.name} in its folder."
        outcome = _outcome("failed", words, failure)
    with contextlib.suppress(OSError):  # the disk may be full: the status says it once more
        seconds = round(time.monotonic() - started, 2)
        emit("end", state=outcome["state"], seconds=seconds, error=outcome["error"])
    return outcome


def _outcome(state: str, error: str | None = None, failure: Exception | None = None) -> dict[str, str | None]:
    error_type = type(failure).__name__ if failure else None
    return {"state": state, "error": error, "error_type": error_type}


def _in_words(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.strerror}."
    return f"{type(failure).__name__}."


def _beat(folder: ModelFolder, status: dict[str, Any], done: threading.Event) -> None:
    while not done.wait(HEARTBEAT):
        with contextlib.suppress(OSError):  # a full disk must not end the training from here
            write_json(folder.status, {**status, "heartbeat": time.time()})


if __name__ == "__main__":
    configure_logs()
    work(ModelFolder(Path(sys.argv[1])))
