"""Boxes and masks as text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fracture.errors import DatasetError
from fracture.imaging.annotations import bounding_box, boxes_text, boxes_to_mask, decode_mask, encode_mask, parse_boxes

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))
sizes = st.floats(0, 5000).map(lambda number: round(number, 3))
places = st.floats(-50, 5000).map(lambda number: round(number, 3))


@given(masks)
def test_decode_mask_inverts_encode_mask(mask):
    """Whatever the shape and the pixels, decoding gives back what was encoded."""
    height, width = mask.shape
    assert (decode_mask(encode_mask(mask), width, height) == mask).all()


def test_encode_mask_runs_by_rows_from_zero():
    """Runs are in row order; one that ends a row and begins the next is one run."""
    mask = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1]], bool)
    assert encode_mask(mask) == "1 3 8 1"
    assert encode_mask(np.zeros((3, 3), bool)) == ""
    assert decode_mask("2 2", 4, 1).tolist() == [[False, False, True, True]]


@pytest.mark.parametrize(
    "text", ["3", "3 x", "1.5 2", "-1 2", "3 -1", "5 2 1 2", "0 3 2 2", "11 2", "9223372036854775807 9", f"1 {2**70}"]
)
def test_decode_mask_damaged_text_is_refused(text):
    """Odd counts, other words, runs out of order, over each other or beyond the image are named in a sentence."""
    with pytest.raises(DatasetError, match="rising order within 4 x 3 px"):
        decode_mask(text, 4, 3)


@given(st.lists(st.tuples(places, places, sizes, sizes)))
def test_parse_boxes_inverts_boxes_text(boxes):
    """Any number of boxes, whole or not, comes back as it was."""
    assert parse_boxes(boxes_text(boxes)) == boxes


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 4 5", "1,2,3,4", "1 2 -3 4", "1 2 nan 4", "1 2 3 inf", "1 2 3 4;x"])
def test_parse_boxes_damaged_text_is_refused(text):
    """A box is four numbers, and no size is negative or endless."""
    with pytest.raises(DatasetError, match="four numbers of pixels, x y w h"):
        parse_boxes(text)


@given(masks)
def test_bounding_box_is_tight(mask):
    """The box holds the whole mask, and each of its four sides touches it."""
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    x, y, w, h = box
    inside = mask[y : y + h, x : x + w]
    assert inside.sum() == mask.sum()
    assert all(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_boxes_to_mask_by_hand():
    """Boxes are joined, cut off at the image's edge, and hold a pixel where they hold its middle."""
    mask = boxes_to_mask([(-2, 0, 3, 1), (1.4, 1.6, 2, 9)], 4, 4)
    assert mask.astype(int).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
