"""Trainings as they stand on disk: what a run's folder says of it. Nothing is changed here."""

from dataclasses import dataclass, replace
from typing import Any

from fracture.errors import ModelError, WeightsError
from fracture.jobs import process
from fracture.registry.card import CHOICES
from fracture.registry.model_folder import ModelFolder, model_folders, read_card, read_json
from fracture.shapes import Shape, finite, maybe, misfit, moment, text

ENDED = ("finished", "stopped", "failed")

STATUS: Shape = {
    "state": {"queued", "running", *ENDED},
    "config": CHOICES,
    "started": moment,
    "queued?": moment,
    "error?": maybe(text),
    "error_type?": maybe(text),
    "seconds?": finite,
    **process.PROCESS,
}
"""Of ``status.json``."""


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
    """A sentence; of those that failed, and of those whose files say too little."""
    queued: float = 0.0
    """Since when it waits, where it does: seconds since the epoch."""
    error_type: str | None = None
    """The name of the class of error that it failed with; None in folders of versions that didn't write it down."""

    @property
    def name(self) -> str:
        """The run's name, and its model's."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether its process is at work, or will be."""
        return self.state not in ENDED

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self.state == "running" and self.folder.stop_request.exists()

    @property
    def shown_state(self) -> str:
        """What people are told: the state, or *stopping*."""
        return "stopping" if self.stopping else self.state

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with: it was stopped or has failed, and what it has learned was kept.

        One that came to no epoch begins anew; one that has left a model but no checkpoint has ended for good.
        """
        kept = self.folder.checkpoint.exists() or not self.folder.card.exists()
        return self.state in ("stopped", "failed") and bool(self.config) and kept and not self.folder.bundled

    @property
    def lacks_weights(self) -> bool:
        """Whether it failed because its pre-trained weights could not be had."""
        return self.state == "failed" and self.error_type == WeightsError.__name__


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
    except ModelError:
        return _damaged(folder, "it cannot be read")
    if wrong := misfit(status, STATUS):
        return _damaged(folder, wrong)
    started, config = status["started"], {**status["config"], "name": folder.name}
    queued, error_type = status.get("queued", started), status.get("error_type")
    run = Run(folder, status["state"], config, started, status.get("error"), queued, error_type)
    if run.state == "running" and not process.alive(status):
        words = (
            "The training process ended without a word: it ran out of memory or of room on the disk, was killed, or "
            "the machine went off."
        )
        return replace(run, state="failed", error=words)
    return run


def _damaged(folder: ModelFolder, how: str) -> Run | None:
    """What is known all the same: a card is written last, so that where there is one, the training had come to it."""
    words = f"{folder.status.name} of this training is damaged: {how}. "
    if run := _from_card(folder):
        return replace(run, error=f"{words}Its card says the rest.")
    return Run(folder, "failed", {}, 0.0, f"{words}It cannot be followed; delete it, or train again by this name.")


def _from_card(folder: ModelFolder) -> Run | None:
    try:
        card = read_card(folder)
        return Run(folder, card["state"], card["config"], card["finished"] - card["seconds"]["total"])
    except (ModelError, KeyError, TypeError):
        return None
