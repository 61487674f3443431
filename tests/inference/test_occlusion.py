"""Occlusion of parts of an image."""

import numpy as np
import pytest

from fracture.inference.occlusion import FILLS, border_mask, move_mask, occlude, outline_mask


def shaded(height=60, width=80):
    return np.add.outer(np.arange(height), np.arange(width)).astype(np.uint8)


def test_outline_mask_of_two_corners_is_a_box():
    """Whichever two corners are given, and cut off at the edges of the image."""
    mask = outline_mask([(30, 40), (10, 20)], 80, 60)
    assert mask.sum() == 20 * 20
    assert mask[20:40, 10:30].all()
    assert outline_mask([(-10, -10), (5, 5)], 80, 60).sum() == 25


def test_outline_mask_of_corners_is_a_polygon():
    """A triangle has about half of the pixels of its box; a single point none."""
    assert outline_mask([(0, 0), (40, 0), (0, 40)], 80, 60).sum() == pytest.approx(800, rel=0.1)
    assert not outline_mask([(5, 5)], 80, 60).any()


def test_border_mask_leaves_the_middle():
    """It has the same width on all sides."""
    mask = border_mask(80, 60, 0.1)
    assert mask.sum() == 80 * 60 - 68 * 48
    assert not mask[6:54, 6:74].any()


@pytest.mark.parametrize("fill", FILLS)
def test_occlude_changes_nothing_outside_the_mask(fill):
    """Outside of it each pixel stays; the original image does not change."""
    pixels, mask = shaded(), outline_mask([(30, 20), (50, 40)], 80, 60)
    before = pixels.copy()
    covered = occlude(pixels, mask, fill)
    assert (covered[~mask] == pixels[~mask]).all()
    assert (covered[mask] != pixels[mask]).any()
    assert (pixels == before).all()
    assert (occlude(pixels, mask & False, fill) == pixels).all()
    assert occlude(pixels, mask | True, fill).shape == pixels.shape


def test_occlude_with_surroundings_removes_a_bright_plate():
    """Masked pixels look like the pixels around them, not like before."""
    pixels = shaded()
    mask = outline_mask([(30, 20), (50, 40)], 80, 60)
    with_plate = np.where(mask, 255, pixels).astype(np.uint8)
    covered = occlude(with_plate, mask, "surroundings").astype(int)
    assert np.abs(covered - pixels)[mask].mean() < 8
    assert np.abs(occlude(with_plate, mask, "black").astype(int) - pixels)[mask].mean() > 50


def test_move_mask_gives_the_same_mask_elsewhere():
    """Of the same size and form, within the image, and mostly away from its own place."""
    mask = outline_mask([(30, 20), (50, 40)], 80, 60)
    moved = list(move_mask(mask, 5))
    assert len(moved) == 5
    for each in moved:
        rows, columns = np.flatnonzero(each.any(axis=1)), np.flatnonzero(each.any(axis=0))
        assert (len(rows), len(columns), each.sum()) == (20, 20, 400)
        assert (np.diff(rows) == 1).all() and (np.diff(columns) == 1).all(), "it must not wrap around"
    assert np.mean([(each & mask).sum() for each in moved]) < 100
    assert list(move_mask(mask & False, 5)) == []
