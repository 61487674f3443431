"""What the pipeline asks of a learner, be it Keras's network or a head alone, and what a learner returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.files import JsonObject
from fracture.registry.model_folder import ModelFolder
from fracture.training.backbone.features import Features, Preparation
from fracture.training.checkpoint import Checkpointer
from fracture.training.epoch_tracker import Fit
from fracture.training.events import Emit, Usable


@dataclass(frozen=True)
class Trained:
    """How a run went, and what it has computed of the N images."""

    fit: Fit
    readable: NDArray[np.bool_]
    """(N,): which images could be read; the others were left out."""
    head: Features
    """(2049,): the weights of the unit on averaged features, then its bias."""
    features: Features | None = None
    """(N, 2048), of a frozen backbone."""
    mirrored: Features | None = None
    """(N, 2048), of the mirrored validation and selection images; zero for the others."""
    pixels: NDArray[np.uint8] | None = None
    """(N, S, S), fitted, where the images themselves were trained on."""
    probabilities: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None = None
    """Rows of these pixels -> the probabilities that Keras's network gives for them."""


class Learner(Protocol):
    """A network with a fresh head."""

    def describe(self) -> JsonObject:
        """The values of the event ``network``."""

    def train(
        self,
        table: pd.DataFrame,
        check: Usable,
        *,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer,
    ) -> Trained:
        """Train on the images of a table.

        Args:
            table: of images.
            check: raises where those that could be read are not enough.
            emit: receives the events.
            should_stop: asked between batches, steps and epochs.
            checkpointer: saves each epoch, and has the checkpoint from which a run resumes.

        Raises:
            Cancelled: ``should_stop`` said so before the first epoch was done.
        """

    def forward(self, missing: dict[str, str], preparation: Preparation) -> Iterator[tuple[list[str], Features]]:
        """Features of the backbone; see :data:`fracture.training.backbone.features.Forward`."""

    def served(self) -> bytes:
        """The graph of the trained network, for ``model.tflite``."""

    def shuffled(self) -> bytes:
        """The same with the weights of its head in random order.

        A heat map that hardly changes by this does not show what the head has learned (Adebayo et al., "Sanity Checks
        for Saliency Maps", NeurIPS 2018).
        """

    def save(self, folder: ModelFolder) -> None:
        """Write the files that others than the served graph need."""
