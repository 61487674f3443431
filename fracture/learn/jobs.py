"""A training as a process of its own: start, follow, stop.

The process belongs to nobody: it goes on when a browser tab is closed or the server restarts, and whoever looks into
its folder finds it again. All that passes between it and the rest are files: its status, its events, a request to stop.
"""

import contextlib
import shutil
import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from fracture import background, home
from fracture.classify.store import ModelFolder, model_folder, model_folders, read_card, read_json
from fracture.data.dataset import existing_folder
from fracture.errors import FractureError, ModelError, RunError
from fracture.files import write_json
from fracture.learn.config import WEIGHT_SOURCES, TrainConfig
from fracture.learn.events import EventLog, Stopped
from fracture.learn.weights import find_weights

HEARTBEAT = 2.0
"""Seconds between signs of life in ``status.json``, for readers that cannot ask this machine about its processes."""

ENDED = ("finished", "stopped", "failed")


@dataclass(frozen=True)
class Run:
    """A training as it stands on disk."""

    folder: ModelFolder
    state: str
    """queued, running, finished, stopped or failed."""
    config: dict[str, Any]
    started: float
    """Seconds since the epoch."""
    error: str | None = None
    """A sentence; for failed runs only."""

    @property
    def name(self) -> str:
        """The run's name, and its model's."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether its process is at work."""
        return self.state not in ENDED


def start(config: TrainConfig) -> Run:
    """Start a training in a process of its own.

    Raises:
        RunError: the name is taken, another training is at work, or the models folder cannot be written to.
        DatasetError: there is no such folder.
        WeightsError: the weights cannot be had.
    """
    found = find_weights(config)  # what can be said at once is not left to the process
    weights = config.weights if found.source in WEIGHT_SOURCES else str(found.path)
    also = tuple(str(existing_folder(each)) for each in config.also)
    config = replace(config, data=str(existing_folder(config.data)), also=also, weights=weights)
    try:
        home.models_home().mkdir(parents=True, exist_ok=True)
        with FileLock(home.models_home() / ".starting.lock", timeout=30):  # two visitors may press the button together
            run = _queue(config)
        _spawn(run.folder)
    except OSError as error:
        words = error.strerror or str(error)
        raise RunError(f"The models folder {home.models_home()} cannot be written to: {words}.") from error
    return run


def _queue(config: TrainConfig) -> Run:
    if (other := active_run()) is not None:
        raise RunError(f"{other.name!r} is training now. Wait until it has ended, or stop it.")
    run = Run(model_folder(config.name), "queued", config.to_json(), time.time())
    _claim(run.folder)
    status = {"state": run.state, "config": run.config, "started": run.started, "heartbeat": run.started}
    write_json(run.folder.status, status)
    return run


def _claim(folder: ModelFolder) -> None:
    """Make the folder ours; a run that left no model gives its name back."""
    if folder.path.exists():
        left_over = find_run(folder) is not None or not any(folder.path.iterdir())
        if folder.card.exists() or not left_over:
            raise RunError(f"There is a model called {folder.name!r} already. Choose another name, or delete it first.")
        shutil.rmtree(folder.path)
    folder.path.mkdir()


def _spawn(folder: ModelFolder) -> None:
    homes = {"FRACTURE_MODELS": str(folder.path.parent), "FRACTURE_CACHE": str(home.cache_home())}
    command = ["-m", "fracture.learn.jobs", str(folder.path)]
    background.spawn(command, folder.log, {**homes, "TF_CPP_MIN_LOG_LEVEL": "2"})


def runs() -> list[Run]:
    """All trainings, the newest first."""
    found = [run for folder in model_folders() if (run := find_run(folder)) is not None]
    return sorted(found, key=lambda run: run.started, reverse=True)


def active_run() -> Run | None:
    """The training that is at work now."""
    return next((run for run in runs() if run.active), None)


def find_run(folder: ModelFolder) -> Run | None:
    """How the training in this folder stands; None where there is none.

    A run whose process is gone without a word is reported as failed. Models from elsewhere have no status, but a card.
    """
    if not folder.status.exists():
        return _from_card(folder)
    try:
        status = read_json(folder.status)
        started, config = float(status["started"]), dict(status["config"])
        run = Run(folder, status["state"], config, started, status.get("error"))
        gone = run.active and not background.alive(status)
    except (ModelError, KeyError, TypeError, ValueError):
        words = f"{folder.status.name} of this training is damaged; it cannot be followed."
        return Run(folder, "failed", {}, 0.0, words)
    if gone:
        words = "The training process ended without a word: it ran out of memory, was killed, or the machine went off."
        return replace(run, state="failed", error=words)
    return run


def _from_card(folder: ModelFolder) -> Run | None:
    try:
        card = read_card(folder)
        return Run(folder, card["state"], card["config"], card["finished"] - card["seconds"]["total"])
    except (ModelError, KeyError, TypeError):
        return None


def request_stop(run: Run) -> None:
    """Ask a training to end after its current step; the best model so far is kept."""
    with contextlib.suppress(FileNotFoundError):  # deleted in the meantime: there is nothing to stop
        run.folder.stop_request.touch()


def work(folder: ModelFolder) -> None:
    """What the training process does, from its status file to its model."""
    status = read_json(folder.status)
    status.update(state="running", **background.identity())
    write_json(folder.status, status)
    emit = EventLog(folder.events)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(folder, dict(status), done), daemon=True)
    heart.start()
    state, error = _train(folder, TrainConfig.from_json(status["config"]), emit)
    done.set()
    heart.join()
    write_json(folder.status, {**status, "state": state, "error": error, "heartbeat": time.time()})
    folder.stop_request.unlink(missing_ok=True)
    emit.close()


def _train(folder: ModelFolder, config: TrainConfig, emit: EventLog) -> tuple[str, str | None]:
    started = time.monotonic()
    try:
        from fracture.learn.recipe import run

        return run(config, emit, folder.stop_request.exists)["state"], None
    except Stopped:
        state, error = "stopped", None
    except FractureError as failure:
        state, error = "failed", str(failure)
    except Exception as failure:  # noqa: BLE001  the last border: whatever it was, the page must be told
        traceback.print_exc()
        state, error = (
            "failed",
            f"The training broke off: {_in_words(failure)} Details: {folder.log.name} in its folder.",
        )
    emit("end", state=state, seconds=round(time.monotonic() - started, 2), error=error)
    return state, error


def _in_words(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.strerror}."
    return f"{type(failure).__name__}."


def _beat(folder: ModelFolder, status: dict[str, Any], done: threading.Event) -> None:
    while not done.wait(HEARTBEAT):
        with contextlib.suppress(OSError):  # a full disk must not end the training from here
            write_json(folder.status, {**status, "heartbeat": time.time()})


if __name__ == "__main__":
    work(ModelFolder(Path(sys.argv[1])))
