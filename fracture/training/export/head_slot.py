"""The slot of the head in a served graph.

A backbone is converted once, with marks in the place of the head: another head replaces 16 KB of 22 MB.
"""

import numpy as np
from numpy.typing import NDArray

from fracture.training.backbone.features import FEATURES

_marks = np.random.default_rng(20170406)
CAM_MARK = _marks.standard_normal(FEATURES).astype("<f4")
"""(2048,), in the place of the weights of the class-activation map."""
LOGIT_MARK = _marks.standard_normal(FEATURES + 1).astype("<f4")
"""(2049,), in the place of the weights of the logit. The bias is the weight of one more feature, which is always 1.

Both are random numbers, so that they occur nowhere else in the file."""


def place_head(template: bytes, head: NDArray[np.float32]) -> bytes:
    """A graph with the weights of a head (2049,), the bias last, in the place of the marks."""
    values = head.astype("<f4")
    return _write_over(_write_over(template, CAM_MARK, values[:-1]), LOGIT_MARK, values)


def _write_over(graph: bytes, mark: NDArray[np.float32], values: NDArray[np.float32]) -> bytes:
    found = graph.count(mark.tobytes())
    if found != 1:
        raise RuntimeError(f"The served graph must have each mark of the head once. Found: {found}")
    return graph.replace(mark.tobytes(), values.tobytes())
