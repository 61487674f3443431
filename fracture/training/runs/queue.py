"""The queue of runs: start, wait, stop, resume, delete. Each run is a process of its own, see :mod:`fracture.jobs`.

It runs on when a browser tab is closed or the server is started again. Everybody who reads its folder finds it: its
status, its events, a request to stop.

In a public demo (:mod:`fracture.demo`) the ``policy`` says who asks; elsewhere it is left out, and anybody may do
anything.
"""

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from filelock import FileLock

from fracture import demo, paths
from fracture.data.dataset import existing_folder, scan
from fracture.demo import NOBODY, Policy
from fracture.errors import RunError
from fracture.files import JsonObject
from fracture.jobs import process
from fracture.registry import edit
from fracture.registry import model_folder as registry_folder
from fracture.registry.model_folder import ModelFolder, model_folder, next_name
from fracture.training.config import WEIGHT_SOURCES, TrainConfig
from fracture.training.runs.run import Run, RunStatus, find_run, runs
from fracture.training.weights import find_weights

__all__ = [
    "Run",
    "abort",
    "advance",
    "delete",
    "end_now",
    "find_run",
    "max_running",
    "request_stop",
    "resume",
    "runs",
    "start",
]

_log = logging.getLogger(__name__)


def start(
    config: TrainConfig, policy: Policy = NOBODY, *, unique_name: bool = False, cluster: str | None = None
) -> Run:
    """Put a run into the queue, and start it where none before it is waiting or running.

    With ``unique_name``, a name that is taken is replaced by the next free one like it. The workers of ``cluster``
    compute its features.

    Raises:
        RunError: the name is taken, or the models folder cannot be written to.
        DatasetError: there is no such folder.
        WeightsError: the weights cannot be had.
        PublicError: a public demo does not offer it, or not now.
    """
    policy.check_visitor()
    config = _checked(config, policy)
    with alone():
        _check_queue(policy)
        if unique_name and model_folder(config.name).path.exists():
            config = replace(config, name=next_name(config.name))
        run = Run(model_folder(config.name), "queued", config.to_json(), time.time())
        _claim(run.folder, policy)
        policy.sign(run.folder.path)
        _queue(run, **_named(cluster))
    return _advanced(run)


def resume(run: Run, policy: Policy = NOBODY, *, cluster: str | None = None) -> Run:
    """Resume a run that was stopped or has failed, from its checkpoint. ``cluster``: see :func:`start`.

    Raises:
        RunError: it is queued or running, has no checkpoint, or the models folder cannot be written to.
        DatasetError: its data set is gone.
        WeightsError: its weights are not available any more.
        PublicError: in a public demo, it is another visitor's, or the queue is full.
    """
    policy.check_owner(run.folder.path)
    # Checking the weights reads their whole file: nobody waits for the lock meanwhile.
    if run.resumable:
        _checked(TrainConfig.from_json(run.config), policy)
    with alone():
        found = find_run(run.folder)
        if found is None or not found.resumable:
            raise RunError(_why_not(run.name, found))
        _check_queue(policy)
        _queue(found, queued=time.time(), resume=True, **_named(cluster))
        run.folder.stop_request.unlink(missing_ok=True)
    return _advanced(replace(found, state="queued", error=None))


def _named(cluster: str | None) -> JsonObject:
    """The key of the status; none where no cluster is named, so that the variable of the run's process counts."""
    return {"cluster": cluster} if cluster else {}


def _queue(run: Run, **more: Any) -> None:
    """Write the status of a run that waits; in a public demo also how many seconds it may train."""
    limit = {"seconds": demo.LIMITS.max_run_seconds} if demo.is_public() else {}
    status = {"state": "queued", "config": run.config, "started": run.started, **limit, **more}
    RunStatus.model_validate(status).write(run.folder.status)


def _check_queue(policy: Policy) -> None:
    active = [run for run in runs() if run.active]
    own = sum(policy.may_change(run.folder.path) for run in active)
    queued = sum(run.state == "queued" for run in active)
    policy.check_queue(own, queued)


def _why_not(name: str, found: Run | None) -> str:
    if found is not None and found.state in ("stopped", "failed"):
        return f"{name!r} has no checkpoint to resume from. Start a new run."
    state = "deleted" if found is None else found.state
    return f"Only a stopped or failed run can be resumed. {name!r} is {state}."


def _checked(config: TrainConfig, policy: Policy) -> TrainConfig:
    """With absolute paths; errors that are known at once are not left to the run's process."""
    if demo.is_public():
        policy.check_run(config.to_json(), _images(config))
    found = find_weights(config)
    weights = config.weights if found.source in WEIGHT_SOURCES else str(found.path)
    data = str(existing_folder(config.data))
    also = tuple(str(existing_folder(each)) for each in config.also)
    return replace(config, data=data, also=also, weights=weights)


def _images(config: TrainConfig) -> int:
    # The body part selects from the first data set alone.
    own = len(scan(config.data, config.body_part).table)
    further = sum(len(scan(each).table) for each in config.also)
    return own + further


def _advanced(run: Run) -> Run:
    """The run after the queue has advanced."""
    advance()
    return find_run(run.folder) or run


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of the queue: nobody else starts, resumes, renames or deletes a run meanwhile."""
    try:
        paths.models_home().mkdir(parents=True, exist_ok=True)
        with FileLock(paths.models_home() / ".starting.lock", timeout=30):
            yield
    except OSError as error:
        words = error.strerror or str(error)
        raise RunError(f"The models folder {paths.models_home()} cannot be written to: {words}.") from error


def _claim(folder: ModelFolder, policy: Policy) -> None:
    """Make the folder this run's; the name of a run that left neither a model nor a checkpoint is free again."""
    if folder.path.exists():
        _check_name(folder, policy)
        shutil.rmtree(folder.path)
    folder.path.mkdir()


