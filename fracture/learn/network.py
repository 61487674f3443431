"""InceptionV3 and its head.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016 (arXiv 1512.00567). The head is
global average pooling, dropout and one sigmoid unit: for such a head the class-activation map is exact (Zhou et al.,
"Learning Deep Features for Discriminative Localization", CVPR 2016, equation 2).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from fracture.errors import WeightsError
from fracture.learn.config import TrainConfig
from fracture.learn.weights import Weights

FEATURES = 2048
"""Channels of InceptionV3's last feature map."""


@dataclass(frozen=True)
class Network:
    """One network, seen three ways that share their layers: training the head trains the whole."""

    backbone: keras.Model
    """(B, S, S, 3) in the weights' pixel range -> feature map (B, h, w, 2048); h = w = 3 at 150 px, 8 at 299."""
    head: keras.Model
    """Averaged features (B, 2048) -> probability (B, 1)."""
    whole: keras.Model
    """(B, S, S, 3) -> probability (B, 1)."""

    @property
    def dense(self) -> Any:
        """The one unit with weights in the head: kernel (2048, 1), bias (1,)."""
        return self.head.get_layer("head")


def build_network(config: TrainConfig, weights: Weights) -> Network:
    """A network with a fresh head on a frozen backbone. The same seed gives the same network.

    Raises:
        WeightsError: the weights cannot be fetched or do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    backbone = _load_backbone(config.image_size, weights)
    backbone.trainable = False
    dropout = keras.layers.Dropout(config.dropout, seed=config.seed, name="dropout")
    dense = keras.layers.Dense(
        1, activation="sigmoid", kernel_regularizer=keras.regularizers.L2(config.l2), name="head"
    )
    features = keras.layers.GlobalAveragePooling2D(name="features")(backbone.output)  # (B, 2048)
    pooled = keras.Input((FEATURES,), name="pooled")
    return Network(
        backbone=backbone,
        head=keras.Model(pooled, dense(dropout(pooled)), name="head_only"),
        whole=keras.Model(backbone.input, dense(dropout(features)), name="inception_v3_binary"),
    )


def _load_backbone(image_size: int, weights: Weights) -> keras.Model:
    shape = (image_size, image_size, 3)
    if weights.source == "imagenet":
        return _load_imagenet(shape)
    backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=shape)
    if weights.path is not None:
        _load_file(backbone, weights)
    return backbone


def _load_imagenet(shape: tuple[int, int, int]) -> keras.Model:
    try:
        return keras.applications.InceptionV3(weights="imagenet", include_top=False, input_shape=shape)
    except Exception as error:
        raise WeightsError(
            f"The ImageNet weights could not be fetched ({error}). They need the internet once; without it choose "
            "bundled, none, or a .weights.h5 file."
        ) from error


def _load_file(backbone: keras.Model, weights: Weights) -> None:
    try:
        if weights.source == "bundled":
            trained = keras.models.load_model(weights.path, compile=False, safe_mode=True)
            # Keras numbers unnamed layers by process, so that only the order of the weights is the same everywhere.
            backbone.set_weights(keras.Model(trained.input, trained.get_layer("mixed10").output).get_weights())
        else:
            backbone.load_weights(weights.path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{weights.source} holds no weights of InceptionV3 without its top: {error}") from error


def describe(network: Network) -> dict[str, Any]:
    """Numbers of layers and parameters, and a row for each block: name, output shape, parameters, whether it trains."""
    model = network.whole
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    total = model.count_params()
    return {"layers": len(model.layers), "parameters": total, "trainable": trainable, "rows": list(_rows(model))}


def _rows(model: keras.Model) -> Iterator[dict[str, Any]]:
    """One row for the stem, each Inception block (Keras calls their ends mixed0 to mixed10) and each head layer."""
    parameters, trainable = 0, False
    for layer in model.layers:
        parameters += layer.count_params()
        trainable = trainable or bool(layer.trainable_weights)
        ends_stem = layer.name.startswith("max_pooling2d") and layer.output.shape[-1] == 192
        ends_block = layer.name.startswith("mixed") and "_" not in layer.name
        if ends_stem or ends_block or layer.name in ("features", "dropout", "head"):
            yield {
                "name": "stem" if ends_stem else layer.name,
                "shape": [int(side) for side in layer.output.shape[1:]],
                "parameters": int(parameters),
                "trainable": trainable,
            }
            parameters, trainable = 0, False
