"""What the recipe asks of whatever learns, be it Keras's network or a head alone, and what it gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.registry.model_folder import ModelFolder
from fracture.training.backbone.feature_cache import Features
from fracture.training.checkpoint import Memory
from fracture.training.epoch_tracker import Fit
from fracture.training.events import Emit, Usable


@dataclass(frozen=True)
class Trained:
    """How a training went, and what came of the images on the way."""

    fit: Fit
    readable: NDArray[np.bool_]
    """(N,): which images could be read; the others were left out."""
    head: Features
    """(2049,): the weights of the unit on averaged features, then its bias."""
    features: Features | None = None
    """(N, 2048), of a frozen backbone."""
    mirrored: Features | None = None
    """(N, 2048), of the mirrored validation images; zero for the others."""
    pixels: NDArray[np.uint8] | None = None
    """(N, S, S), fitted, where the images themselves were trained on."""
    probabilities: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None = None
    """What Keras's network says of some rows of these pixels."""


class Learner(Protocol):
    """A network with a fresh head."""

    def describe(self) -> dict[str, Any]:
        """What the event ``network`` says."""

    def train(
        self, table: pd.DataFrame, check: Usable, *, emit: Emit, should_stop: Callable[[], bool], memory: Memory
    ) -> Trained:
        """Learn from the images of a table.

        Args:
            table: of images.
            check: is asked about those that could be read.
            emit: is told what happens.
            should_stop: asked between batches, steps and epochs.
            memory: where each epoch is kept, and where the last one may lie from which to go on.

        Raises:
            Cancelled: ``should_stop`` said so before the first epoch was done.
        """

    def served(self) -> bytes:
        """The graph of what it has learned, for ``model.tflite``."""

    def shuffled(self) -> bytes:
        """The same with the weights of its head in a random order.

        A heat map that hardly changes by this does not show what the head has learned (Adebayo et al., "Sanity Checks
        for Saliency Maps", NeurIPS 2018).
        """

    def save(self, folder: ModelFolder) -> None:
        """Write what others than the served graph need of it."""
