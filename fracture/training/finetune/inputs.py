"""Where fine-tuning begins: at the images, or at what the frozen blocks make of them.

What stays frozen is run once per image where augmentation leaves only a few variants of it (none, or mirroring): its
output is then stored on disk, and each epoch begins at the lowest block that trains.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture import paths
from fracture.errors import Cancelled
from fracture.training.backbone.features import BATCH, Counter
from fracture.training.backbone.network import Network, entry_of
from fracture.training.config import BLOCKS, TrainConfig
from fracture.training.events import Emit
from fracture.training.finetune.augmentation import Batch, augment, mirrored
from fracture.training.finetune.pixel_store import stored

MIRRORS = {"none": ((1, 1),), "flips": ((1, 1), (1, -1), (-1, 1), (-1, -1))}
"""Steps along rows and columns of each variant of an image: -1 is mirrored."""

MOST_STORED = 16 * 2**30
"""Bytes of frozen blocks' output on disk; where it would be more, they are run in each epoch."""


@dataclass(frozen=True)
class Examples:
    """Images and what is known of them; rows are chosen by number."""

    pixels: Any
    """(N, S, S) uint8, fitted."""
    label: NDArray[np.int64]
    """(N,), 0 or 1."""
    boxes: NDArray[np.float32]
    """(N, K, 4), as :func:`fracture.training.finetune.box_targets.fitted_boxes` has them."""
    pixel_range: tuple[float, float]
    """What the darkest and the brightest pixel become before they enter the backbone."""


class FromPixels:
    """Training begins at the image: the frozen blocks run every time, since no two draws of it are alike."""

    def __init__(self, network: Network, examples: Examples, augmentation: str) -> None:
        self.entry, self.examples = network.backbone.input, examples
        self._augmentation, (self._low, self._high) = augmentation, examples.pixel_range

    def read(self, rows: Any, seed: Any, *, train: bool) -> tuple[Any, Any]:
        """Inputs (B, S, S, 3) in the weights' range, and their boxes (B, K, 4)."""
        size = self.examples.pixels.shape[1]
        pixels = tf.numpy_function(lambda chosen: self.examples.pixels[chosen], [rows], tf.uint8, stateful=False)
        batch = Batch(tf.cast(tf.ensure_shape(pixels, (None, size, size)), tf.float32), _boxes(self.examples, rows))
        if train:
            batch = augment(batch, seed, self._augmentation)
        return self.prepared(batch.pixels), batch.boxes

    def prepared(self, pixels: Any) -> Any:
        """(B, S, S) 0 to 255 -> (B, S, S, 3) in the weights' range."""
        gray = tf.cast(pixels, tf.float32) * ((self._high - self._low) / 255) + self._low
        return tf.repeat(gray[..., None], 3, axis=-1)


class FromBlocks:
    """Training begins at the lowest block that trains: what enters it is on disk, for each variant of each image."""

    def __init__(self, examples: Examples, entry: Any, outputs: Any, mirrors: Sequence[tuple[int, int]]) -> None:
        self.entry, self.examples, self._outputs, self._mirrors = entry, examples, outputs, mirrors

    def read(self, rows: Any, seed: Any, *, train: bool) -> tuple[Any, Any]:
        """Inputs (B, h, w, C), and their boxes (B, K, 4)."""
        variants = len(self._mirrors) if train else 1
        drawn = tf.random.stateless_uniform(tf.shape(rows), seed, 0, variants, tf.int64)
        inputs = tf.numpy_function(lambda *chosen: self._outputs[chosen], [rows, drawn], tf.float16, stateful=False)
        inputs = tf.ensure_shape(inputs, (None, *self._outputs.shape[2:]))
        signs = tf.gather(tf.constant(self._mirrors, tf.float32), drawn)
        return inputs, mirrored(_boxes(self.examples, rows), signs, self.examples.pixels.shape[1])


def _boxes(examples: Examples, rows: Any) -> Any:
    return tf.gather(tf.constant(examples.boxes), rows)


Beginning = FromPixels | FromBlocks


def begin(
    network: Network,
    examples: Examples,
    rows: NDArray[np.int64],
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> Beginning:
    """Behind the frozen blocks where few variants of each image are seen and the disk has room for what they become.

    Args:
        network: its blocks below ``config.unfreeze`` are frozen.
        examples: all images.
        rows: of the images that will be asked for.
        config: every choice.
        emit: is told how far it is.
        should_stop: asked after each batch.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    whole = FromPixels(network, examples, config.augmentation)
    mirrors = MIRRORS.get(config.augmentation, ())
    entry = entry_of(network.backbone, config.unfreeze).output
    shape = (len(examples.label), len(mirrors), *entry.shape[1:])
    room = min(MOST_STORED, shutil.disk_usage(paths.cache_home()).free / 2)
    hidden = network.places is not None and BLOCKS.index(config.unfreeze) > BLOCKS.index("mixed8")  # they need mixed7
    if not mirrors or hidden or 2 * np.prod(shape) > room:
        return whole
    outputs, lower = stored(shape, np.float16), keras.Model(network.backbone.input, entry)
    forward = tf.function(lambda pixels: tf.cast(lower(whole.prepared(pixels), training=False), tf.float16))
    counter = Counter(emit, total=len(rows) * len(mirrors))
    counter.begin(len(rows) * len(mirrors), cached=0)
    for variant, (down, across) in enumerate(mirrors):
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            outputs[chosen, variant] = forward(examples.pixels[chosen][:, ::down, ::across]).numpy()
            counter.add(len(chosen))
            if should_stop():
                raise Cancelled
    counter.end()
    return FromBlocks(examples, entry, outputs, mirrors)
