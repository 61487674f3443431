"""Augmentation: random changes to a training image that leave its label as it is, drawn each time it is seen.

A limb may be placed on the detector either way round and at any angle, so that mirroring in both directions and
rotation do not change the label; exposure differs from film to film. Geometry is one affine map, so that pixels are
interpolated once.
"""

import math
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from fracture.training.finetune.margins import MARGIN_GRAY, MAX_MARGIN

MAX_ROTATION = math.radians(29)
MAX_ZOOM = 0.2
"""As a natural logarithm: sides become 0.82 to 1.22 times as long."""
COMMON_ZOOM = 0.75
"""Share of the zoom that both sides have in common; the rest stretches one and compresses the other."""
MAX_SHIFT = 0.08
"""As a share of the side."""
MAX_BRIGHTNESS = 0.15
"""As a share of the full range."""
MAX_CONTRAST = 0.25
COLLIMATED_SHARE = 0.2
"""Share of the images that get white margins."""


class Batch(NamedTuple):
    """Images and their boxes, both on the fitted square."""

    pixels: Any
    """(B, S, S) float32, 0 to 255."""
    boxes: Any
    """(B, K, 4) float32: middle x, middle y, width, height in px; width 0 where there is no box."""


def augment(batch: Batch, seed: Any, how: str) -> Batch:
    """Change each image at random; ``seed`` (2,) int decides how; ``how`` is none, flips or full."""
    if how == "none":
        return batch
    if how == "flips":
        return _mirror(batch, seed)
    geometry, light, collimator = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    maps = _maps(tf.shape(batch.pixels)[0], batch.pixels.shape[1], geometry)
    moved = _move(batch, maps)
    exposed = moved._replace(pixels=_expose(moved.pixels, light))
    return _collimate(exposed, collimator)


def mirrored(boxes: Any, signs: Any, size: int) -> Any:
    """Boxes (B, K, 4) of images whose rows and columns are mirrored where ``signs`` (B, 2) is -1."""
    middle = size / 2
    x = middle + (boxes[..., 0] - middle) * signs[:, 1:]
    y = middle + (boxes[..., 1] - middle) * signs[:, :1]
    return tf.concat([x[..., None], y[..., None], boxes[..., 2:]], axis=-1)


def _mirror(batch: Batch, seed: Any) -> Batch:
    images = tf.shape(batch.pixels)[0]
    signs = tf.sign(tf.random.stateless_uniform((images, 2), seed, -1.0, 1.0))
    upside_down = signs[:, :1, None] < 0  # (B, 1, 1)
    left_to_right = signs[:, 1:, None] < 0
    pixels = tf.where(upside_down, batch.pixels[:, ::-1], batch.pixels)
    pixels = tf.where(left_to_right, pixels[:, :, ::-1], pixels)
    return Batch(pixels, mirrored(batch.boxes, signs, batch.pixels.shape[1]))


def _maps(count: Any, size: int, seed: Any) -> Any:
    """Random affine maps (B, 2, 3) from places of the result to places of the source, in px."""
    drawn = tf.random.stateless_uniform((count, 7), seed, -1.0, 1.0)
    angle, shared, stretch, across, down, mirror, flip = tf.unstack(drawn, axis=1)
    angle = angle * MAX_ROTATION
    # With the exponential, an image grows by a factor as often as it shrinks by it.
    common = shared * COMMON_ZOOM
    apart = stretch * (1 - COMMON_ZOOM)
    wide = tf.exp(MAX_ZOOM * (common + apart)) * tf.sign(mirror)
    high = tf.exp(MAX_ZOOM * (common - apart)) * tf.sign(flip)
    cos = tf.cos(angle)
    sin = tf.sin(angle)
    upper_row = tf.stack([cos * wide, -sin * high], -1)
    lower_row = tf.stack([sin * wide, cos * high], -1)
    turn = tf.stack([upper_row, lower_row], axis=1)  # (B, 2, 2)
    middle = tf.fill((count, 2, 1), (size - 1) / 2)
    shift = tf.stack([across, down], -1)[..., None] * (MAX_SHIFT * size)  # (B, 2, 1)
    # Rotation and zoom are around the middle of the image.
    return tf.concat([turn, middle + shift - turn @ middle], axis=-1)