def _check_name(folder: ModelFolder, policy: Policy) -> None:
    found = find_run(folder)
    if not policy.may_change(folder.path):
        raise RunError(f"Somebody else has used the name {folder.name!r} already. Choose another one.")
    if folder.card.exists() or (found is None and any(folder.path.iterdir())):
        raise RunError(f"There is a model called {folder.name!r} already. Choose another name, or delete it first.")
    if found is not None and (found.active or folder.checkpoint.exists()):
        action = "Stop it" if found.active else "Delete it"
        if found.resumable:
            action = "Resume or delete it"
        raise RunError(f"A run called {folder.name!r} is {found.state}. {action}, or choose another name.")


def max_running() -> int:
    """How many runs may train at the same time: ``FRACTURE_TRAININGS``, or one."""
    setting = os.environ.get("FRACTURE_TRAININGS", "")
    return max(1, int(setting)) if setting.isdecimal() else 1


def advance() -> None:
    """Start queued runs, the first one first, until as many run as may.

    Called by everybody who queues, ends or watches a run, so that no process is needed for it alone.
    """
    # Mostly nothing is queued: then no caller has to wait for the lock.
    if not any(run.state == "queued" for run in runs()):
        return
    with alone():
        now = runs()
        queued = sorted((run for run in now if run.state == "queued"), key=lambda run: run.queued)
        free = max_running() - sum(run.state == "running" for run in now)
        for run in queued[: max(0, free)]:
            status = RunStatus.read(run.folder.status)
            if status is not None:
                status.model_copy(update={"state": "running", "heartbeat": time.time()}).write(run.folder.status)
                _spawn(run.folder)


def _spawn(folder: ModelFolder) -> None:
    homes = {"FRACTURE_MODELS": str(folder.path.parent), "FRACTURE_CACHE": str(paths.cache_home())}
    command = ["-m", "fracture.training.runs.worker", str(folder.path)]
    process.spawn(command, folder.log, homes)


def request_stop(run: Run, policy: Policy = NOBODY) -> None:
    """Ask a run to stop after its current step; the best epoch becomes its model. A queued run leaves the queue.

    Raises RunError where the models folder cannot be written to; PublicError where it is another visitor's.
    """
    policy.check_owner(run.folder.path)
    with alone(), _deleted_meanwhile(run):
        status = RunStatus.read(run.folder.status)
        if status is not None and status.state == "queued":
            status.model_copy(update={"state": "stopped"}).write(run.folder.status)
        elif status is not None and status.state == "running":
            run.folder.stop_request.touch()


@contextlib.contextmanager
def _deleted_meanwhile(run: Run) -> Iterator[None]:
    """Pass over that the run's folder is gone: there is nothing to stop."""
    try:
        yield
    except FileNotFoundError as error:
        _log.info("The run %s was deleted before it was stopped: %s", run.name, error)


def delete(folder: ModelFolder, policy: Policy = NOBODY) -> None:
    """Delete a run or a model with all its files.

    Raises:
        RunError: it is running or queued.
        ModelError: it cannot be removed, or came with the project.
        PublicError: in a public demo, it is not this visitor's.
    """
    policy.check_owner(folder.path)
    remove(folder)


def remove(folder: ModelFolder) -> None:
    """Delete a run or a model, no matter who made it. Raises RunError and ModelError as :func:`delete` does."""
    with alone():
        found = find_run(folder)
        if found is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is deleted.")
        registry_folder.delete_folder(folder)


def rename(folder: ModelFolder, name: str, policy: Policy = NOBODY) -> ModelFolder:
    """Rename a run or a model; returns its new folder.

    Raises:
        RunError: it is running or queued.
        ModelError: see :func:`fracture.registry.edit.rename_model`.
        PublicError: it is another visitor's.
    """
    policy.check_owner(folder.path)
    with alone():
        found = find_run(folder)
        if found is not None and found.active:
            raise RunError(f"{found.name!r} is {found.state}. Stop it before it is renamed.")
        return edit.rename_model(folder, name)


def note(folder: ModelFolder, text: str, policy: Policy = NOBODY) -> None:
    """Write a note about a run or a model; a blank one deletes it.

    Raises:
        ModelError: see :func:`fracture.registry.edit.write_note`.
        PublicError: it is another visitor's.
    """
    policy.check_owner(folder.path)
    edit.write_note(folder, text)


def end_now(run: Run, policy: Policy = NOBODY) -> None:
    """Abort a run: it leaves no model, and can be resumed from its checkpoint.

    Raises RunError where the models folder cannot be written to; PublicError where it is another visitor's.
    """
    policy.check_owner(run.folder.path)
    abort(run)


def abort(run: Run) -> None:
    """Abort a run, no matter who made it. Raises RunError as :func:`end_now` does."""
    with alone(), _deleted_meanwhile(run):
        status = RunStatus.read(run.folder.status)
        if status is not None:
            process.end(status)
            # A process that has not written yet will find the run stopped, and leave.
            # Likewise one of another host, at its next heartbeat.
            leaving = status.state == "running" and (status.pid is None or status.elsewhere)
            found = find_run(run.folder)
            # A run that came to its end just before keeps its state.
            if leaving or (found is not None and found.state == "failed"):
                status.model_copy(update={"state": "stopped", "error": None}).write(run.folder.status)
        run.folder.stop_request.unlink(missing_ok=True)
    advance()
