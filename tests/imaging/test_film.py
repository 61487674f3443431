"""Measures of a whole film: margins, shape and seams."""

import numpy as np
import pytest

from fracture.imaging.film import measure_film


def noise(height: int = 200, width: int = 160) -> np.ndarray:
    return np.random.default_rng(0).integers(20, 120, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 255])
def test_measure_film_margin_is_the_share_of_uniform_rows(level):
    """A band of a tenth of the rows, black or white."""
    pixels = noise()
    pixels[:20] = level
    measured = measure_film(pixels)
    assert measured.border == pytest.approx(0.1) and measured.border_level == level


def test_measure_film_without_margins_has_none():
    """Noise up to the edges."""
    measured = measure_film(noise())
    assert (measured.border, measured.border_level) == (0, 0)
    assert measured.aspect == 1.25


def test_measure_film_seam_is_the_jump_between_two_views():
    """Two halves of 40 and of 140, and one alone."""
    halves = np.full((200, 160), 40.0)
    halves[:, 80:] = 140
    random = np.random.default_rng(0).normal(0, 4, halves.shape)
    assert measure_film((halves + random).astype(np.uint8)).seam == pytest.approx(100, abs=5)
    assert measure_film((40 + random).astype(np.uint8)).seam < 10
