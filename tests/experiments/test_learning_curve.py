"""Learning curves and hyperparameter search (``search``) over many heads."""

import numpy as np
import pytest

from fracture.experiments.learning_curve import MIN_GROUPS, gain_from_more, learning_curve, random_group_subset
from fracture.experiments.search import GRID, grid, lead_of_best, sample_hyperparameters, search
from tests.experiments.workbenches import draw_bench


@pytest.mark.slow
def test_learning_curve_rises_with_patients():
    """With a finding spread over noise."""
    points = list(learning_curve(draw_bench(patients=240, finding=1.0), draws=2))
    few, many = ([each.auc for each in points if each.groups == groups] for groups in (9, 180))
    assert np.mean(many) > np.mean(few)
    assert all(each.images == 3 * each.groups for each in points)


@pytest.mark.parametrize("groups", [MIN_GROUPS, 10, 33, 60])
def test_random_group_subset_has_whole_groups_of_both_labels(groups):
    """All images of so many training patients, half of them positive as in the whole; subsets are nested."""
    bench = draw_bench()
    rows = random_group_subset(bench, groups)
    chosen = bench.table[rows]
    assert chosen["group"].nunique() == groups
    assert rows.sum() == 3 * groups
    assert not (rows & ~bench.training).any()
    assert chosen["label"].mean() == pytest.approx(0.5, abs=0.1)
    assert not (rows & ~random_group_subset(bench, groups + 5)).any()


def test_random_group_subset_differs_by_draw():
    """Another draw has other patients, the same draw the same."""
    bench = draw_bench()
    assert (random_group_subset(bench, 10, 0) == random_group_subset(bench, 10, 0)).all()
    assert (random_group_subset(bench, 10, 0) != random_group_subset(bench, 10, 1)).any()


def test_grid_has_all_combinations():
    """Each value of each hyperparameter with each of the others, once."""
    tries = grid()
    assert len(tries) == len({tuple(each.values()) for each in tries}) == np.prod([len(each) for each in GRID.values()])


def test_sample_hyperparameters_stays_between_the_ends():
    """The same seed gives the same samples."""
    tries = sample_hyperparameters(50, seed=1)
    for name, values in GRID.items():
        drawn = [each[name] for each in tries]
        assert values[0] <= min(drawn) < max(drawn) <= values[-1]
    assert tries == sample_hyperparameters(50, seed=1) != sample_hyperparameters(50, seed=2)


def test_search_chooses_by_one_half_and_tests_on_the_other():
    """Each trial has an AUC of both halves of the validation patients."""
    bench = draw_bench(finding=1.0)
    tries = sample_hyperparameters(3, seed=0)
    found = list(search(bench, tries))
    assert [each.choices for each in found] == tries
    assert all(0.5 < each.chosen_by <= 1 and 0.5 < each.other <= 1 for each in found)


def test_search_on_noise_is_at_chance_on_the_other_half():
    """Where nothing can be learned, the best of many looks better than chance only where it was chosen."""
    found = list(search(draw_bench(patients=400, views=1), sample_hyperparameters(12, seed=0)))
    best = max(found, key=lambda each: each.chosen_by)
    assert best.other == pytest.approx(0.5, abs=0.15)


def test_gain_from_more_patients_of_a_clear_finding_is_positive():
    """The heads on all patients against those on the fewest, with an interval."""
    bench = draw_bench(patients=240, finding=1.0)
    points = list(learning_curve(bench, draws=1))
    found = gain_from_more(bench, points)
    assert found["low"] > 0


def test_lead_of_best_is_of_the_other_half():
    """The chosen trial against the mean of the others."""
    bench = draw_bench(patients=120, finding=1.0)
    tries = list(search(bench, sample_hyperparameters(3, seed=0)))
    found = lead_of_best(bench, tries)
    best = max(tries, key=lambda each: each.chosen_by)
    others = [each.other for each in tries if each is not best]
    assert found["value"] == pytest.approx(best.other - np.mean(others))
