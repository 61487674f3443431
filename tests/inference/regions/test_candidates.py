"""Known place maps give known boxes."""

import numpy as np
import pytest
from scipy.special import expit

from fracture.imaging.radiograph import frame
from fracture.inference.litert import Output
from fracture.inference.regions.candidates import (
    MAX_REGIONS,
    Region,
    center_inside,
    find_peaks,
    find_regions,
    mean_places,
    overlap,
)
from fracture.registry.card import BoxFit

SIZE = 427  # px; 25 cells, the first centered at 21.5, 16 apart
WHOLE = frame(SIZE, SIZE, SIZE, "letterbox")
PLAIN = BoxFit(clip=6.0, offset=[0.0, 0.0], size=[np.log(2), 0.0, 0.0, 0.0, 0.0], boxes=20)
"""A box of two cells, centered on the peak."""


def places(*peaks: tuple[int, int, float]) -> np.ndarray:
    """A map of very unlikely cells with peaks (row, column, logit)."""
    cells = np.full((25, 25), -9.0)
    for row, column, logit in peaks:
        cells[row, column] = logit
    return cells


def in_px(region: Region) -> list[float]:
    return [each * SIZE for each in region.box]


def test_a_single_peak_gives_a_box_around_its_cell():
    """Cell (3, 5) is centered at 21.5 + 16 * 5 across and 21.5 + 16 * 3 down; its probability is that of its logit."""
    first, *_ = find_regions(places((3, 5, 1.0)), WHOLE, PLAIN)
    assert in_px(first) == pytest.approx([101.5 - 16, 69.5 - 16, 32, 32])
    assert first.probability == pytest.approx(expit(1.0))


def test_a_likelier_neighbor_moves_and_stretches_the_box():
    """The coefficient of the sides moves the box by their difference, that along the axis stretches it by their sum."""
    cells = places((3, 5, 2.0), (3, 6, 1.0), (3, 4, -1.0))
    moved = PLAIN.model_copy(update={"offset": [0.25, 0.0]})
    first, *_ = find_regions(cells, WHOLE, moved)
    x, y, width, height = in_px(first)
    assert x + width / 2 == pytest.approx(101.5 + 16 * 0.25 * 2)
    assert y + height / 2 == pytest.approx(69.5)
    stretched = PLAIN.model_copy(update={"size": [0.0, 0.0, 0.0, 0.0, 0.0], "clip": 3.0})
    wide = stretched.model_copy(update={"size": [np.log(2), 0.0, 0.1, 0.0, 0.0]})
    _, _, width, height = in_px(find_regions(cells + 0.5, WHOLE, wide)[0])
    assert width == pytest.approx(16 * 2 * np.exp(0.1 * (1.5 - 0.5)))
    assert height == pytest.approx(16 * 2 * np.exp(0.1 * (-3.0 - 3.0)))


def test_a_turned_map_gives_turned_boxes():
    """Both axes share the coefficients: the transposed map has the transposed boxes."""
    cells = np.random.default_rng(0).normal(-3, 2, (25, 25))
    fit = BoxFit(clip=6.0, offset=[0.15, 0.03], size=[1.2, -0.1, 0.1, -0.1, 0.1], boxes=20)
    straight = find_regions(cells, WHOLE, fit)
    turned = find_regions(cells.T, WHOLE, fit)
    assert len(straight) > 1
    assert [(y, x, h, w) for x, y, w, h in (each.box for each in turned)] == [
        pytest.approx(each.box) for each in straight
    ]


def test_several_peaks_come_likeliest_first_and_overlapping_ones_once():
    """Of two peaks two cells apart with boxes of six cells, the less likely one is dropped; a distant one stays."""
    wide = PLAIN.model_copy(update={"size": [np.log(6), 0.0, 0.0, 0.0, 0.0]})
    found = find_regions(places((10, 10, 1.0), (10, 12, 0.0), (20, 20, 2.0)), WHOLE, wide)[:2]
    assert [each.probability for each in found] == pytest.approx(expit([2.0, 1.0]))
    assert all(overlap(each.box, found[1].box) < 0.3 for each in find_regions(places((20, 20, 2.0)), WHOLE, wide))


