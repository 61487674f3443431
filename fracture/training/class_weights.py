"""The weight of each image in the loss, by its label."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def class_weights(label: NDArray[Any], kind: str) -> NDArray[np.float32]:
    """Weights (N,) with a mean of 1: all equal, or with ``balanced`` the same sum for both labels."""
    share = float(label.mean())
    if kind == "none" or share in (0.0, 1.0):
        return np.ones(len(label), np.float32)
    return np.where(label == 1, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)
