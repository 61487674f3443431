"""Runs as they stand on disk: what a run's folder says of it. Nothing is changed here."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import ConfigDict, ValidationError

from fracture.documents import Finite, Moment, sentence
from fracture.errors import ModelError, WeightsError
from fracture.files import JsonObject
from fracture.jobs.status import JobStatus
from fracture.registry.card import RecordedConfig
from fracture.registry.model_folder import ModelFolder, model_folders, read_card, read_object

ENDED = ("finished", "stopped", "failed")


class RunStatus(JobStatus):
    """The file ``status.json``."""

    model_config = ConfigDict(extra="allow")

    silent_seconds: ClassVar[float] = 60.0
    """A run writes each two seconds; the clocks of two hosts must not differ by more than this."""

    state: Literal["queued", "running", "finished", "stopped", "failed"]
    config: RecordedConfig
    started: Moment
    queued: Moment | None = None
    """Since when it waits, where it was resumed."""
    resume: bool = False
    """Whether its process is to begin with the checkpoint."""
    seconds: Finite | None = None
    """How long its process may train; None without a limit."""
    error_type: str | None = None
    cluster: str | None = None
    """The address of a Dask scheduler, whose workers compute its features; None where nobody has named one."""

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.state in ENDED


@dataclass(frozen=True)
class Run:
    """A run as it stands on disk."""

    folder: ModelFolder
    state: str
    """queued, running, finished, stopped or failed."""
    config: JsonObject
    started: float
    """Seconds since 1970."""
    error: str | None = None
    """Why it failed, or what is wrong with its files: a sentence."""
    queued: float = 0.0
    """Since when it waits in the queue: seconds since 1970."""
    error_type: str | None = None
    """The name of the class of error that it failed with; None in folders of versions that didn't record it."""

    @property
    def name(self) -> str:
        """The run's name, and its model's."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether it is running or queued."""
        return self.state not in ENDED

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self.state == "running" and self.folder.stop_request.exists()

    @property
    def shown_state(self) -> str:
        """The state for people: as it is, or *stopping*."""
        return "stopping" if self.stopping else self.state

    @property
    def resumable(self) -> bool:
        """Whether it can be resumed: it was stopped or has failed, and its checkpoint is there.

        A run without an epoch starts from the beginning; one with a model but no checkpoint has ended for good.
        """
        unfinished = self.folder.checkpoint.exists() or not self.folder.card.exists()
        ended_early = self.state in ("stopped", "failed")
        return ended_early and unfinished and bool(self.config) and not self.folder.bundled

    @property
    def lacks_weights(self) -> bool:
        """Whether it failed because its pre-trained weights could not be had."""
        return self.state == "failed" and self.error_type == WeightsError.__name__


def runs() -> list[Run]:
    """All runs, the newest first."""
    found = [find_run(folder) for folder in model_folders()]
    present = [run for run in found if run is not None]
    return sorted(present, key=lambda run: run.started, reverse=True)


def find_run(folder: ModelFolder) -> Run | None:
    """How the run in this folder stands; None where there is none.

    A run whose process has disappeared is reported as failed. Models from elsewhere have no status, but a card.
    """
    if not folder.status.exists():
        return _from_card(folder)
    try:
        status = RunStatus.model_validate(read_object(folder.status))
    except ModelError:
        return _damaged(folder, "it cannot be read")
    except ValidationError as error:
        return _damaged(folder, sentence(error))
    # The folder's own name counts: the folder may have been renamed or copied.
    config = {**status.config, "name": folder.name}
    queued = status.started if status.queued is None else status.queued
    run = Run(folder, status.state, config, status.started, status.error, queued, status.error_type)
    # A process that was killed could not write that it ended.
    if run.state == "running" and not status.alive:
        return replace(run, state="failed", error=_why_dead(status))
    return run


def _why_dead(status: RunStatus) -> str:
    if status.elsewhere:
        return f"The host {status.host} has said nothing of the run for {status.silent_seconds:.0f} seconds."
    return (
        "The run's process ended unexpectedly: it ran out of memory or disk space, was killed, or the machine was "
        "switched off."
    )


def _damaged(folder: ModelFolder, how: str) -> Run | None:
    """What is known all the same: the card is written last, so that a run with a card was complete."""
    words = f"{folder.status.name} of this run is damaged: {how}. "
    if run := _from_card(folder):
        return replace(run, error=f"{words}Its card says the rest.")
    return Run(folder, "failed", {}, 0.0, f"{words}It cannot be followed; delete it, or start a run by this name.")


def _from_card(folder: ModelFolder) -> Run | None:
    try:
        card = read_card(folder)
    except ModelError:
        return None
    if not card.config or card.finished is None or card.seconds is None:  # a model from elsewhere, not a run's
        return None
    return Run(folder, card.state, card.config, card.finished - card.seconds.total)