def test_calibration_scales_and_shifts_the_logit():
    """A slope of 2 and an intercept of -1 make 1 / (1 + exp(-(2 * 1.5 - 1))) of the logit 1.5."""
    first, *_ = find_regions(places((3, 5, 1.5)), WHOLE, PLAIN, (2.0, -1.0))
    assert first.probability == pytest.approx(expit(2.0))


def test_peaks_lie_over_the_image_and_boxes_end_at_its_edges():
    """On a portrait image between bars, cells in the bars are no peaks, and a box beyond the edge is cut off."""
    framed = frame(100, 400, SIZE, "letterbox")  # 107 px wide, from 160 on
    assert framed.left == 160
    cells = places((3, 2, 5.0), (3, 9, 4.0))
    peaks = find_peaks(cells, framed)
    assert (peaks.rows[0], peaks.columns[0]) == (3, 9)
    first, *_ = find_regions(cells, framed, PLAIN)
    assert first.box[0] == 0  # its cell is centered at 165.5 px: the box would begin at 149.5
    assert first.box[2] == pytest.approx((165.5 + 16 - 160) / framed.width)


def test_regions_are_at_most_ten():
    """A map full of peaks gives the likeliest ones."""
    rows = [(row, column, row / 10) for row in range(1, 24, 4) for column in range(1, 24, 4)]
    assert len(find_regions(places(*rows), WHOLE, PLAIN)) == MAX_REGIONS


def output(cells: np.ndarray | None) -> Output:
    nothing = np.zeros(4, np.float32)
    return Output(0.0, nothing, np.zeros((2, 2), np.float32), nothing, cells)


def test_mean_places_without_a_mirrored_pass_is_the_straight_map():
    """Nothing is interpolated, and nothing is averaged."""
    cells = places((3, 5, 1.0)).astype(np.float32)
    assert np.array_equal(mean_places(output(cells), None, SIZE), cells)


@pytest.mark.parametrize(("size", "cells"), [(427, 25), (299, 17)])
def test_mean_places_turns_the_mirrored_map_back(size, cells):
    """A finding that both maps show at the same place is there in the mean."""
    straight = np.zeros((cells, cells), np.float32)
    straight[2, 3] = 4.0
    mean = mean_places(output(straight), output(straight[:, ::-1]), size)
    assert np.allclose(mean, straight)
    assert mean_places(output(straight), output(straight), size)[2, 3] == 2.0


def test_mean_places_of_cells_off_center_interpolates():
    """At 224 px the cells reach from 21 to 197 px: mirrored, the last is 5/16 of a cell beyond the first."""
    mirrored = np.zeros((12, 12), np.float32)
    mirrored[0, 11] = 1.0
    mean = mean_places(output(np.zeros((12, 12), np.float32)), output(mirrored), 224)
    assert mean[0, 0] == pytest.approx(1 / 2), "constant towards the edge"
    assert mean[0, 1] == pytest.approx(5 / 16 / 2), "the second cell lies at 37 px"


def test_mean_places_without_place_maps_is_refused():
    """A network that was not trained on boxes has none."""
    with pytest.raises(ValueError, match="not trained on boxes"):
        mean_places(output(None), output(None), SIZE)


@pytest.mark.parametrize(
    ("other", "share"), [((0, 0, 2, 2), 1.0), ((1, 0, 2, 2), 1 / 3), ((2, 0, 2, 2), 0.0), ((5, 5, 1, 1), 0.0)]
)
def test_overlap_by_hand(other, share):
    """The common area by that of both together; boxes that only touch have none."""
    assert overlap((0, 0, 2, 2), other) == pytest.approx(share)


def test_center_inside_excludes_the_far_edge():
    """A box reaches from x up to, not including, x + w."""
    assert center_inside((0, 0, 2, 2), (1, 1, 3, 3))
    assert not center_inside((3, 3, 2, 2), (1, 1, 3, 3))
