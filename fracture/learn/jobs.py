"""A training as a process of its own: start, wait for one's turn, follow, stop, go on.

The process belongs to nobody: it goes on when a browser tab is closed or the server restarts, and whoever looks into
its folder finds it again. All that passes between it and the rest are files: its status, its events, a request to stop.
"""

import contextlib
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from fracture import background, home
from fracture.classify import keeping, store
from fracture.classify.store import ModelFolder, model_folder, model_folders, read_card, read_json
from fracture.data.dataset import existing_folder
from fracture.errors import FractureError, ModelError, RunError
from fracture.files import write_json
from fracture.learn.config import WEIGHT_SOURCES, TrainConfig
from fracture.learn.events import EventLog, Stopped
from fracture.learn.weights import find_weights

HEARTBEAT = 2.0
"""Seconds between signs of life in ``status.json``, for readers that cannot ask this machine about its processes."""

TRIES = 5
"""Times that the end of a training is tried to be written down before it is given up."""

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
    queued: float = 0.0
    """Since when it waits, where it does: seconds since the epoch."""

    @property
    def name(self) -> str:
        """The run's name, and its model's."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether its process is at work, or will be."""
        return self.state not in ENDED

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with: it was stopped or has failed, and what it has learned was kept.

        One that came to no epoch begins anew; one that has left a model but no checkpoint has ended for good.
        """
        kept = self.folder.checkpoint.exists() or not self.folder.card.exists()
        return self.state in ("stopped", "failed") and bool(self.config) and kept and not self.folder.bundled


def start(config: TrainConfig) -> Run:
    """Start a training in a process of its own, or let it wait until there is room for it.

    Raises:
        RunError: the name is taken, or the models folder cannot be written to.
        DatasetError: there is no such folder.
        WeightsError: the weights cannot be had.
    """
    config = _with_paths(config)
    run = Run(model_folder(config.name), "queued", config.to_json(), time.time())
    with _alone():
        _claim(run.folder)
        write_json(run.folder.status, {"state": run.state, "config": run.config, "started": run.started})
    return _set_going(run)


def resume(run: Run) -> Run:
    """Go on with a training that was stopped or has failed, from the last epoch that was kept.

    Raises:
        RunError: it is at work, nothing is left to go on from, or the models folder cannot be written to.
        DatasetError: its data set is gone.
        WeightsError: its weights cannot be had any more.
    """
    if run.resumable:
        _with_paths(TrainConfig.from_json(run.config))
    with _alone():
        found = find_run(run.folder)
        if found is None or not found.resumable:
            raise RunError(_why_not(run.name, found))
        waiting = {"state": "queued", "config": found.config, "started": found.started}
        write_json(run.folder.status, {**waiting, "queued": time.time(), "resume": True})
        run.folder.stop_request.unlink(missing_ok=True)
    return _set_going(replace(found, state="queued", error=None))


def _why_not(name: str, found: Run | None) -> str:
    if found is not None and found.state in ("stopped", "failed"):
        return f"Nothing is left of {name!r} to go on from. Start a new training."
    state = "deleted" if found is None else found.state
    return f"Only a stopped or failed training can be gone on with. {name!r} is {state}."


def _with_paths(config: TrainConfig) -> TrainConfig:
    """With absolute paths; what can be said at once is not left to the training's process."""
    found = find_weights(config)
    weights = config.weights if found.source in WEIGHT_SOURCES else str(found.path)
    also = tuple(str(existing_folder(each)) for each in config.also)
    return replace(config, data=str(existing_folder(config.data)), also=also, weights=weights)


