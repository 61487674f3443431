"""Training without hardware, where it is known what hardware does."""

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.learn.instant.shortcut import TRAININGS, compare_trainings, hardware
from tests.learn.instant.benches import draw_bench


def trained(bench):
    return {each.training: each for each in compare_trainings(bench)}


def test_a_head_takes_the_shortcut():
    """Where metal is plain and the finding faint, what it knows with hardware is mostly metal."""
    found = trained(draw_bench(patients=200, finding=0.8, metal=6.0))
    assert found["all"].metal["value"] > 0.95 > found["all"].plain["value"] + 0.1
    assert found["without"].metal["value"] < found["all"].metal["value"]


def test_fewer_are_as_many_of_each_label():
    """The head of fewer images and the one without hardware learn from as many."""
    found = trained(draw_bench(finding=1.0, metal=2.0))
    assert list(found) == list(TRAININGS)
    assert found["fewer"].images == found["without"].images < found["all"].images


def test_too_few_images_give_no_figure():
    """Without enough positive images of a kind there is no AUC of it."""
    bench = draw_bench(patients=40, views=1)
    rows = bench.validation & hardware(bench)
    assert rows.sum() < 5
    assert trained(bench)["all"].metal is None


def test_hardware_in_every_positive_image_is_refused():
    """Then nothing would be left to learn from, and a sentence says of which label."""
    bench = draw_bench()
    bench.table["findings"] = np.where(bench.table["label"] == 1, "hardware", "none")
    with pytest.raises(RunError, match="0 abnormal"):
        trained(bench)
