"""The region finder's network: InceptionV3 with a feature pyramid and a head that draws boxes.

Scores and boxes are given at mixed2's cells, 8 px apart, from mixed2, mixed7 and mixed10 together (Lin et al., "Feature
Pyramid Networks for Object Detection", CVPR 2017), as in FCOS (Tian et al., ICCV 2019) with a single level.
"""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from keras import layers

WIDTH = 128
"""Channels of the pyramid and of the head."""

REACH_PX = 12.0
"""Distance in px of which a side's output is a multiple."""

RARE = -4.6
"""The logit at which scores start: a hundredth of the cells lie in a box (Lin et al., "Focal Loss", ICCV 2017)."""


def build(backbone_weights: Path | None, size: int | None = None, policy: str = "mixed_bfloat16") -> keras.Model:
    """Images (B, S, S, 3), 0 to 1 -> score logits (B, h, w, 1), and sides before :func:`distances` (B, h, w, 4).

    All but the stem and batch normalization trains.
    """
    keras.config.set_dtype_policy(policy)
    backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(size, size, 3))
    if backbone_weights is not None:
        backbone.load_weights(backbone_weights)
    stem_end = [layer for layer in backbone.layers if isinstance(layer, layers.MaxPooling2D)][1]
    first = backbone.layers.index(stem_end) + 1
    for number, layer in enumerate(backbone.layers):
        layer.trainable = number >= first and not isinstance(layer, layers.BatchNormalization)
    middle = _lateral(backbone, "mixed7", "lat4")
    top = layers.Conv2DTranspose(WIDTH, 3, strides=2, name="up5")(_lateral(backbone, "mixed10", "lat5"))
    middle = _smooth(layers.Activation("relu")(_add(middle, top)), "sm4")
    fine = _lateral(backbone, "mixed2", "lat3")
    fine = _add(fine, layers.Conv2DTranspose(WIDTH, 3, strides=2, name="up4")(middle))
    head = layers.Dropout(0.2)(layers.Activation("relu")(fine))
    head = _smooth(_smooth(head, "h1"), "h2")
    rare = keras.initializers.Constant(RARE)
    scores = layers.Conv2D(1, 3, padding="same", bias_initializer=rare, dtype="float32", name="cls")(head)
    sides = layers.Conv2D(4, 3, padding="same", bias_initializer="ones", dtype="float32", name="reg")(head)
    return keras.Model(backbone.input, [scores, sides])


def distances(sides: Any) -> Any:
    """The second output -> distances to left, top, right and bottom in px."""
    return tf.nn.softplus(sides) * REACH_PX


def _lateral(backbone: keras.Model, block: str, name: str) -> Any:
    return layers.Conv2D(WIDTH, 1, padding="same", name=name)(backbone.get_layer(block).output)


def _smooth(maps: Any, name: str) -> Any:
    return layers.Conv2D(WIDTH, 3, padding="same", activation="relu", name=name)(maps)


def _add(lower: Any, upper: Any) -> Any:
    """Their sum, with the upper map cut or filled up with zeros: a stride of 2 may drop a last row or column."""
    return layers.Lambda(_add_cropped, output_shape=(None, None, WIDTH))([lower, upper])


def _add_cropped(maps: list[Any]) -> Any:
    lower, upper = maps
    rows, columns = tf.shape(lower)[1], tf.shape(lower)[2]
    missing_rows = tf.maximum(0, rows - tf.shape(upper)[1])
    missing_columns = tf.maximum(0, columns - tf.shape(upper)[2])
    padded = tf.pad(upper, [[0, 0], [0, missing_rows], [0, missing_columns], [0, 0]])
    return lower + padded[:, :rows, :columns]
