"""The leak between the parts of a split, where it is known how much there is of it."""

from dataclasses import replace

import numpy as np
import pytest

from fracture.experiments.leakage import SPLIT_KINDS, compare_splits, gap
from tests.experiments.workbenches import draw_bench

BY_HEART = {"learning_rate": 0.03, "epochs": 60}


def outcomes(bench, seeds=4, **how):
    return list(compare_splits(replace(bench, config=bench.config.changed(**BY_HEART)), seeds, **how))


def mean(found, way):
    return np.mean([each.auc for each in found if each.way == way])


@pytest.mark.slow
def test_compare_splits_of_recognizable_patients_finds_leakage():
    """Features that tell patients apart and findings not at all: by patient it is chance, by image it is not."""
    found = outcomes(draw_bench(patients=200, person=3.0, features=600))
    assert mean(found, "group") == pytest.approx(0.5, abs=0.12)
    assert mean(found, "image") > 0.8
    assert gap(found)["low"] > 0


def test_compare_splits_without_recognizable_patients_finds_none():
    """Features that tell the finding and nothing of patients: both splits agree."""
    found = outcomes(draw_bench(patients=160, finding=3.0))
    assert gap(found)["low"] < 0 < gap(found)["high"]
    assert mean(found, "group") > 0.8


def test_compare_splits_with_shuffled_labels_leaves_leakage_alone():
    """However clear the finding: with shuffled labels, a split by patient finds chance."""
    found = outcomes(draw_bench(patients=200, finding=4.0, person=3.0, features=600), shuffle_labels=True)
    assert mean(found, "group") == pytest.approx(0.5, abs=0.15)
    assert mean(found, "image") > mean(found, "group") + 0.2


def test_compare_splits_by_group_shares_no_patient():
    """By image nearly all held-out images have others of their patient in training; by patient none has."""
    shared = {way: [each.shared for each in outcomes(draw_bench(), seeds=2) if each.way == way] for way in SPLIT_KINDS}
    assert max(shared["group"]) == 0
    assert min(shared["image"]) > 0.8


def test_gap_of_one_split_has_no_interval():
    """A single pair does not show how sure the gap is."""
    found = gap(outcomes(draw_bench(person=3.0), seeds=1))
    assert found["value"] > 0
    assert found["low"] is None
