"""Learning without TensorFlow: the bundled backbone as it is served, on LiteRT, and a head in NumPy on its features."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.errors import RadiographError
from fracture.imaging.radiograph import fit, load
from fracture.inference.litert import Graph
from fracture.registry.model_folder import ModelFolder
from fracture.training.backbone.feature_cache import FEATURES, Features, Preparation
from fracture.training.backbone.features import BATCH
from fracture.training.checkpoint import Memory
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.export.bundled_backbone import bundled_graph, describe
from fracture.training.export.head_slot import place_head
from fracture.training.head.head_data import prepare
from fracture.training.head.numpy_training import fit_head
from fracture.training.learner import Trained
from fracture.training.weights import Weights


class LiteLearner:
    """Trains a head on the backbone of :mod:`fracture.training.export.bundled_backbone`; a ``Learner``."""

    def __init__(self, config: TrainConfig, weights: Weights) -> None:
        self._config, self._weights = config, weights
        self._backbone = bundled_graph(config.image_size)
        self._head = np.zeros(FEATURES + 1, np.float32)

    def describe(self) -> dict[str, Any]:
        """See :func:`fracture.training.export.bundled_backbone.describe`."""
        return describe(self._backbone)

    def train(
        self, table: pd.DataFrame, check: Usable, *, emit: Emit, should_stop: Callable[[], bool], memory: Memory
    ) -> Trained:
        """Train the head on the features of the images, each computed once."""
        material = prepare(
            self.forward, self._weights, table, self._config, check, emit=emit, should_stop=should_stop
        )  # fmt: skip
        fit, self._head = fit_head(
            material.training, material.validation, self._config,
            emit=emit, should_stop=should_stop, memory=memory, followed=material.followed,
        )  # fmt: skip
        return Trained(fit, material.readable, self._head, features=material.features, mirrored=material.mirrored)

    def served(self) -> bytes:
        """The backbone with the head in its place."""
        return place_head(self._backbone, self._head)

    def shuffled(self) -> bytes:
        """The same with the head's weights in another order, and its bias."""
        kernel = np.random.default_rng(self._config.seed).permutation(self._head[:-1])
        return place_head(self._backbone, np.append(kernel, self._head[-1:]))

    def save(self, folder: ModelFolder) -> None:
        """Nothing: there is no Keras model, and the backbone is the bundled model's."""

    def forward(self, missing: dict[str, str], view: Preparation) -> Iterator[tuple[list[str], Features]]:
        """A :data:`fracture.training.backbone.features.Forward`; images are decoded while the backbone is at work."""
        graph, images = Graph(self._backbone), list(missing)
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(images), BATCH):
                few = images[start : start + BATCH]
                pixels = pool.map(partial(_fitted, view=view), (missing[image] for image in few))
                seen = {
                    image: graph(fitted).features
                    for image, fitted in zip(few, pixels, strict=True)
                    if fitted is not None
                }
                if seen:
                    yield list(seen), np.stack(list(seen.values()))


def _fitted(path: str, view: Preparation) -> NDArray[np.uint8] | None:
    """The image as the backbone sees it (S, S); None where it cannot be read."""
    try:
        return fit(load(Path(path)).pixels, view.image_size, view.fit)[:, :: -1 if view.mirrored else 1]
    except RadiographError:
        return None
