"""The file with a model's adjustments."""

import json
import time

import pytest

from fracture.errors import ModelError, PublicError
from fracture.registry.adjustments import (
    FamiliarityThreshold,
    Recalibration,
    adjustments_file,
    find_adjustments,
    save_adjustment,
    undo_adjustment,
)
from fracture.registry.model_folder import read_card


@pytest.fixture
def model(make_model):
    folder = make_model("m")
    return folder, read_card(folder)


def recalibration(card, **values) -> Recalibration:
    made = {"made": time.time(), "images": 60, "groups": 30, "folds": 5, "temperature": 2.0}
    named = {"balanced": 0.4, "high_sensitivity": 0.2, "high_specificity": 0.8}
    return Recalibration(
        data="drawn",
        split="valid",
        thresholds=named,
        before=card.metrics,
        after=card.metrics,
        brier_difference={"value": -0.1, "low": -0.2, "high": -0.05},
        **{**made, **values},
    )


def familiarity(**values) -> FamiliarityThreshold:
    made = {"threshold": 3.0, "threshold_before": 2.0, "images": 60, "refused_before": 9, "refused_after": 1}
    return FamiliarityThreshold(source="mine", made=time.time(), **{**made, **values})


def test_save_adjustment_keeps_the_other_one(model):
    """Both lie in one file below the data home, and the model folder stays as it is."""
    folder, card = model
    before = {path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()}
    assert find_adjustments(folder, card) is None
    save_adjustment(folder, card, recalibration(card))
    save_adjustment(folder, card, familiarity())
    found = find_adjustments(folder, card)
    assert found.recalibration.temperature == 2 and found.familiarity.threshold == 3
    assert found.described == (
        "This model is adjusted: recalibrated on drawn and out-of-distribution check adjusted to mine."
    )
    assert before == {path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()}


def test_undo_adjustment_deletes_the_file_with_the_last_one(model):
    """Undoing one keeps the other one; undoing nothing says so."""
    folder, card = model
    assert not undo_adjustment(folder, card, "recalibration")
    save_adjustment(folder, card, recalibration(card))
    assert not undo_adjustment(folder, card, "familiarity")
    save_adjustment(folder, card, familiarity())
    assert undo_adjustment(folder, card, "recalibration")
    assert find_adjustments(folder, card).recalibration is None
    assert undo_adjustment(folder, card, "familiarity")
    assert not adjustments_file("m").exists() and find_adjustments(folder, card) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "[]",
        lambda text: text.replace('"temperature": 2.0', '"temperature": 0'),
        lambda text: text.replace('"temperature": 2.0', '"temperature": NaN'),
        lambda text: text.replace('"balanced": 0.4,', "", 1),
        lambda text: json.dumps({**json.loads(text), "model_sha256": "0" * 64}),
    ],
)
def test_find_adjustments_of_a_damaged_file_is_one_sentence(model, damage):
    """It names the file and what to do; the next adjustment replaces the file, and undoing deletes it."""
    folder, card = model
    save_adjustment(folder, card, recalibration(card))
    path = adjustments_file("m")
    damaged = damage(path.read_text())
    path.write_text(damaged)
    with pytest.raises(ModelError, match=r"m\.json .*\. The model answers as its card says; delete the file"):
        find_adjustments(folder, card)
    save_adjustment(folder, card, familiarity())
    assert find_adjustments(folder, card).familiarity.threshold == 3
    path.write_text(damaged)
    assert undo_adjustment(folder, card, "recalibration") and not path.exists()


def test_adjustments_are_off_in_a_public_demo(model, monkeypatch):
    """Nobody can change them there, and those that the host made before are not used."""
    folder, card = model
    save_adjustment(folder, card, recalibration(card))
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    assert find_adjustments(folder, card) is None
    with pytest.raises(PublicError, match="recalibrates no model"):
        save_adjustment(folder, card, familiarity())
    with pytest.raises(PublicError, match="recalibrates no model"):
        undo_adjustment(folder, card, "recalibration")
    assert adjustments_file("m").exists()
