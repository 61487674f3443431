"""What a head is trained on: the features of images, each computed once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.splits import choosing_rows
from fracture.training.backbone.features import FeatureProgress, Features, Forward, Preparation, compute_features
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.head.numpy_head import FeaturesAndLabels
from fracture.training.weights import Weights

FOLLOWED_PER_LABEL = 4
"""Images of each label, of those that choose the epoch, whose probabilities are emitted after each epoch."""


@dataclass(frozen=True)
class HeadData:
    """Features of all images, and the parts for training and validation."""

    features: Features
    """(N, 2048)."""
    mirrored: Features
    """(N, 2048), of the mirrored validation and selection images; zero for the others."""
    readable: NDArray[np.bool_]
    """(N,): which images could be read."""
    training: FeaturesAndLabels
    validation: FeaturesAndLabels
    """Of the images that choose the epoch: see :func:`fracture.data.splits.choosing_rows`."""
    followed: NDArray[np.int64]
    """Rows of these."""


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
    to_mirror = choosing_rows(table) | (table["split"] == "valid").to_numpy()
    paths = table["path"].to_numpy()
    label = table["label"].to_numpy(np.int64)
    progress = FeatureProgress(emit, total=len(paths) + int(to_mirror.sum()))
    features, readable = compute_features(
        paths.tolist(), forward, weights, preparation, progress=progress, should_stop=should_stop
    )
    # Before the mirrored images are computed, which takes a while: it raises where a label is missing.
    check(table[readable])
    mirrored = np.zeros_like(features)
    mirrored[to_mirror], _ = compute_features(
        paths[to_mirror].tolist(),
        forward,
        weights,
        replace(preparation, mirrored=True),
        progress=progress,
        should_stop=should_stop,
    )
    to_train = (table["split"] == "train").to_numpy() & readable
    to_choose = choosing_rows(table) & readable
    followed = choose_followed(table, to_choose, emit, config.seed)
    return HeadData(
        features,
        mirrored,
        readable,
        training=(features[to_train], label[to_train]),
        validation=(features[to_choose], label[to_choose]),
        # These rows are numbered within the images that choose, not within the table.
        followed=np.searchsorted(np.flatnonzero(to_choose), followed),
    )


def choose_followed(table: pd.DataFrame, choosing: NDArray[np.bool_], emit: Emit, seed: int) -> NDArray[np.int64]:
    """The rows of a few random images of those that choose the epoch, the negative ones first, which are emitted.

    As far as possible each is of another group: two views of one patient would show the same twice.
    """
    shuffled = table[choosing].sample(frac=1, random_state=seed)
    one_per_group = shuffled.drop_duplicates("group")
    one_per_group_first = pd.concat([one_per_group, shuffled]).drop_duplicates("image_id")
    of_each_label = one_per_group_first.groupby("label").head(FOLLOWED_PER_LABEL)
    chosen = of_each_label.sort_values("label", kind="stable")
    columns = chosen.columns.intersection(["image_id", "path", "label", "sha256"])
    emit("followed", **{f"{name}s": chosen[name].tolist() for name in columns})
    return chosen.index.to_numpy()