def _set_going(run: Run) -> Run:
    advance()
    return find_run(run.folder) or run


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Nobody else starts, resumes or takes a training out of the queue meanwhile."""
    try:
        home.models_home().mkdir(parents=True, exist_ok=True)
        with FileLock(home.models_home() / ".starting.lock", timeout=30):
            yield
    except OSError as error:
        words = error.strerror or str(error)
        raise RunError(f"The models folder {home.models_home()} cannot be written to: {words}.") from error


def _claim(folder: ModelFolder) -> None:
    """Make the folder ours; a run that left nothing to use or to go on from gives its name back."""
    if folder.path.exists():
        found = find_run(folder)
        if found is not None and not folder.card.exists() and (found.active or folder.checkpoint.exists()):
            way = "Resume or delete it" if found.resumable else "Stop it" if found.active else "Delete it"
            raise RunError(f"A training called {folder.name!r} is {found.state}. {way}, or choose another name.")
        if folder.card.exists() or (found is None and any(folder.path.iterdir())):
            raise RunError(f"There is a model called {folder.name!r} already. Choose another name, or delete it first.")
        shutil.rmtree(folder.path)
    folder.path.mkdir()


def at_once() -> int:
    """How many trainings may be at work at the same time: ``FRACTURE_TRAININGS``, or one."""
    said = os.environ.get("FRACTURE_TRAININGS", "")
    return max(1, int(said)) if said.isdecimal() else 1


def advance() -> None:
    """Start those that wait, the first comer first, as far as there is room.

    Called by whoever queues, ends or watches a training: no process is needed that does nothing else.
    """
    if not any(run.state == "queued" for run in runs()):
        return
    with _alone():
        waiting = sorted((run for run in runs() if run.state == "queued"), key=lambda run: run.queued)
        room = at_once() - sum(run.state == "running" for run in runs())
        for run in waiting[: max(0, room)]:
            status = read_json(run.folder.status)
            write_json(run.folder.status, {**status, "state": "running", "heartbeat": time.time()})
            _spawn(run.folder)


def _spawn(folder: ModelFolder) -> None:
    homes = {"FRACTURE_MODELS": str(folder.path.parent), "FRACTURE_CACHE": str(home.cache_home())}
    command = ["-m", "fracture.learn.jobs", str(folder.path)]
    background.spawn(command, folder.log, {**homes, "TF_CPP_MIN_LOG_LEVEL": "2"})


def runs() -> list[Run]:
    """All trainings, the newest first."""
    found = [run for folder in model_folders() if (run := find_run(folder)) is not None]
    return sorted(found, key=lambda run: run.started, reverse=True)


def active_run() -> Run | None:
    """The training that is at work now; or else one that waits."""
    return min((run for run in runs() if run.active), key=lambda run: (run.state == "queued", run.queued), default=None)


def find_run(folder: ModelFolder) -> Run | None:
    """How the training in this folder stands; None where there is none.

    A run whose process is gone without a word is reported as failed. Models from elsewhere have no status, but a card.
    """
    if not folder.status.exists():
        return _from_card(folder)
    try:
        status = read_json(folder.status)
        started, config = float(status["started"]), {**status["config"], "name": folder.name}
        queued = float(status.get("queued", started))
        run = Run(folder, status["state"], config, started, status.get("error"), queued)
        gone = run.state == "running" and not background.alive(status)
    except (ModelError, KeyError, TypeError, ValueError):
        words = f"{folder.status.name} of this training is damaged; it cannot be followed."
        return Run(folder, "failed", {}, 0.0, words)
    if gone:
        words = (
            "The training process ended without a word: it ran out of memory or of room on the disk, was killed, or "
            "the machine went off."
        )
        return replace(run, state="failed", error=words)
    return run


def _from_card(folder: ModelFolder) -> Run | None:
    try:
        card = read_card(folder)
        return Run(folder, card["state"], card["config"], card["finished"] - card["seconds"]["total"])
    except (ModelError, KeyError, TypeError):
        return None


def request_stop(run: Run) -> None:
    """Ask a training to end after its current step; the best model so far is kept. One that waits waits no longer.

    Raises RunError where the models folder cannot be written to.
    """
    with _alone(), contextlib.suppress(FileNotFoundError, ModelError):  # deleted meanwhile: there is nothing to stop
        status = read_json(run.folder.status)
        if status.get("state") == "queued":
            write_json(run.folder.status, {**status, "state": "stopped"})
        elif status.get("state") == "running":
            run.folder.stop_request.touch()


def delete(folder: ModelFolder) -> None:
    """Remove a training or a model with all its files.

    Raises:
        RunError: it is at work, or waits.
        ModelError: it cannot be removed, or came with the project.
    """
    with _alone():
        if (found := find_run(folder)) is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is deleted.")
        store.delete(folder)


def rename(folder: ModelFolder, name: str) -> ModelFolder:
    """Give a training or a model another name; returns its folder as it is called now.

    Raises:
        RunError: it is at work, or waits.
        ModelError: see :func:`fracture.classify.keeping.rename`.
    """
    with _alone():
        if (found := find_run(folder)) is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is given another name.")
        return keeping.rename(folder, name)


def end_now(run: Run) -> None:
    """End a training without making a model of what it has learned; it can be gone on with from its last epoch.

    Raises RunError where the models folder cannot be written to.
    """
    with _alone(), contextlib.suppress(FileNotFoundError, ModelError):
        status = read_json(run.folder.status)
        background.end(status)
        found = find_run(run.folder)
        unspoken = status.get("state") == "running" and "pid" not in status  # it will find that it is not wanted
        if unspoken or (found is not None and found.state == "failed"):  # and not at its end just before
            write_json(run.folder.status, {**status, "state": "stopped", "error": None})
        run.folder.stop_request.unlink(missing_ok=True)
    advance()


def work(folder: ModelFolder) -> None:
    """What the training process does, from its status file to its model."""
    background.step_back()
    status = _take_over(folder)
    if status is None:
        return
    emit = EventLog(folder.events)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(folder, dict(status), done), daemon=True)
    heart.start()
    state, error = _train(folder, status, emit)
    done.set()
    heart.join()
    try:
        _patiently(lambda: write_json(folder.status, {**status, "state": state, "error": error}))
        folder.stop_request.unlink(missing_ok=True)
        emit.close()
    finally:
        advance()


def _take_over(folder: ModelFolder) -> dict[str, Any] | None:
    """Make this process the one that trains here; None where the run was ended meanwhile, or another is at it."""
    with _alone():
        status = read_json(folder.status)
        if status["state"] != "running" or ("pid" in status and background.alive(status)):
            return None
        for left in folder.path.glob(".*"):  # what a killed process left of files that it was writing
            left.unlink()
        status.update(background.identity())
        write_json(folder.status, status)
        return status


def _patiently(write: Callable[[], None]) -> None:
    """The disk may be full, and no longer so a moment later."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            return write()
        time.sleep(HEARTBEAT)
    return write()


def _train(folder: ModelFolder, status: dict[str, Any], emit: EventLog) -> tuple[str, str | None]:
    started = time.monotonic()
    try:
        from fracture.learn.recipe import run

        config = TrainConfig.from_json(status["config"])
        return run(config, emit, folder.stop_request.exists, resume=status.get("resume", False))["state"], None
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
    with contextlib.suppress(OSError):  # the disk may be full: the status says it once more
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
