"""Training without hardware, where it is known what hardware does."""

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.experiments.shortcut import (
    RANDOM_SUBSETS,
    compare_trainings,
    due_to_hardware,
    hardware,
    matched_random_subset,
)
from tests.experiments.workbenches import draw_bench


def trained(bench):
    everything, without, *fewer = compare_trainings(bench)
    return everything, without, fewer


def test_a_head_takes_the_shortcut():
    """Where metal is plain and the finding faint, what it knows with hardware is mostly metal."""
    everything, without, _ = trained(draw_bench(patients=200, finding=0.8, metal=6.0))
    assert everything.metal["value"] > 0.95 > everything.plain["value"] + 0.1
    assert without.metal["value"] < everything.metal["value"]


def test_by_lot_as_many_images_of_as_many_patients_go():
    """Of each label, as leaving hardware out takes; and other ones in each draw."""
    bench = draw_bench()
    shown, group = bench.training & hardware(bench), bench.table["group"]
    for draw in range(3):
        taken = matched_random_subset(bench, shown, draw)
        assert not (taken & ~bench.training).any()
        assert (
            bench.table["label"][taken].value_counts().to_dict() == bench.table["label"][shown].value_counts().to_dict()
        )
        assert group[taken].nunique() == group[shown].nunique()
    assert (matched_random_subset(bench, shown, 0) != matched_random_subset(bench, shown, 1)).any()


def test_hardware_that_says_nothing_is_not_blamed():
    """Where hardware leaves no trace, leaving it out does what leaving out as many by lot does."""
    bench = draw_bench(patients=240, finding=1.5)
    everything, without, fewer = trained(bench)
    found = due_to_hardware(bench, without, fewer)
    assert len(fewer) == RANDOM_SUBSETS
    assert {each.images for each in fewer} == {without.images} < {everything.images + 1, without.images}
    assert found["low"] < 0 < found["high"]


def test_images_of_which_nothing_is_known_are_left_out():
    """They would else count as images without hardware."""
    bench = draw_bench()
    before = trained(bench)[0].images
    bench.table.loc[bench.table.index[bench.training][:10], "findings"] = ""
    assert trained(bench)[0].images == before - 10


def test_too_few_images_give_no_figure():
    """Without enough positive images of a kind there is no AUC of it, and no difference."""
    bench = draw_bench(patients=40, views=1)
    assert (bench.validation & hardware(bench)).sum() < 5
    everything, without, fewer = trained(bench)
    assert everything.metal is None
    assert (due_to_hardware(bench, without, fewer) is None) == (without.plain is None)


def test_hardware_in_every_positive_image_is_refused():
    """Then nothing would be left to learn from, and a sentence says of which label."""
    bench = draw_bench()
    bench.table["findings"] = np.where(bench.table["label"] == 1, "hardware", "none")
    with pytest.raises(RunError, match="0 abnormal"):
        trained(bench)
