"""A training as a process of its own: start, wait for one's turn, follow, stop, go on.

The process belongs to nobody: it goes on when a browser tab is closed or the server restarts, and whoever looks into
its folder finds it again. All that passes between it and the rest are files: its status, its events, a request to stop.

In a public demo (:mod:`fracture.demo`), who asks for something says so by the word ``visitor``; elsewhere it is left
out, and anybody may do anything.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from filelock import FileLock

from fracture import demo, paths
from fracture.data.dataset import existing_folder, scan
from fracture.errors import ModelError, RunError
from fracture.files import write_json
from fracture.jobs import process
from fracture.registry import edit
from fracture.registry import model_folder as registry_folder
from fracture.registry.model_folder import ModelFolder, model_folder, next_name, read_json
from fracture.training.config import WEIGHT_SOURCES, TrainConfig
from fracture.training.runs.run import Run, active_run, find_run, runs
from fracture.training.weights import find_weights

__all__ = ["Run", "active_run", "advance", "at_once", "delete", "end_now", "find_run", "request_stop", "resume"]
__all__ += ["runs", "start"]


def start(config: TrainConfig, visitor: str = "", *, unique_name: bool = False) -> Run:
    """Start a training in a process of its own, or let it wait until there is room for it.

    With ``unique_name``, a name that is taken is replaced by the next free one like it.

    Raises:
        RunError: the name is taken, or the models folder cannot be written to.
        DatasetError: there is no such folder.
        WeightsError: the weights cannot be had.
        PublicError: a public demo does not offer it, or not now.
    """
    demo.check_visitor(visitor)
    config = _checked(config)
    with alone():
        _check_queue(visitor)
        if unique_name and model_folder(config.name).path.exists():
            config = replace(config, name=next_name(config.name))
        run = Run(model_folder(config.name), "queued", config.to_json(), time.time())
        _claim(run.folder, visitor)
        demo.sign(run.folder.path, visitor)
        _queue(run)
    return _set_going(run)


def resume(run: Run, visitor: str = "") -> Run:
    """Go on with a training that was stopped or has failed, from the last epoch that was kept.

    Raises:
        RunError: it is at work, nothing is left to go on from, or the models folder cannot be written to.
        DatasetError: its data set is gone.
        WeightsError: its weights cannot be had any more.
        PublicError: in a public demo, it is another visitor's, or not to be had now.
    """
    demo.check_owner(run.folder.path, visitor)
    if run.resumable:
        _checked(TrainConfig.from_json(run.config))
    with alone():
        found = find_run(run.folder)
        if found is None or not found.resumable:
            raise RunError(_why_not(run.name, found))
        _check_queue(visitor)
        _queue(found, queued=time.time(), resume=True)
        run.folder.stop_request.unlink(missing_ok=True)
    return _set_going(replace(found, state="queued", error=None))


def _queue(run: Run, **more: Any) -> None:
    """Write down that it waits; in a public demo also for how many seconds it may be at work."""
    limit = {"seconds": demo.LIMITS.seconds} if demo.on() else {}
    write_json(run.folder.status, {"state": "queued", "config": run.config, "started": run.started, **limit, **more})


def _check_queue(visitor: str) -> None:
    active = [run for run in runs() if run.active]
    mine = sum(demo.may_change(run.folder.path, visitor) for run in active)
    demo.check_queue(mine, sum(run.state == "queued" for run in active))


def _why_not(name: str, found: Run | None) -> str:
    if found is not None and found.state in ("stopped", "failed"):
        return f"Nothing is left of {name!r} to go on from. Start a new training."
    state = "deleted" if found is None else found.state
    return f"Only a stopped or failed training can be gone on with. {name!r} is {state}."


def _checked(config: TrainConfig) -> TrainConfig:
    """With absolute paths; what can be said at once is not left to the training's process."""
    if demo.on():
        demo.check_training(config.to_json(), _images(config))
    found = find_weights(config)
    weights = config.weights if found.source in WEIGHT_SOURCES else str(found.path)
    also = tuple(str(existing_folder(each)) for each in config.also)
    return replace(config, data=str(existing_folder(config.data)), also=also, weights=weights)


def _images(config: TrainConfig) -> int:
    return len(scan(config.data, config.body_part).table) + sum(len(scan(each).table) for each in config.also)


