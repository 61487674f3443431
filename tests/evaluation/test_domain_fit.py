"""Fitting a domain head; what it says of images is tested in ``tests/inference/test_domain.py``."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.evaluation.domain_fit import fit_domain_head
from fracture.evaluation.ood_fit import fit_ood_detector
from tests.inference.test_domain import GROUPS, cloud


@pytest.fixture
def detector():
    names = [f"image{number}" for number in range(60)]
    return fit_ood_detector(cloud(0), names, cloud(0, 20, seed=1), dimensions=6)


def test_fit_with_too_few_groups_is_refused(detector):
    """No group could be held out."""
    with pytest.raises(DatasetError, match=r"at least 5 .* Received: 10 and 2"):
        fit_domain_head(detector, GROUPS, cloud(3, seed=2), ["a"] * 30 + ["b"] * 30)


def test_held_out_decisions_are_of_machines_that_did_not_see_the_group(detector):
    """A group that looks like the model's own images is taken for them, though it is labeled as others."""
    others = cloud(3, seed=2)
    others[:6] = cloud(0, 6, seed=5)
    _, held_out = fit_domain_head(detector, GROUPS, others, GROUPS)
    assert held_out.own.shape == held_out.others.shape == (60,)
    assert held_out.others[:6].min() > 0 > held_out.others[6:].max()


def test_limits_are_quantiles_of_the_held_out_decisions(detector):
    """About one in a hundred of the model's own images lies below the first, one in a thousand below the second."""
    head, held_out = fit_domain_head(detector, GROUPS, cloud(3, seed=2), GROUPS)
    assert head.foreign_below <= head.own_from
    assert np.mean(held_out.own < head.own_from) <= 0.02
    assert (held_out.own >= head.foreign_below).sum() >= 59
