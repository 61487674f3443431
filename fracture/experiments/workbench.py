"""What heads are tried on: a data set's images, and their features as a training has left them in the cache."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture import demo
from fracture.data.combine import load_combined
from fracture.data.measurements import digests
from fracture.errors import RunError
from fracture.training.backbone.feature_cache import FeatureCache, Features, Preparation
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import Head, Part, fit_at_once
from fracture.training.runs.queue import Run
from fracture.training.weights import find_weights

_TURN = threading.Lock()

Rows = NDArray[np.bool_]
"""Which images (N,) of a bench."""


@dataclass(frozen=True)
class Bench:
    """Images whose features are known, and the training that computed them."""

    config: TrainConfig
    """The choices of that training."""
    table: pd.DataFrame
    """A row an image, as of a data set, numbered from 0."""
    features: Features
    """(N, 2048)."""
    label_names: tuple[str, str]
    judged: str
    """The name of the data set whose validation part judges."""
    missing: int = 0
    """Images that have no features: they could not be read, or are no longer in the cache."""

    @property
    def training(self) -> Rows:
        """The images that are trained on."""
        return (self.table["split"] == "train").to_numpy(np.bool_)

    @property
    def validation(self) -> Rows:
        """The images by which a head is judged."""
        judging = self.table["data"] == self.judged
        rows: Rows = (judging & (self.table["split"] == "valid")).to_numpy(np.bool_)
        return rows

    def part(self, rows: Rows) -> Part:
        """Features and labels of these images."""
        return self.features[rows], self.table["label"].to_numpy(np.int64)[rows]

    def fit(self, training: Rows, validation: Rows, config: TrainConfig, *, to_the_end: bool = False) -> Head:
        """A head that has learned from some images, judged by others: see :func:`fit_at_once`.

        One at a time in this process, so that others who ask it something need not wait for several.

        Raises:
            RunError: one of the labels is missing in one of the parts.
            PublicError: a public demo trains no such head.
        """
        demo.check_head(config.to_json(), int(training.sum()))
        for name, rows in (("train on", training), ("judge by", validation)):
            counts = np.bincount(self.part(rows)[1], minlength=2)
            if not counts.all():
                (negative, positive), (without, with_it) = self.label_names, counts
                raise RunError(
                    f"A head needs images of both labels. Those to {name} are {without} {negative} and {with_it} "
                    f"{positive}."
                )
        with _TURN:
            return fit_at_once(self.part(training), self.part(validation), config, to_the_end=to_the_end)


def can_be_tried(runs: Iterable[Run]) -> list[Run]:
    """The trainings that have left features of all their images: those of a frozen backbone that came to an end."""
    return [run for run in runs if run.config.get("mode") == "head" and run.folder.card.exists()]


def open_bench(run: Run) -> Bench:
    """The images of a training with their features.

    Raises:
        ConfigError: the training's choices are damaged.
        DatasetError: the data set is gone, or cannot be read.
        WeightsError: the weights file is gone, or another one.
        RunError: features are no longer in the cache.
    """
    config = TrainConfig.from_json({**run.config, "name": run.name})
    weights = find_weights(config)
    data = load_combined(config.data, config.also, config.body_part)
    images = digests(data.table["path"].tolist())
    cache = FeatureCache(weights, Preparation(config.image_size, config.fit, weights.input_range))
    known = cache.get(sorted({image for image in images if image}))
    there = np.array([image in known for image in images], np.bool_)
    if not there.any():
        raise RunError(f"The features that {run.name!r} has computed are no longer in the cache. Train a head anew.")
    features = np.stack([known[image] for image in images if image in known])  # (N, 2048)
    table, first = data.table[there].reset_index(drop=True), str(data.table["data"].iloc[0])
    return Bench(config, table, features, data.label_names, first, int((~there).sum()))