def _set_going(run: Run) -> Run:
    advance()
    return find_run(run.folder) or run


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Nobody else starts, resumes or takes a training out of the queue meanwhile."""
    try:
        paths.models_home().mkdir(parents=True, exist_ok=True)
        with FileLock(paths.models_home() / ".starting.lock", timeout=30):
            yield
    except OSError as error:
        words = error.strerror or str(error)
        raise RunError(f"The models folder {paths.models_home()} cannot be written to: {words}.") from error


def _claim(folder: ModelFolder, visitor: str) -> None:
    """Make the folder ours; a run that left nothing to use or to go on from gives its name back."""
    if folder.path.exists():
        found = find_run(folder)
        if not demo.may_change(folder.path, visitor):
            raise RunError(f"Somebody else has used the name {folder.name!r} already. Choose another one.")
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
    with alone():
        waiting = sorted((run for run in runs() if run.state == "queued"), key=lambda run: run.queued)
        room = at_once() - sum(run.state == "running" for run in runs())
        for run in waiting[: max(0, room)]:
            status = read_json(run.folder.status)
            write_json(run.folder.status, {**status, "state": "running", "heartbeat": time.time()})
            _spawn(run.folder)


def _spawn(folder: ModelFolder) -> None:
    homes = {"FRACTURE_MODELS": str(folder.path.parent), "FRACTURE_CACHE": str(paths.cache_home())}
    command = ["-m", "fracture.training.runs.worker", str(folder.path)]
    process.spawn(command, folder.log, homes)


def request_stop(run: Run, visitor: str = "") -> None:
    """Ask a training to end after its current step; the best model so far is kept. One that waits waits no longer.

    Raises RunError where the models folder cannot be written to; PublicError where it is another visitor's.
    """
    demo.check_owner(run.folder.path, visitor)
    with alone(), contextlib.suppress(FileNotFoundError, ModelError):  # deleted meanwhile: there is nothing to stop
        status = read_json(run.folder.status)
        if status.get("state") == "queued":
            write_json(run.folder.status, {**status, "state": "stopped"})
        elif status.get("state") == "running":
            run.folder.stop_request.touch()


def delete(folder: ModelFolder, visitor: str = "") -> None:
    """Remove a training or a model with all its files.

    Raises:
        RunError: it is at work, or waits.
        ModelError: it cannot be removed, or came with the project.
        PublicError: in a public demo, it is not this visitor's.
    """
    demo.check_owner(folder.path, visitor)
    remove(folder)


def remove(folder: ModelFolder) -> None:
    """What :func:`delete` does, whoever made it."""
    with alone():
        if (found := find_run(folder)) is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is deleted.")
        registry_folder.delete(folder)


def rename(folder: ModelFolder, name: str, visitor: str = "") -> ModelFolder:
    """Give a training or a model another name; returns its folder as it is called now.

    Raises:
        RunError: it is at work, or waits.
        ModelError: see :func:`fracture.registry.edit.rename`.
        PublicError: it is another visitor's.
    """
    demo.check_owner(folder.path, visitor)
    with alone():
        if (found := find_run(folder)) is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is given another name.")
        return edit.rename(folder, name)


def note(folder: ModelFolder, text: str, visitor: str = "") -> None:
    """Keep a note about a training or a model; a blank one takes it away.

    Raises:
        ModelError: see :func:`fracture.registry.edit.write_note`.
        PublicError: it is another visitor's.
    """
    demo.check_owner(folder.path, visitor)
    edit.write_note(folder, text)


def end_now(run: Run, visitor: str = "") -> None:
    """End a training without making a model of what it has learned; it can be gone on with from its last epoch.

    Raises RunError where the models folder cannot be written to; PublicError where it is another visitor's.
    """
    demo.check_owner(run.folder.path, visitor)
    end(run)


def end(run: Run) -> None:
    """What :func:`end_now` does, whoever made it."""
    with alone(), contextlib.suppress(FileNotFoundError, ModelError):
        status = read_json(run.folder.status)
        process.end(status)
        found = find_run(run.folder)
        unspoken = status.get("state") == "running" and "pid" not in status  # it will find that it is not wanted
        if unspoken or (found is not None and found.state == "failed"):  # and not at its end just before
            write_json(run.folder.status, {**status, "state": "stopped", "error": None})
        run.folder.stop_request.unlink(missing_ok=True)
    advance()
