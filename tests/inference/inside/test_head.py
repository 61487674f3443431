"""The last maps, weighted."""

import numpy as np
import pytest

from fracture.inference.inside.head import WeightedMaps

MAPS = np.random.default_rng(0).random((4, 5, 6), np.float32)
WEIGHTS = np.array([1, -2, 0.5, 0, 3, -0.1], np.float32)


@pytest.fixture
def head() -> WeightedMaps:
    """A network without cells: its logit is the mean of the map, and the bias."""
    logit = float((MAPS @ WEIGHTS).mean()) + 0.25
    return WeightedMaps(MAPS, WEIGHTS, 0.25, logit)


def test_contributions_and_bias_add_up_to_the_logit(head):
    """Nothing is left over where no cells add to it."""
    assert float(head.contributions.sum()) + head.bias == pytest.approx(head.logit, abs=1e-5)
    assert head.cells == pytest.approx(0, abs=1e-5)
    assert head.strongest(2) == np.argsort(-np.abs(WEIGHTS * MAPS.mean((0, 1))))[:2].tolist()


def test_another_weight_changes_map_and_logit_as_computed_anew(head):
    """By the difference of the weights times the channel's map, and its mean."""
    changed = head.reweighted(1, 4.0)
    weights = WEIGHTS.copy()
    weights[1] = 4
    np.testing.assert_allclose(changed.activation_map(), MAPS @ weights, rtol=1e-5)
    assert changed.logit == pytest.approx(float((MAPS @ weights).mean()) + 0.25, abs=1e-5)
    assert head.weights[1] == -2, "the first one stays as it is"


def test_what_cells_add_stays_when_a_weight_changes():
    """Of a network trained on boxes the maximum of its cells is no part of the weighted sum."""
    head = WeightedMaps(MAPS, WEIGHTS, 0.25, 5.0)
    assert head.reweighted(0, -1.0).cells == pytest.approx(head.cells, abs=1e-5)


def test_map_of_some_channels_is_their_part_of_the_sum(head):
    """All of them give the whole map."""
    parts = head.activation_map([0, 1, 2]) + head.activation_map([3, 4, 5])
    np.testing.assert_allclose(parts, head.activation_map(), rtol=1e-5)
