"""Changes to a training image that leave its label as it is, drawn anew each time it is seen.

A radiograph may lie on the plate either way round and at any angle, so that mirroring in both directions and turning
are free of risk; exposure differs from film to film. Geometry is one affine map, so that pixels are interpolated once.
"""

import math
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from fracture.training.finetune.margins import MARGIN, WHITE

ROTATION = math.radians(29)
ZOOM = 0.2
"""Sides change by up to this share, each by its own draw around a common one."""
SHIFT = 0.08
"""Of the side."""
BRIGHTNESS = 0.15
"""Of the full range."""
CONTRAST = 0.25
COLLIMATED = 0.2
"""Share of the images that get white margins."""


class Batch(NamedTuple):
    """Images and what is known of where, both on the fitted square."""

    pixels: Any
    """(B, S, S) float32, 0 to 255."""
    boxes: Any
    """(B, K, 4) float32: middle x, middle y, width, height in px; width 0 where there is no box."""


def augment(batch: Batch, seed: Any, how: str) -> Batch:
    """One draw for each image; ``seed`` (2,) int decides it; ``how`` is none, flips or full."""
    if how == "none":
        return batch
    if how == "flips":
        return _mirror(batch, seed)
    geometry, light, collimator = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    moved = _move(batch, _maps(tf.shape(batch.pixels)[0], batch.pixels.shape[1], geometry))
    return _collimate(moved._replace(pixels=_expose(moved.pixels, light)), collimator)


def mirrored(boxes: Any, signs: Any, size: int) -> Any:
    """Boxes (B, K, 4) of images whose rows and columns ran as ``signs`` (B, 2) says: -1 is the other way round."""
    middle = size / 2
    across = middle + (boxes[..., 0] - middle) * signs[:, 1:]
    down = middle + (boxes[..., 1] - middle) * signs[:, :1]
    return tf.concat([across[..., None], down[..., None], boxes[..., 2:]], axis=-1)


def _mirror(batch: Batch, seed: Any) -> Batch:
    signs = tf.sign(tf.random.stateless_uniform((tf.shape(batch.pixels)[0], 2), seed, -1.0, 1.0))
    pixels = tf.where(signs[:, :1, None] < 0, batch.pixels[:, ::-1], batch.pixels)
    pixels = tf.where(signs[:, 1:, None] < 0, pixels[:, :, ::-1], pixels)
    return Batch(pixels, mirrored(batch.boxes, signs, batch.pixels.shape[1]))


def _maps(count: Any, size: int, seed: Any) -> Any:
    """(B, 2, 3): where in the source each place of the result comes from, in px."""
    drawn = tf.random.stateless_uniform((count, 7), seed, -1.0, 1.0)
    angle, shared, stretch, across, down, mirror, flip = tf.unstack(drawn, axis=1)
    angle = angle * ROTATION
    wide = tf.exp(ZOOM * (shared * 0.75 + stretch * 0.25)) * tf.sign(mirror)
    high = tf.exp(ZOOM * (shared * 0.75 - stretch * 0.25)) * tf.sign(flip)
    turn = tf.stack(
        [
            tf.stack([tf.cos(angle) * wide, -tf.sin(angle) * high], -1),
            tf.stack([tf.sin(angle) * wide, tf.cos(angle) * high], -1),
        ],
        axis=1,
    )  # (B, 2, 2)
    middle = tf.fill((count, 2, 1), (size - 1) / 2)
    shift = tf.stack([across, down], -1)[..., None] * (SHIFT * size)  # (B, 2, 1)
    return tf.concat([turn, middle + shift - turn @ middle], axis=-1)


def _move(batch: Batch, maps: Any) -> Batch:
    flat = tf.concat([tf.reshape(maps, (-1, 6)), tf.zeros_like(maps[:, 0, :2])], axis=1)  # (B, 8)
    pixels = keras.ops.image.affine_transform(batch.pixels[..., None], flat, "bilinear", "constant", 0.0)[..., 0]
    turn, offset = maps[..., :2], maps[..., 2:]
    back = tf.linalg.inv(turn)  # from the source to the result
    # The maps count from the middle of the first pixel, boxes from its edge.
    centres = (batch.boxes[..., :2] - 0.5 - tf.transpose(offset, (0, 2, 1))) @ tf.transpose(back, (0, 2, 1)) + 0.5
    # A turned box is no box: its middle moves exactly, its sides only grow or shrink.
    scale = tf.sqrt(tf.abs(tf.linalg.det(back)))[:, None, None]
    return Batch(pixels, tf.concat([centres, batch.boxes[..., 2:] * scale], axis=-1))


def _collimate(batch: Batch, seed: Any) -> Batch:
    """White margins, as a collimator leaves them, on some images; never over a box.

    On film what was not exposed is white. Some clinics cut that off and others don't, so that a network which has never
    seen it takes it for something.
    """
    size = batch.pixels.shape[1]
    drawn = tf.random.stateless_uniform((tf.shape(batch.pixels)[0], 7), seed)
    axes = tf.where(drawn[:, 1:2] < 1 / 3, [1.0, 0.0], tf.where(drawn[:, 1:2] < 2 / 3, [0.0, 1.0], [1.0, 1.0]))
    axes *= tf.cast(drawn[:, :1] < COLLIMATED, tf.float32)  # (B, 2): whether there are any across, and down
    low, high = drawn[:, 2:4] * axes * MARGIN * size, size * (1 - drawn[:, 4:6] * axes * MARGIN)  # (B, 2) each
    middle, half = batch.boxes[..., :2], batch.boxes[..., 2:] / 2
    there = batch.boxes[..., 2:3] > 0
    low = tf.minimum(low, tf.reduce_min(tf.where(there, middle - half, size), axis=1))
    high = tf.maximum(high, tf.reduce_max(tf.where(there, middle + half, 0), axis=1))
    places = tf.range(size, dtype=tf.float32) + 0.5
    inside = (places >= low[..., None]) & (places < high[..., None])  # (B, 2, S)
    lit = inside[:, 0, None, :] & inside[:, 1, :, None]
    return batch._replace(
        pixels=tf.where(lit, batch.pixels, WHITE[0] + (WHITE[1] - WHITE[0]) * drawn[:, 6, None, None])
    )


def _expose(pixels: Any, seed: Any) -> Any:
    drawn = tf.random.stateless_uniform((tf.shape(pixels)[0], 2, 1, 1), seed, -1.0, 1.0)
    mean = tf.reduce_mean(pixels, axis=(1, 2), keepdims=True)
    changed = (pixels - mean) * (1 + CONTRAST * drawn[:, 0]) + mean + 255 * BRIGHTNESS * drawn[:, 1]
    return tf.clip_by_value(changed, 0, 255)
