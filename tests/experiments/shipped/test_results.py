"""The results of the presets that ship with the features."""

import pytest

from fracture.estimate import excludes_zero
from fracture.experiments.leakage import SPLIT_KINDS, gap
from fracture.experiments.presets import LEAKAGE_SPLITS, SUBSETS, TRIALS
from fracture.experiments.shipped import results
from fracture.experiments.shipped.results import shipped_results
from fracture.experiments.shortcut import RANDOM_SUBSETS


@pytest.fixture
def found():
    """The results as they ship."""
    shipped_results.cache_clear()
    return shipped_results()


def test_shipped_results_are_those_of_the_presets(found):
    """As many heads as each preset trains."""
    assert len(found.leakage) == LEAKAGE_SPLITS * len(SPLIT_KINDS)
    assert len(found.learning_curve) % SUBSETS == 0
    assert len(found.search) == TRIALS
    assert len(found.ablation) == 2 + RANDOM_SUBSETS


def test_shipped_effects_exclude_zero(found):
    """An effect that is shown as an example must be one."""
    for effect in (
        gap(found.outcomes()),
        found.more_patients,
        found.best_trial,
        found.hardware_gap,
        found.low_rate,
    ):
        assert excludes_zero(effect)


def test_heads_and_outcomes_have_the_stored_figures(found):
    """What the pages show is what the file holds."""
    assert [each.auc for each in found.outcomes()] == [each.auc for each in found.leakage]
    assert [each.plain for each in found.heads()] == [each.plain for each in found.ablation]


def test_shipped_results_when_damaged_are_none(tmp_path, monkeypatch):
    """The pages then begin without results."""
    (tmp_path / "results.json").write_text('{"leakage": 1}')
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    shipped_results.cache_clear()
    assert shipped_results() is None
    shipped_results.cache_clear()
