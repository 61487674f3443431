"""Weights of images in the loss."""

import numpy as np
import pytest

from fracture.training.class_weights import class_weights


@pytest.mark.parametrize("kind", ["none", "balanced"])
def test_class_weights_have_a_mean_of_1(kind):
    """So that the learning rate means the same."""
    assert class_weights(np.array([0, 0, 0, 1]), kind).mean() == pytest.approx(1)


def test_class_weights_balanced_have_the_same_sum_for_both_labels():
    """The rarer label counts more."""
    label = np.array([0, 0, 0, 1])
    weights = class_weights(label, "balanced")
    assert weights[label == 0].sum() == pytest.approx(weights[label == 1].sum())


@pytest.mark.parametrize("label", [[0, 0], [1, 1]])
def test_class_weights_of_one_label_are_1(label):
    """There is nothing to balance."""
    assert class_weights(np.array(label), "balanced").tolist() == [1, 1]
