"""What a head is trained on: the features of images, each computed once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.training.backbone.features import FeatureProgress, Features, Forward, Preparation, compute_features
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.head.numpy_head import FeaturesAndLabels
from fracture.training.weights import Weights

FOLLOWED_PER_LABEL = 4
"""Validation images of each label whose probabilities are emitted after each epoch."""


@dataclass(frozen=True)
class HeadData:
    """Features of all images, and the parts for training and validation."""

    features: Features
    """(N, 2048)."""
    mirrored: Features
    """(N, 2048), of the mirrored validation images; zero for the others."""
    readable: NDArray[np.bool_]
    """(N,): which images could be read."""
    training: FeaturesAndLabels
    validation: FeaturesAndLabels
    """Of the first data set alone."""
    followed: NDArray[np.int64]
    """Rows of the validation part."""


def prepare_head_data(
    forward: Forward,
    weights: Weights,
    table: pd.DataFrame,
    config: TrainConfig,
    check: Usable,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> HeadData:
    """Extract the features that are not in the cache.

    Raises:
        Cancelled: ``should_stop`` said so; the features extracted until then are in the cache.
    """
    preparation = Preparation(config.image_size, config.fit, weights.input_range)
    in_validation = (table["split"] == "valid").to_numpy()
    paths = table["path"].to_numpy()
    label = table["label"].to_numpy(np.int64)
    progress = FeatureProgress(emit, total=len(paths) + int(in_validation.sum()))
    features, readable = compute_features(
        paths.tolist(), forward, weights, preparation, progress=progress, should_stop=should_stop
    )
    # Before the mirrored images are computed, which takes a while: it raises where a label is missing.
    check(table[readable])
    mirrored = np.zeros_like(features)
    mirrored[in_validation], _ = compute_features(
        paths[in_validation].tolist(),
        forward,
        weights,
        replace(preparation, mirrored=True),
        progress=progress,
        should_stop=should_stop,
    )
    to_train, to_validate = split_rows(table)
    to_train &= readable
    to_validate &= readable
    followed = choose_followed(table, to_validate, emit, config.seed)
    return HeadData(
        features,
        mirrored,
        readable,
        training=(features[to_train], label[to_train]),
        validation=(features[to_validate], label[to_validate]),
        # These rows are numbered within the validation part, not within the table.
        followed=np.searchsorted(np.flatnonzero(to_validate), followed),
    )


def choose_followed(table: pd.DataFrame, validation: NDArray[np.bool_], emit: Emit, seed: int) -> NDArray[np.int64]:
    """The rows of a few random validation images, the negative ones first, which are emitted.

    As far as possible each is of another group: two views of one patient would show the same twice.
    """
    shuffled = table[validation].sample(frac=1, random_state=seed)
    one_per_group = shuffled.drop_duplicates("group")
    one_per_group_first = pd.concat([one_per_group, shuffled]).drop_duplicates("image_id")
    of_each_label = one_per_group_first.groupby("label").head(FOLLOWED_PER_LABEL)
    chosen = of_each_label.sort_values("label", kind="stable")
    columns = chosen.columns.intersection(["image_id", "path", "label", "sha256"])
    emit("followed", **{f"{name}s": chosen[name].tolist() for name in columns})
    return chosen.index.to_numpy()


def split_rows(table: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows (N,) to train on, and which to validate on: of several data sets the first one's alone."""
    in_first = (table["data"] == table["data"].iloc[0]).to_numpy()
    split = table["split"].to_numpy()
    return split == "train", (split == "valid") & in_first
