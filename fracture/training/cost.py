"""What a run costs on this machine, before it starts: its time and its memory, about.

Two seconds measure the machine: a pass of the bundled graph, and a product of matrices in 32 bits. A run is then so
many passes and steps, and what starting takes. ``python -m benchmarks.run_cost`` compares it with real runs.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fracture.data.measurements import known_digests
from fracture.documents import Document, Finite
from fracture.errors import RunError
from fracture.files import JsonObject
from fracture.formatting import format_bytes, format_rough_duration
from fracture.paths import PROJECT
from fracture.training.backbone.features import Preparation, count_cached
from fracture.training.config import LITE, TrainConfig
from fracture.training.weights import Weights

REFERENCE_SIZE = 299
"""px, at which passes are counted: their cost grows with the area."""

MULTIPLICATIONS = 5.7e9
"""Of one pass of InceptionV3 at this size (Szegedy et al., CVPR 2016, section 6: 5 billion multiply-adds; with the
layers as Keras has them 5.7)."""

EFFICIENCY = 1.7
"""TensorFlow's forward pass against a matrix product of NumPy, multiplications a second: 2.0 at 150 px, 1.5 at 299."""

TRAINED_SHARES = (0.83, 0.77, 0.71, 0.65, 0.59, 0.52, 0.45, 0.37, 0.28, 0.18, 0.12)
"""The share of the multiplications in the blocks from mixed0, mixed1 ... mixed10 on."""

BACKWARD = 4.0
"""A training step beyond its forward pass, as a multiple of it if all blocks train: two products for each of its own,
augmentation, and the optimizer. 4.8 at 224 px in batches of 8, 3.6 at 299 px in batches of 16."""

HEAT_MAPS = 4
"""Passes for each positive validation image with boxes, in 8 bits: of the head and of a shuffled one, and mirrored."""

READ_SECONDS = 0.015
"""Processor time of reading one image, of about a million pixels."""

START_SECONDS = {"8-bit": 8.0, "head": 30.0, "fine-tune": 60.0}
"""Of starting, the metrics and, but for 8 bits, converting the network; at the reference rate."""

REFERENCE_RATE = 47e9
"""Multiplications a second of processor time where the other constants were measured."""

BYTES_PER_IMAGE = 33_000
"""Of a head's run: the features (2,048 numbers of 4 bytes), in four copies."""

FINE_TUNE_BYTES = 2_250 * 10**6
"""TensorFlow, the weights, their gradients, the optimizer's and the averaged ones."""

BYTES_PER_PIXEL = 700
"""Activations of a batch that the backward pass needs, for each pixel of its images, if all blocks train."""

MEASURE_LIMIT_SECONDS = 60


class Speed(Document):
    """How fast a machine is, in processor time of one core."""

    pass_seconds: Finite
    """Of one pass of the bundled graph in 8 bits, at :data:`REFERENCE_SIZE`."""
    rate: Finite
    """Multiplications a second in a product of matrices in 32 bits."""


@dataclass(frozen=True)
class Cost:
    """What a run takes, about."""

    seconds: float
    memory: int
    """Bytes at its peak."""
    cached: int = 0
    """Images whose features are in the cache; mirrored ones count, too."""

    @property
    def sentence(self) -> str:
        """For a person: *About 4 minutes and 1.1 GB of memory on this machine*."""
        return f"About {format_rough_duration(self.seconds)} and {self.memory_sentence}"

    @property
    def memory_sentence(self) -> str:
        """Without the time: *1.1 GB of memory on this machine*."""
        words = f"{self.memory / 1e9:.1f} GB of memory on this machine."
        return f"{words} {self.cached:,} features are cached." if self.cached else words

    def warning(self, available: int) -> str:
        """A sentence where the machine has less memory (bytes) than the run needs; else empty."""
        if self.memory <= available:
            return ""
        return (
            f"This machine has {format_bytes(available)} of memory. Choose smaller images, a smaller batch size or "
            "bundled-8bit."
        )

    def to_json(self) -> JsonObject:
        """For ``--json``."""
        return {"seconds": round(self.seconds), "memory_bytes": self.memory, "cached_features": self.cached}


