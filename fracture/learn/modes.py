"""The two ways to train: a head on features that are computed once, or the upper blocks as well."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.learn.beginning import Examples
from fracture.learn.checkpoint import NONE, Memory
from fracture.learn.config import TrainConfig
from fracture.learn.events import Emit
from fracture.learn.feature_cache import Features, Preparation
from fracture.learn.features import compute_features
from fracture.learn.fine_tuning import fine_tune
from fracture.learn.network import Network, build_network
from fracture.learn.pixels import fitted_pixels
from fracture.learn.places import fitted_boxes
from fracture.learn.training import Fit, fit_head
from fracture.learn.weights import Weights

Usable = Callable[["pd.DataFrame"], None]
"""Raises where the images that could be read are not enough to train on."""


@dataclass(frozen=True)
class Trained:
    """A trained network, and what came of the images on the way."""

    network: Network
    fit: Fit
    readable: NDArray[np.bool_]
    """(N,): which images could be read; the others were left out."""
    features: Features | None = None
    """(N, 2048), of a frozen backbone."""
    mirrored: Features | None = None
    """(N, 2048), of the mirrored validation images; zero for the others."""
    pixels: NDArray[np.uint8] | None = None
    """(N, S, S), fitted, where the images themselves were trained on."""


def train_head(
    network: Network, weights: Weights, table: pd.DataFrame, config: TrainConfig, check: Usable, *,
    emit: Emit, should_stop: Callable[[], bool], memory: Memory = NONE,
) -> Trained:  # fmt: skip
    """Train the head on the features of the images, each computed once."""
    view = Preparation(config.image_size, config.fit, weights.input_range)
    validation = (table["split"] == "valid").to_numpy()
    paths, label = table["path"].to_numpy(), table["label"].to_numpy(np.int64)
    features, readable = compute_features(
        paths.tolist(), network.backbone, weights, view, emit=emit, should_stop=should_stop
    )
    check(table[readable])
    turned = np.zeros_like(features)
    turned[validation], _ = compute_features(
        paths[validation].tolist(),
        network.backbone,
        weights,
        replace(view, mirrored=True),
        emit=emit,
        should_stop=should_stop,
    )
    parts = [readable & each for each in _parts(table)]
    training, validation_part = ((features[part], label[part]) for part in parts)
    followed = np.searchsorted(np.flatnonzero(parts[1]), _follow(table, parts[1], emit, config.seed))
    fit = fit_head(
        network.head, training, validation_part, config,
        emit=emit, should_stop=should_stop, memory=memory, followed=followed,
    )  # fmt: skip
    return Trained(_plain(network, config, weights), fit, readable, features=features, mirrored=turned)


def train_blocks(
    network: Network, weights: Weights, table: pd.DataFrame, config: TrainConfig, check: Usable, *,
    emit: Emit, should_stop: Callable[[], bool], memory: Memory = NONE,
) -> Trained:  # fmt: skip
    """Train the head and the upper blocks on the images."""
    pixels, readable = fitted_pixels(
        table["path"].tolist(), config.image_size, config.fit, emit=emit, should_stop=should_stop
    )
    check(table[readable])
    label, boxes = table["label"].to_numpy(np.int64), fitted_boxes(table, config.image_size, config.fit)
    training, validation = (np.flatnonzero(readable & each) for each in _parts(table))
    examples = Examples(pixels, label, boxes, weights.input_range)
    followed = _follow(table, np.isin(np.arange(len(table)), validation), emit, config.seed)
    fit = fine_tune(
        network, examples, training, validation, config,
        emit=emit, should_stop=should_stop, memory=memory, followed=followed,
    )  # fmt: skip
    return Trained(_plain(network, config, weights), fit, readable, pixels=pixels)


FOLLOWED = 4
"""Validation images of each label whose probabilities are said after each epoch."""


def _follow(table: pd.DataFrame, validation: NDArray[np.bool_], emit: Emit, seed: int) -> NDArray[np.int64]:
    """The rows of a few validation images, the negative ones first, each of another group as far as there are any."""
    shuffled = table[validation].sample(frac=1, random_state=seed)
    apart = pd.concat([shuffled.drop_duplicates("group"), shuffled]).drop_duplicates("image_id")
    chosen = apart.groupby("label").head(FOLLOWED).sort_values("label", kind="stable")
    emit("followed", **{f"{name}s": chosen[name].tolist() for name in ("image_id", "path", "label")})
    return chosen.index.to_numpy()


def _parts(table: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows (N,) are trained on, and by which the best epoch is told: the first data set's alone."""
    first = (table["data"] == table["data"].iloc[0]).to_numpy()
    split = table["split"].to_numpy()
    return split == "train", (split == "valid") & first


def _plain(network: Network, config: TrainConfig, weights: Weights) -> Network:
    """The same network as it is saved and served: 16 bits and several devices are for training only."""
    if (as_served := replace(config, precision="float32", strategy="one")) == config:
        return network
    plain = build_network(as_served, weights)
    plain.whole.set_weights(network.whole.get_weights())
    return plain
