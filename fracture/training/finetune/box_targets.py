"""Boxes as targets for the cells of a feature map."""

import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from fracture.imaging.annotations import parse_boxes, scale_boxes
from fracture.imaging.radiograph import frame
from fracture.inference.heatmap import Cells


def targets(boxes: tf.Tensor, cells: Cells, count: int) -> tf.Tensor:
    """The share of each cell that is within a box; of a box that is smaller than a cell, the share of the box.

    Args:
        boxes: (B, K, 4) middle x, middle y, width, height in px; width 0 where there is no box.
        cells: of both axes.
        count: cells along an axis.

    Returns:
        (B, count, count, 1), 0 to 1.
    """
    width = boxes[..., 2]
    height = boxes[..., 3]
    across = _overlaps(boxes[..., 0], width, cells, count)  # (B, K, count)
    down = _overlaps(boxes[..., 1], height, cells, count)
    overlap = down[..., :, None] * across[..., None, :]  # (B, K, count, count), in px²
    smaller_area = tf.minimum(width * height, cells.apart**2)[..., None, None]
    share = tf.math.divide_no_nan(overlap, smaller_area)
    # Where boxes overlap, a cell counts once.
    return tf.reduce_max(share, axis=1)[..., None]


def _overlaps(middle: tf.Tensor, length: tf.Tensor, cells: Cells, count: int) -> tf.Tensor:
    """The overlap in px of each cell with intervals (B, K) along one axis: (B, K, count)."""
    # Cells are measured from the middle of the first pixel, boxes from its edge: hence the half pixel.
    start_of_each = cells.first + cells.apart * (np.arange(count) - 0.5) + 0.5
    start = tf.constant(start_of_each, tf.float32)
    end = start + cells.apart
    low = (middle - length / 2)[..., None]
    high = (middle + length / 2)[..., None]
    # The difference is negative where cell and box don't touch.
    return tf.nn.relu(tf.minimum(high, end) - tf.maximum(low, start))


def fitted_boxes(table: pd.DataFrame, size: int, how: str) -> NDArray[np.float32]:
    """The boxes of each image on its fitted square.

    Args:
        table: ``boxes, width, height``, as in :data:`fracture.data.dataset.TABLE_COLUMNS`.
        size: side of the square in px.
        how: of :data:`fracture.imaging.radiograph.FITS`.

    Returns:
        (N, K, 4) middle x, middle y, width, height in px; K is the most that an image has, width 0 where it has fewer.
    """
    parsed = [parse_boxes(text) for text in table["boxes"]]
    most = max((len(boxes) for boxes in parsed), default=0)
    result = np.zeros((len(table), max(1, most), 4), np.float32)
    for row, (boxes, width, height) in enumerate(zip(parsed, table["width"], table["height"], strict=True)):
        if boxes and width:  # 0 where the file cannot be read
            framed = frame(width, height, size, how)
            scaled = scale_boxes(boxes, framed.width / width, framed.height / height)
            x, y, w, h = np.array(scaled).T
            middle_x = framed.left + x + w / 2
            middle_y = framed.top + y + h / 2
            result[row, : len(boxes)] = np.stack([middle_x, middle_y, w, h], axis=1)
    return result
