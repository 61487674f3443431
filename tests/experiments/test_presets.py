"""The presets behind each button *Show me*, trained anew on the shipped features."""

import pytest

from fracture.experiments.leakage import gap
from fracture.experiments.learning_curve import gain_from_more, learning_curve
from fracture.experiments.presets import SUBSETS, loss_from_low_rate, show_leakage, show_search
from fracture.experiments.search import lead_of_best
from fracture.experiments.shipped.features import shipped_bench
from fracture.experiments.shortcut import compare_trainings, hardware_gap


def test_low_learning_rate_makes_a_worse_head():
    """The preset of the playground: the interval of the loss excludes zero."""
    loss = loss_from_low_rate(shipped_bench())
    assert loss["high"] < 0


@pytest.mark.slow
def test_presets_have_effects_that_exclude_zero():
    """Leakage, learning curve, search and ablation: each shows what it is there to show."""
    bench = shipped_bench()
    points = list(learning_curve(bench, SUBSETS))
    tries = list(show_search(bench))
    everything, *_ = compare_trainings(bench)
    assert gap(list(show_leakage(bench)))["low"] > 0
    assert gain_from_more(bench, points)["low"] > 0
    assert lead_of_best(bench, tries)["low"] > 0
    assert hardware_gap(bench, everything)["low"] > 0
