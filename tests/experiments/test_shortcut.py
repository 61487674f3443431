"""Training without hardware, where it is known what hardware does."""

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.experiments.shortcut import (
    RANDOM_SUBSETS,
    AblationHead,
    compare_trainings,
    due_to_hardware,
    hardware,
    hardware_gap,
    matched_random_subset,
)
from tests.experiments.workbenches import draw_bench

SOME = {"value": 0.5, "low": 0.4, "high": 0.6}


def trained(bench):
    everything, without, *fewer = compare_trainings(bench)
    return everything, without, fewer


def test_compare_trainings_with_plain_hardware_finds_a_shortcut():
    """Where metal is clear and the finding faint, the head with hardware finds mostly metal."""
    everything, without, _ = trained(draw_bench(patients=200, finding=0.8, metal=6.0))
    assert everything.metal["value"] > 0.95 > everything.plain["value"] + 0.1
    assert without.metal["value"] < everything.metal["value"]


def test_matched_random_subset_matches_images_and_patients():
    """Of each label as many as there are with hardware; and other ones in each draw."""
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


def test_due_to_hardware_without_traces_is_not_significant():
    """Where hardware leaves no trace, leaving it out does the same as leaving out a random subset."""
    bench = draw_bench(patients=240, finding=1.5)
    everything, without, fewer = trained(bench)
    found = due_to_hardware(bench, without, fewer)
    assert len(fewer) == RANDOM_SUBSETS
    assert {each.images for each in fewer} == {without.images} < {everything.images + 1, without.images}
    assert found["low"] < 0 < found["high"]


def test_compare_trainings_leaves_out_images_without_findings():
    """They would else count as images without hardware."""
    bench = draw_bench()
    before = trained(bench)[0].images
    bench.table.loc[bench.table.index[bench.training][:10], "findings"] = ""
    assert trained(bench)[0].images == before - 10


def test_compare_trainings_with_few_images_has_no_auc():
    """Without enough positive images of a kind there is no AUC of it, and no difference."""
    bench = draw_bench(patients=40, views=1)
    assert (bench.validation & hardware(bench)).sum() < 5
    everything, without, fewer = trained(bench)
    assert everything.metal is None
    assert (due_to_hardware(bench, without, fewer) is None) == (without.plain is None)


def test_compare_trainings_with_hardware_in_all_positives_is_refused():
    """Then no positive image would be left, and the error says so."""
    bench = draw_bench()
    bench.table["findings"] = np.where(bench.table["label"] == 1, "hardware", "none")
    with pytest.raises(RunError, match="0 abnormal"):
        trained(bench)


def test_hardware_gap_of_plain_hardware_is_positive():
    """Where metal is clear and the finding faint, images with metal are found much better."""
    bench = draw_bench(patients=200, finding=0.8, metal=6.0)
    everything, *_ = trained(bench)
    found = hardware_gap(bench, everything)
    assert found["low"] > 0
    assert found["value"] == pytest.approx(everything.metal["value"] - everything.plain["value"])


def test_hardware_gap_with_few_images_is_none():
    """Without both kinds of positive images there is nothing to compare."""
    bench = draw_bench(patients=40, views=1)
    assert hardware_gap(bench, trained(bench)[0]) is None


def test_hardware_gap_with_hardware_in_negatives_ranks_both_against_all_of_them():
    """Negatives with hardware count on both sides: a head that calls all hardware abnormal has no other negatives."""
    bench = draw_bench(patients=80)
    label = bench.table["label"].to_numpy()
    # Half of either label shows hardware; the probability is that of hardware alone.
    bench.table["findings"] = np.where(np.arange(len(label)) // 2 % 2, "hardware", "none")
    shown = hardware(bench)
    head = AblationHead(0, shown.astype(float), None, SOME, SOME)
    negative = bench.validation & (label == 0)
    share = shown[negative].mean()
    # A positive with hardware ties with negatives that show it and wins against the others; one without the reverse.
    expected = (share / 2 + 1 - share) - (1 - share) / 2
    assert hardware_gap(bench, head)["value"] == pytest.approx(expected)