def machine_speed() -> Speed:
    """Measure this machine in a process of its own, which takes about two seconds.

    Raises:
        RunError: it could not be measured.
    """
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter, our own module
            command, capture_output=True, check=True, timeout=MEASURE_LIMIT_SECONDS, cwd=PROJECT
        )
        return Speed.model_validate_json(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RunError(f"The speed of this machine could not be measured: {error}") from error


def estimate_cost(table: pd.DataFrame, config: TrainConfig, weights: Weights, speed: Speed) -> Cost:
    """What a run will cost; no image is opened.

    Args:
        table: of the images, as :func:`fracture.data.combine.load_combined` has them.
        config: every setting of the run.
        weights: those that the configuration names.
        speed: of this machine.
    """
    if config.mode == "fine-tune":
        return _fine_tuning_cost(table, config, speed)
    total = len(table) + _mirrored(table, config)
    cached = min(total, _cached_features(table, config, weights))
    missing = total - cached
    kind, each = "8-bit", speed.pass_seconds * _area(config)
    memory = 400 * 10**6 + len(table) * BYTES_PER_IMAGE
    if config.weights != LITE:
        kind, each = "head", _forward_seconds(config, speed)
        # TensorFlow, and the converter where the graph of these weights is not cached either.
        memory += (1_250 if missing else 650) * 10**6
    work = missing * (each + READ_SECONDS) + _heat_map_seconds(table, config, speed)
    return Cost(_start_seconds(kind, speed) + _on_all_cores(work), memory, cached)


def _fine_tuning_cost(table: pd.DataFrame, config: TrainConfig, speed: Speed) -> Cost:
    training = int((table["split"] == "train").sum())
    selected = round(config.selection * training)
    choosing = selected or int((table["split"] == "valid").sum())
    trained = TRAINED_SHARES[int(config.unfreeze.removeprefix("mixed"))]
    forward = _forward_seconds(config, speed)
    step = forward * (1 + BACKWARD * trained)
    epochs = config.epochs * ((training - selected) * step + choosing * forward)
    answered = (len(table) + _mirrored(table, config)) * speed.pass_seconds * _area(config)
    work = epochs + answered + len(table) * READ_SECONDS + _heat_map_seconds(table, config, speed)
    pixels = config.batch_size * config.image_size**2
    seconds = _start_seconds("fine-tune", speed) + _on_all_cores(work)
    return Cost(seconds, FINE_TUNE_BYTES + round(pixels * trained * BYTES_PER_PIXEL))


def _mirrored(table: pd.DataFrame, config: TrainConfig) -> int:
    """Images that run a second time, mirrored: those that choose or are measured on."""
    training = int((table["split"] == "train").sum())
    return int((table["split"] == "valid").sum()) + round(config.selection * training)


def _heat_map_seconds(table: pd.DataFrame, config: TrainConfig, speed: Speed) -> float:
    measured = (table["split"] == "valid") & (table["label"] == 1) & (table["boxes"] != "")
    return HEAT_MAPS * int(measured.sum()) * (speed.pass_seconds * _area(config) + READ_SECONDS)


def _cached_features(table: pd.DataFrame, config: TrainConfig, weights: Weights) -> int:
    digest_of = known_digests(table["path"].tolist())
    images = [digest_of.get(path, "") for path in table["path"]]
    straight = Preparation(config.image_size, config.fit, weights.input_range)
    flipped = Preparation(config.image_size, config.fit, weights.input_range, mirrored=True)
    return count_cached(images, weights, straight) + count_cached(images, weights, flipped)


def _area(config: TrainConfig) -> float:
    return float((config.image_size / REFERENCE_SIZE) ** 2)


def _forward_seconds(config: TrainConfig, speed: Speed) -> float:
    """Processor time of one image's forward pass in TensorFlow."""
    return MULTIPLICATIONS * _area(config) / (speed.rate * EFFICIENCY)


def _start_seconds(kind: str, speed: Speed) -> float:
    return START_SECONDS[kind] * REFERENCE_RATE / speed.rate


def _on_all_cores(processor_seconds: float) -> float:
    return processor_seconds / (os.cpu_count() or 1)


def _measure() -> Speed:
    from fracture.inference.litert import Graph
    from fracture.training.export.bundled_backbone import bundled_graph

    rng = np.random.default_rng(0)
    matrix = rng.random((1024, 1024), np.float32)
    product = _least_seconds(lambda: matrix @ matrix)
    graph = Graph(bundled_graph(REFERENCE_SIZE))
    pixels = rng.integers(0, 256, (REFERENCE_SIZE, REFERENCE_SIZE), np.uint8)
    return Speed(pass_seconds=_least_seconds(lambda: graph(pixels)), rate=len(matrix) ** 3 / product)


def _least_seconds(work: Callable[[], object], times: int = 8) -> float:
    """Processor time, which other programs disturb less than the clock."""
    work()
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


if __name__ == "__main__":
    print(_measure().model_dump_json())
