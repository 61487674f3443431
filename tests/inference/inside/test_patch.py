"""The patch that slides over an image."""

import numpy as np
import pytest

from fracture.inference.heatmap import SIDE, on_square
from fracture.inference.inside.patch import PLACES, layout, slide

SIZE = 100


def spot(row: int, column: int) -> np.ndarray:
    """A black image with one bright spot."""
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    pixels[row : row + 6, column : column + 6] = 255
    return pixels


def brightest(images: list[np.ndarray]) -> list[float]:
    """Stands in for a network that looks for the spot."""
    return [float(each.max()) for each in images]


def test_patch_lowers_the_logit_where_it_covers_the_spot():
    """And nowhere else; the map has its peak there."""
    *_, last = slide(spot(62, 22), brightest)
    lost = 255 - last.logits
    assert last.done == last.total == PLACES**2 and np.isfinite(lost).all()
    row, column = np.unravel_index(int(np.argmax(on_square(lost, SIZE, layout(SIZE)))), (SIDE, SIDE))
    assert row / SIDE == pytest.approx(0.65, abs=0.06) and column / SIDE == pytest.approx(0.25, abs=0.06)


def test_progress_grows_to_the_last_place():
    """Each report holds what is known by then."""
    reports = list(slide(spot(10, 10), brightest))
    assert [each.done for each in reports] == [int(np.isfinite(each.logits).sum()) for each in reports]
    assert reports[-1].done == reports[-1].total
