"""Boxes as targets for the cells of a feature map."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.imaging.radiograph import FITS, fit, frame, unfit
from fracture.inference.heatmap import MIXED7, peak
from fracture.training.finetune.box_targets import fitted_boxes, targets


def cells_of(*boxes: tuple[float, float, float, float], count: int = 17) -> np.ndarray:
    return targets(np.array([boxes], np.float32), MIXED7, count).numpy()[0, ..., 0]


def test_targets_box_of_a_cell_fills_that_cell():
    """Cell (2, 5) has its middle at 21.5 + 16 * (5, 2), counted from the image's edge."""
    found = cells_of((101.5, 53.5, 16, 16))
    assert found[2, 5] == pytest.approx(1) and found.sum() == pytest.approx(1)


def test_targets_small_box_counts_whole_or_in_parts():
    """Within one cell it counts as 1, between two cells as one half each."""
    assert cells_of((101.5, 53.5, 4, 4))[2, 5] == pytest.approx(1)
    between = cells_of((109.5, 53.5, 4, 4))
    assert between[2, 5] == pytest.approx(0.5) and between[2, 6] == pytest.approx(0.5)


def test_targets_without_a_box_on_the_image_are_zero():
    """Neither no box nor a box outside fills a cell."""
    assert not cells_of((0, 0, 0, 0)).any()
    assert not cells_of((-40, 20, 16, 16)).any()


def test_targets_overlapping_boxes_count_once():
    """A target is never above 1."""
    assert cells_of((101.5, 53.5, 16, 16), (101.5, 53.5, 16, 16)).max() == pytest.approx(1)


@pytest.mark.parametrize("how", ["letterbox", "stretch"])
def test_fitted_boxes_are_where_fit_puts_the_pixels(how):
    """A bright rectangle, fitted with its image, is found where its box is."""
    pixels = np.zeros((200, 400), np.uint8)
    pixels[40:80, 300:360] = 255
    table = pd.DataFrame({"boxes": ["300 40 60 40", ""], "width": 400, "height": 200})
    x, y, w, h = fitted_boxes(table, 100, how)[0, 0]
    rows, columns = np.nonzero(fit(pixels, 100, how) > 127)
    assert columns.mean() + 0.5 == pytest.approx(x, abs=0.6) and np.ptp(columns) + 1 == pytest.approx(w, abs=1.1)
    assert rows.mean() + 0.5 == pytest.approx(y, abs=0.6) and np.ptp(rows) + 1 == pytest.approx(h, abs=1.1)
    assert not fitted_boxes(table, 100, how)[1].any()


@given(
    width=st.integers(8, 900),
    height=st.integers(8, 900),
    how=st.sampled_from(FITS),
    across=st.floats(0, 1),
    down=st.floats(0, 1),
)
@settings(deadline=None)
def test_unfit_after_fitted_boxes_gives_the_place_back(width, height, how, across, down):
    """A map that rises towards the place of a box on the square peaks, over the image, in the middle of the box."""
    table = pd.DataFrame({"boxes": [f"{across * width} {down * height} 0 0"], "width": width, "height": height})
    x, y = fitted_boxes(table, 299, how)[0, 0, :2]
    rows, columns = (np.arange(299) + 0.5) - np.array([y, x])[:, None]
    square = -np.hypot(rows[:, None], columns).astype(np.float32)
    framed = frame(width, height, 299, how)
    found = peak(unfit(square, framed, width, height))
    assert found.x == pytest.approx(across * width, abs=max(1, width / framed.width))
    assert found.y == pytest.approx(down * height, abs=max(1, height / framed.height))
