"""Boxes for ``benchmarks.region_ways`` by kernel ridge regression on what surrounds a peak."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from benchmarks.region_features import Outputs, Spot
from fracture.evaluation.box_fit import Floats

GAMMA = 0.5
PENALTY = 0.03
"""Of kernel ridge regression; inputs are standardized, and each block of them has a mean square of its weight."""

CLIP = 6.0
"""Logits as inputs are bounded by it."""

BLOCKS = {
    "the nine logits": {"logits3": 1.0},
    "the 49 logits around": {"logits7": 1.0},
    "the nine logits and the embedding": {"logits3": 1.0, "embedding": 0.5},
    "mixed1 around the peak": {"mixed1": 1.0},
    "mixed4 around the peak": {"mixed4": 1.0},
    "the nine logits, the embedding and both maps": {"logits3": 1.0, "mixed1": 0.5, "mixed4": 0.5, "embedding": 0.5},
}
"""The inputs of each way of making boxes, and their weights."""


def patches(
    outputs: Outputs, number: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64], reach: int
) -> Floats:
    """The logits around cells: (P, cells), -20 beyond the map."""
    padded = np.pad(outputs.places, ((0, 0), (reach, reach), (reach, reach)), constant_values=-20.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1), axis=(1, 2))
    around: Floats = windows[number, row, column].reshape(len(number), -1)
    return around


def spot_inputs(spots: Sequence[Spot], outputs: Outputs, crops: Path) -> dict[str, Floats]:
    """The blocks of inputs of all spots, by name: (spots, values)."""
    number = np.array([spot.image for spot in spots])
    row = np.array([spot.row for spot in spots])
    column = np.array([spot.column for spot in spots])
    stored = np.load(crops)
    inputs = {name: stored[name].astype(np.float32) for name in ("mixed1", "mixed4")}
    for name, reach in (("logits3", 1), ("logits7", 3)):
        inputs[name] = np.clip(patches(outputs, number, row, column, reach), -CLIP, CLIP)
    inputs["embedding"] = outputs.embedding[number]
    return inputs


def regress(blocks: dict[str, float], inputs: dict[str, Floats], wanted: Floats, weight: Floats) -> Floats:
    """Middles and logarithms of sides of the tested spots, (P, 4), by kernel ridge regression on the training spots."""
    count = len(wanted)
    scaled = []
    for name, share in blocks.items():
        block = StandardScaler().fit(inputs[name][:count]).transform(inputs[name])
        scaled.append(block * np.sqrt(share / block.shape[1]))
    values = np.concatenate(scaled, axis=1)
    kernel = rbf_kernel(values, values[:count], gamma=GAMMA)
    mean = np.average(wanted, axis=0, weights=weight)
    model = KernelRidge(kernel="precomputed", alpha=PENALTY)
    model.fit(kernel[:count], wanted - mean, sample_weight=weight)
    predicted: Floats = model.predict(kernel[count:]) + mean
    return predicted
