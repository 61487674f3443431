"""The inputs of fine-tuning: the images, or the stored outputs of the frozen blocks.

The frozen blocks run once per image where augmentation leaves only a few variants of it (none, or mirroring): their
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
from fracture.training.backbone.features import BATCH, FeatureProgress
from fracture.training.backbone.network import Network, entry_of
from fracture.training.config import BLOCKS, TrainConfig
from fracture.training.events import Emit
from fracture.training.finetune.augmentation import Batch, augment, mirrored
from fracture.training.finetune.pixel_store import temporary_array

MIRRORS = {"none": ((1, 1),), "flips": ((1, 1), (1, -1), (-1, 1), (-1, -1))}
"""Steps along rows and columns of each variant of an image: -1 is mirrored."""

MAX_STORED_BYTES = 16 * 2**30
"""Of the frozen blocks' output on disk; where it would be more, they run in each epoch."""


@dataclass(frozen=True)
class Examples:
    """Images, labels and boxes; rows are chosen by number."""

    pixels: Any
    """(N, S, S) uint8, fitted."""
    label: NDArray[np.int64]
    """(N,), 0 or 1."""
    boxes: NDArray[np.float32]
    """(N, K, 4), as :func:`fracture.training.finetune.box_targets.fitted_boxes` has them."""
    pixel_range: tuple[float, float]
    """What the darkest and the brightest pixel become before they enter the backbone."""


class PixelInputs:
    """Training begins at the image: the frozen blocks run every time, since augmentation never repeats itself."""

    def __init__(self, network: Network, examples: Examples, augmentation: str) -> None:
        self.entry = network.backbone.input
        self.examples = examples
        self._augmentation = augmentation

    def read(self, rows: Any, seed: Any, *, train: bool) -> tuple[Any, Any]:
        """Inputs (B, S, S, 3) in the weights' range, and their boxes (B, K, 4)."""
        size = self.examples.pixels.shape[1]
        # The pixels stay in their file: as a constant of the graph they would all be in memory.
        pixels = tf.numpy_function(lambda chosen: self.examples.pixels[chosen], [rows], tf.uint8, stateful=False)
        pixels = tf.cast(tf.ensure_shape(pixels, (None, size, size)), tf.float32)
        batch = Batch(pixels, _boxes(self.examples, rows))
        if train:
            batch = augment(batch, seed, self._augmentation)
        return self.backbone_input(batch.pixels), batch.boxes

    def backbone_input(self, pixels: Any) -> Any:
        """(B, S, S) 0 to 255 -> (B, S, S, 3) in the weights' range."""
        low, high = self.examples.pixel_range
        gray = tf.cast(pixels, tf.float32) * ((high - low) / 255) + low
        return tf.repeat(gray[..., None], 3, axis=-1)


class BlockInputs:
    """Training begins at the lowest block that trains: its inputs are on disk, for each variant of each image."""

    def __init__(self, examples: Examples, entry: Any, outputs: Any, mirrors: Sequence[tuple[int, int]]) -> None:
        self.entry = entry
        self.examples = examples
        self._outputs = outputs
        self._mirrors = mirrors

    def read(self, rows: Any, seed: Any, *, train: bool) -> tuple[Any, Any]:
        """Inputs (B, h, w, C), and their boxes (B, K, 4)."""
        variants = len(self._mirrors) if train else 1
        drawn = tf.random.stateless_uniform(tf.shape(rows), seed, 0, variants, tf.int64)
        inputs = tf.numpy_function(lambda *chosen: self._outputs[chosen], [rows, drawn], tf.float16, stateful=False)
        # What comes from NumPy has no shape to TensorFlow.
        inputs = tf.ensure_shape(inputs, (None, *self._outputs.shape[2:]))
        signs = tf.gather(tf.constant(self._mirrors, tf.float32), drawn)
        return inputs, mirrored(_boxes(self.examples, rows), signs, self.examples.pixels.shape[1])


def _boxes(examples: Examples, rows: Any) -> Any:
    return tf.gather(tf.constant(examples.boxes), rows)


InputSource = PixelInputs | BlockInputs


def choose_inputs(
    network: Network,
    examples: Examples,
    rows: NDArray[np.int64],
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> InputSource:
    """Stored outputs of the frozen blocks where there are few variants of an image and enough disk, else the images.

    Args:
        network: its blocks below ``config.unfreeze`` are frozen.
        examples: all images.
        rows: of the images that will be read.
        config: every setting of the run.
        emit: receives the events.
        should_stop: asked after each batch.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    images = PixelInputs(network, examples, config.augmentation)
    mirrors = MIRRORS.get(config.augmentation)
    if mirrors is None:
        return images
    entry = entry_of(network.backbone, config.unfreeze).output
    shape = (len(examples.label), len(mirrors), *entry.shape[1:])
    stored_bytes = np.prod(shape) * np.dtype(np.float16).itemsize
    # Half of the disk is left to others.
    room = min(MAX_STORED_BYTES, shutil.disk_usage(paths.cache_home()).free / 2)
    # The output for places reads mixed7, which is below what would be stored.
    needs_lower_blocks = network.places is not None and BLOCKS.index(config.unfreeze) > BLOCKS.index("mixed8")
    if needs_lower_blocks or stored_bytes > room:
        return images
    lower_blocks = keras.Model(network.backbone.input, entry)
    outputs = temporary_array(shape, np.float16)
    _run_blocks(lower_blocks, images, rows, mirrors, outputs, emit=emit, should_stop=should_stop)
    return BlockInputs(examples, entry, outputs, mirrors)


def _run_blocks(
    blocks: keras.Model,
    images: PixelInputs,
    rows: NDArray[np.int64],
    mirrors: Sequence[tuple[int, int]],
    outputs: Any,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> None:
    """Fill ``outputs`` (N, variants, h, w, C) with the blocks' outputs for these rows."""

    @tf.function  # type: ignore[untyped-decorator]
    def run(pixels: Any) -> Any:
        return tf.cast(blocks(images.backbone_input(pixels), training=False), tf.float16)

    count = len(rows) * len(mirrors)
    progress = FeatureProgress(emit, total=count)
    progress.begin(count, cached=0)
    for variant, (down, across) in enumerate(mirrors):
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            pixels = images.examples.pixels[chosen][:, ::down, ::across]
            outputs[chosen, variant] = run(pixels).numpy()
            progress.add(len(chosen))
            if should_stop():
                raise Cancelled
    progress.end()
