"""What a head is trained on: the features of images, each computed once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.training.backbone.feature_cache import Features, Preparation
from fracture.training.backbone.features import Counter, Forward, compute_features
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.head.numpy_head import Part
from fracture.training.weights import Weights


@dataclass(frozen=True)
class Material:
    """Features of all images, and those of them from which a head learns and by which it is judged."""

    features: Features
    """(N, 2048)."""
    mirrored: Features
    """(N, 2048), of the mirrored validation images; zero for the others."""
    readable: NDArray[np.bool_]
    """(N,): which images could be read."""
    training: Part
    validation: Part
    """Of the first data set alone."""
    followed: NDArray[np.int64]
    """Rows of the validation part."""


def prepare(
    forward: Forward, weights: Weights, table: pd.DataFrame, config: TrainConfig, check: Usable, *,
    emit: Emit, should_stop: Callable[[], bool],
) -> Material:  # fmt: skip
    """Compute the features that are not known yet.

    Raises:
        Cancelled: ``should_stop`` said so; what was computed until then is kept for the next time.
    """
    view = Preparation(config.image_size, config.fit, weights.input_range)
    of_validation = (table["split"] == "valid").to_numpy()
    paths, label = table["path"].to_numpy(), table["label"].to_numpy(np.int64)
    counter = Counter(emit, total=len(paths) + int(of_validation.sum()))
    features, readable = compute_features(
        paths.tolist(), forward, weights, view, counter=counter, should_stop=should_stop
    )
    check(table[readable])
    mirrored, turned = np.zeros_like(features), replace(view, mirrored=True)
    mirrored[of_validation], _ = compute_features(
        paths[of_validation].tolist(), forward, weights, turned, counter=counter, should_stop=should_stop
    )
    rows = [readable & each for each in parts(table)]
    training, validation = ((features[part], label[part]) for part in rows)
    followed = np.searchsorted(np.flatnonzero(rows[1]), follow(table, rows[1], emit, config.seed))
    return Material(features, mirrored, readable, training, validation, followed)


FOLLOWED = 4
"""Validation images of each label whose probabilities are said after each epoch."""


def follow(table: pd.DataFrame, validation: NDArray[np.bool_], emit: Emit, seed: int) -> NDArray[np.int64]:
    """The rows of a few validation images, the negative ones first, each of another group as far as there are any."""
    shuffled = table[validation].sample(frac=1, random_state=seed)
    apart = pd.concat([shuffled.drop_duplicates("group"), shuffled]).drop_duplicates("image_id")
    chosen = apart.groupby("label").head(FOLLOWED).sort_values("label", kind="stable")
    said = chosen[chosen.columns.intersection(["image_id", "path", "label", "sha256"])]
    emit("followed", **{f"{name}s": values.tolist() for name, values in said.items()})
    return chosen.index.to_numpy()


def parts(table: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows (N,) are trained on, and by which the best epoch is told: the first data set's alone."""
    first = (table["data"] == table["data"].iloc[0]).to_numpy()
    split = table["split"].to_numpy()
    return split == "train", (split == "valid") & first
