"""The fit of the radiograph check, to drawn embeddings."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.evaluation.radiograph_check_fit import fit_radiograph_check, left_out_probabilities

VALUES = 30


def embeddings(pictures: int, seed: int, raised: slice) -> np.ndarray:
    """(pictures, VALUES), none negative; some values are larger on average."""
    drawn = np.random.default_rng(seed).random((pictures, VALUES)).astype(np.float32)
    drawn[:, raised] += 1
    return drawn


def test_fit_separable_kinds_tells_new_pictures_apart():
    """Of new pictures of both kinds, all are told apart, though one kind has ten times as many in the fit."""
    check = fit_radiograph_check(embeddings(300, 1, slice(0, 5)), embeddings(30, 2, slice(5, 10)), source="drawn")
    assert (check.probabilities(embeddings(50, 3, slice(0, 5))) > 0.5).all()
    assert (check.probabilities(embeddings(50, 4, slice(5, 10))) < 0.5).all()
    assert (check.counts, check.source) == ((300, 30), "drawn")


def test_fit_value_that_never_varies_is_ignored():
    """A value that is 0 in all pictures gives no division by zero."""
    radiographs, others = embeddings(20, 1, slice(0, 5)), embeddings(20, 2, slice(5, 10))
    radiographs[:, -1] = others[:, -1] = 0
    check = fit_radiograph_check(radiographs, others)
    assert np.isfinite(check.weights).all()
    assert check.weights[-1] == 0


def test_fit_too_few_pictures_is_an_error():
    """The sentence says what is needed and what came."""
    with pytest.raises(DatasetError, match=r"at least 2 radiographs and 2 other pictures\. Received: 20 and 1\."):
        fit_radiograph_check(embeddings(20, 1, slice(0, 5)), embeddings(1, 2, slice(5, 10)))


def test_left_out_probabilities_group_unlike_the_others_is_missed():
    """A source whose pictures look like radiographs is called so only by a fit that has not seen it."""
    radiographs = embeddings(40, 1, slice(0, 5))
    others = np.concatenate([embeddings(40, 2, slice(5, 10)), embeddings(40, 3, slice(0, 5))])
    others[40:, 20:25] += 0.5
    sources = ["a"] * 40 + ["b"] * 40
    _, left_out = left_out_probabilities(radiographs, others, ["hand"] * 20 + ["leg"] * 20, sources)
    seen = fit_radiograph_check(radiographs, others).probabilities(others)
    assert (left_out[40:] > 0.5).mean() > 0.9
    assert (seen[40:] < left_out[40:]).all()


def test_left_out_probabilities_keep_the_order_of_the_pictures():
    """Each picture gets its own probability, in whatever order the groups come."""
    radiographs, others = embeddings(20, 1, slice(0, 5)), embeddings(20, 2, slice(5, 10))
    groups = ["b", "a"] * 10
    first, second = left_out_probabilities(radiographs, others, groups, groups)
    without_b = fit_radiograph_check(radiographs[1::2], others).probabilities(radiographs[::2])
    np.testing.assert_allclose(first[::2], without_b)
    assert first.shape == second.shape == (20,)
