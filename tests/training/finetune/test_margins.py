"""White margins on training images, for the guard."""

import numpy as np
import pandas as pd
import pytest

from fracture.imaging.radiograph import fit
from fracture.training.finetune.margins import MARGIN_GRAY, MAX_MARGIN, collimate, embed_collimated


@pytest.mark.parametrize("seed", range(8))
def test_collimate_leaves_the_middle_as_it_is(seed):
    """White margins at the sides, above and below, or all around, never wider than a quarter."""
    before = np.random.default_rng(9).integers(0, 200, (80, 120), np.uint8)
    after = collimate(before, np.random.default_rng(seed))
    kept = after == before
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert kept[inside].all() and inside != np.s_[0:80, 0:120]
    outside = np.delete(after.ravel(), np.ravel_multi_index(np.nonzero(kept), kept.shape))
    assert len(set(outside)) == 1 and MARGIN_GRAY[0] <= outside[0] <= MARGIN_GRAY[1]
    assert len(rows) >= 80 * (1 - 2 * MAX_MARGIN) - 1 and len(columns) >= 120 * (1 - 2 * MAX_MARGIN) - 1


class Seen:
    """A graph that remembers what it was shown."""

    size = 64
    embedding_size = 3

    def __init__(self):
        self.images = []

    def __call__(self, pixels):
        self.images.append(pixels)
        return self

    embedding = np.ones(3, np.float32)


def test_embed_collimated_keeps_the_bars_of_a_letterbox():
    """Margins belong to the image: the black bars around it stay black, and the fitted images as they are."""
    squares = np.stack([fit(np.full(shape, 99, np.uint8), 64, "letterbox") for shape in ((40, 80), (80, 40))])
    before, served = squares.copy(), Seen()
    table = pd.DataFrame({"width": [80, 40], "height": [40, 80]})
    embedding = embed_collimated(served, squares, table, np.array([0, 1]), "letterbox", on_progress=lambda _done: None)
    assert embedding.shape == (2, 3) and np.array_equal(squares, before)
    for seen, square in zip(served.images, squares, strict=True):
        assert (seen[square == 0] == 0).all() and (seen >= MARGIN_GRAY[0]).any() and (seen == 99).any()
