"""The material of experiments: the images of a data set, and their features, which a run has left in the cache."""

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture import demo
from fracture.data.combine import load_combined
from fracture.data.measurements import digests
from fracture.errors import FeaturesError, RunError
from fracture.training.backbone.features import Features, Preparation, feature_cache
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import FeaturesAndLabels, Head, train_head
from fracture.training.runs.queue import Run
from fracture.training.weights import find_weights

_one_at_a_time = threading.Lock()

Rows = NDArray[np.bool_]
"""Which images (N,) of a bench."""


@dataclass(frozen=True)
class Bench:
    """Images with their features, and the config of the run that computed them."""

    config: TrainConfig
    """Of that run."""
    table: pd.DataFrame
    """A row an image, as of a data set, numbered from 0."""
    features: Features
    """(N, 2048)."""
    label_names: tuple[str, str]
    validated_on: str
    """The name of the data set whose validation part is used."""
    missing: int = 0
    """Images without features: they could not be read, or are no longer in the cache."""

    @property
    def fingerprint(self) -> str:
        """Different where the images, their order, their parts or their labels differ, as after a decision."""
        columns = self.table[["data", "image_id", "group", "split", "label"]]
        rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
        return hashlib.sha256(rows.tobytes()).hexdigest()[:16]

    @property
    def training(self) -> Rows:
        """The images to train on."""
        return (self.table["split"] == "train").to_numpy(np.bool_)

    @property
    def validation(self) -> Rows:
        """The images to validate on."""
        of_data = self.table["data"] == self.validated_on
        rows: Rows = (of_data & (self.table["split"] == "valid")).to_numpy(np.bool_)
        return rows

    def part(self, rows: Rows) -> FeaturesAndLabels:
        """Features and labels of these images."""
        label = self.table["label"].to_numpy(np.int64)
        return self.features[rows], label[rows]

    def fit(self, training: Rows, validation: Rows, config: TrainConfig, *, keep_last_epoch: bool = False) -> Head:
        """A head trained on some images and validated on others: see :func:`train_head`.

        One at a time in this process, so that the app stays responsive for other visitors.

        Raises:
            RunError: one of the labels is missing in one of the parts.
            PublicError: the public demo trains no such head.
        """
        self.check(training, validation, config)
        with _one_at_a_time:
            return train_head(self.part(training), self.part(validation), config, keep_last_epoch=keep_last_epoch)

    def check(self, training: Rows, validation: Rows, config: TrainConfig) -> None:
        """Raise what :meth:`fit` raises."""
        demo.check_head(config.to_json(), int(training.sum()))
        self._check_labels("train", training)
        self._check_labels("validate", validation)

    def _check_labels(self, purpose: str, rows: Rows) -> None:
        _, label = self.part(rows)
        negatives, positives = np.bincount(label, minlength=2)
        if not (negatives and positives):
            negative, positive = self.label_names
            raise RunError(
                f"A head needs images of both labels. Those to {purpose} on are {negatives} {negative} and {positives} "
                f"{positive}."
            )


def runs_with_features(runs: Iterable[Run]) -> list[Run]:
    """The runs that have left features of all their images: the finished or stopped ones with a frozen backbone."""
    return [run for run in runs if run.config.get("mode") == "head" and run.folder.card.exists()]


def config_of(run: Run) -> TrainConfig:
    """The settings of a run. Raises ConfigError where they are damaged."""
    # The folder's own name counts: a model that was copied may have recorded another one.
    return TrainConfig.from_json({**run.config, "name": run.name})


def open_bench(run: Run) -> Bench:
    """The images of a run with their features.

    Raises:
        ConfigError: the config of the run is damaged.
        DatasetError: the data set is gone, or can't be read.
        WeightsError: the weights file is gone, or another one.
        FeaturesError: the features are no longer in the cache.
    """
    config = config_of(run)
    weights = find_weights(config)
    data = load_combined(config.data, config.also, config.body_part)
    images = digests(data.table["path"].tolist())
    preparation = Preparation(config.image_size, config.fit, weights.input_range)
    with feature_cache(weights, preparation) as cache:
        # A file that could not be hashed has an empty digest.
        known = cache.get(sorted({image for image in images if image}))
    is_known = np.array([image in known for image in images], np.bool_)
    if not is_known.any():
        raise FeaturesError(
            f"The features that {run.name!r} has computed are no longer in the cache. Compute them again: fracture "
            f"features --model {run.name}"
        )
    # Copies of an image share a row of the cache.
    features = np.stack([known[image] for image in images if image in known])  # (N, 2048)
    return Bench(
        config=config,
        table=data.table[is_known].reset_index(drop=True),
        features=features,
        label_names=data.label_names,
        validated_on=str(data.table["data"].iloc[0]),
        missing=int((~is_known).sum()),
    )
