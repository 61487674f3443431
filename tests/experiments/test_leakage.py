"""The leak between the parts of a split, where it is known how much there is of it."""

from dataclasses import replace

import numpy as np
import pytest

from fracture.experiments.leakage import WAYS, compare_splits, gap
from tests.experiments.workbenches import draw_bench

BY_HEART = {"learning_rate": 0.03, "epochs": 60}


def outcomes(bench, seeds=4, **how):
    return list(compare_splits(replace(bench, config=bench.config.changed(**BY_HEART)), seeds, **how))


def mean(found, way):
    return np.mean([each.auc for each in found if each.way == way])


def test_who_is_recognised_leaks():
    """Features that tell patients apart and findings not at all: by patient it is chance, by image it is not."""
    found = outcomes(draw_bench(patients=200, person=3.0, features=600))
    assert mean(found, "group") == pytest.approx(0.5, abs=0.12)
    assert mean(found, "image") > 0.8
    assert gap(found)["low"] > 0


def test_what_cannot_be_recognised_does_not_leak():
    """Features that tell the finding and nothing of patients: both splits agree."""
    found = outcomes(draw_bench(patients=160, finding=3.0))
    assert gap(found)["low"] < 0 < gap(found)["high"]
    assert mean(found, "group") > 0.8


def test_labels_by_lot_leave_nothing_but_the_leak():
    """However plain the finding: with labels dealt out anew, an honest split finds chance."""
    found = outcomes(draw_bench(patients=200, finding=4.0, person=3.0, features=600), shuffle_labels=True)
    assert mean(found, "group") == pytest.approx(0.5, abs=0.15)
    assert mean(found, "image") > mean(found, "group") + 0.2


def test_a_split_by_patient_shares_nobody():
    """By image nearly all held-out images have siblings in training; by patient none has."""
    shared = {way: [each.shared for each in outcomes(draw_bench(), seeds=2) if each.way == way] for way in WAYS}
    assert max(shared["group"]) == 0
    assert min(shared["image"]) > 0.8


def test_one_split_has_no_interval():
    """Of a single pair nothing can be said of how sure the gap is."""
    found = gap(outcomes(draw_bench(person=3.0), seeds=1))
    assert found["value"] > 0
    assert found["low"] is None