def _move(batch: Batch, maps: Any) -> Batch:
    """Images and boxes moved by affine maps (B, 2, 3)."""
    # Keras's maps have two numbers more, for perspective: there is none.
    no_perspective = tf.zeros_like(maps[:, 0, :2])
    flat = tf.concat([tf.reshape(maps, (-1, 6)), no_perspective], axis=1)  # (B, 8)
    with_channel = batch.pixels[..., None]
    pixels = keras.ops.image.affine_transform(with_channel, flat, "bilinear", "constant", 0.0)[..., 0]
    turn = maps[..., :2]
    offset = tf.transpose(maps[..., 2:], (0, 2, 1))
    back = tf.linalg.inv(turn)  # from the source to the result
    # The maps count from the middle of the first pixel, boxes from its edge.
    from_offset = batch.boxes[..., :2] - 0.5 - offset  # (B, K, 2)
    centers = from_offset @ tf.transpose(back, (0, 2, 1)) + 0.5
    # A rotated box is no box: its middle moves exactly, its sides only grow or shrink.
    scale = tf.sqrt(tf.abs(tf.linalg.det(back)))[:, None, None]
    sides = batch.boxes[..., 2:] * scale
    return Batch(pixels, tf.concat([centers, sides], axis=-1))


def _collimate(batch: Batch, seed: Any) -> Batch:
    """White margins on some images, never over a box; see :mod:`fracture.training.finetune.margins`."""
    size = batch.pixels.shape[1]
    drawn = tf.random.stateless_uniform((tf.shape(batch.pixels)[0], 7), seed)
    kind = drawn[:, 1:2]
    down_or_both = tf.where(kind < 2 / 3, [0.0, 1.0], [1.0, 1.0])
    axes = tf.where(kind < 1 / 3, [1.0, 0.0], down_or_both)
    axes *= tf.cast(drawn[:, :1] < COLLIMATED_SHARE, tf.float32)  # (B, 2): whether there are any across, and down
    low = drawn[:, 2:4] * axes * MAX_MARGIN * size  # (B, 2)
    high = size * (1 - drawn[:, 4:6] * axes * MAX_MARGIN)
    # A margin over a box would hide what the label says.
    middle = batch.boxes[..., :2]
    half = batch.boxes[..., 2:] / 2
    is_box = batch.boxes[..., 2:3] > 0
    start_of_boxes = tf.reduce_min(tf.where(is_box, middle - half, size), axis=1)  # (B, 2)
    end_of_boxes = tf.reduce_max(tf.where(is_box, middle + half, 0), axis=1)
    low = tf.minimum(low, start_of_boxes)
    high = tf.maximum(high, end_of_boxes)
    # A pixel is inside where its middle is.
    places = tf.range(size, dtype=tf.float32) + 0.5
    inside = (places >= low[..., None]) & (places < high[..., None])  # (B, 2, S)
    exposed = inside[:, 0, None, :] & inside[:, 1, :, None]  # (B, S, S)
    darkest, brightest = MARGIN_GRAY
    gray = darkest + (brightest - darkest) * drawn[:, 6, None, None]
    return batch._replace(pixels=tf.where(exposed, batch.pixels, gray))


def _expose(pixels: Any, seed: Any) -> Any:
    """Images with another contrast, around their mean, and another brightness."""
    drawn = tf.random.stateless_uniform((tf.shape(pixels)[0], 2, 1, 1), seed, -1.0, 1.0)
    mean = tf.reduce_mean(pixels, axis=(1, 2), keepdims=True)
    contrast = 1 + MAX_CONTRAST * drawn[:, 0]
    brightness = 255 * MAX_BRIGHTNESS * drawn[:, 1]
    changed = (pixels - mean) * contrast + mean + brightness
    return tf.clip_by_value(changed, 0, 255)
