"""What is said of the distance between the training and the validation loss."""

import numpy as np
import pytest

from fracture.training.runs.diagnosis import diagnose_fit

FALLING = [0.7, 0.6, 0.5, 0.42, 0.36, 0.31, 0.27]


@pytest.mark.parametrize(
    ("training", "validation", "word"),
    [
        (FALLING, [0.7, 0.6, 0.55, 0.56, 0.6, 0.66, 0.75], "**Overfitting** since epoch 3"),
        (FALLING, [0.7, 0.62, 0.53, 0.46, 0.41, 0.37, 0.34], "**Still learning**"),
        ([0.7, 0.695, 0.7, 0.69, 0.695, 0.69, 0.69], [0.69] * 7, "**Underfitting**"),
        ([0.7, 0.5, 0.4, 0.38, 0.37, 0.37, 0.37], [0.7, 0.5, 0.42, 0.41, 0.41, 0.41, 0.41], None),
        (FALLING, [0.7, 0.6, 0.55, 0.552, 0.553, 0.552, 0.553], None),
        ([0.7, 0.9, 1.4, 2.2, 3.1], [0.8] * 5, "**Diverging**"),
        ([0.1, 0.1, 0.099, 0.098, 0.098], [0.2] * 5, None),
        (FALLING[:4], [0.7, 0.8, 0.9, 1.0], None),
        ([*FALLING[:6], float("nan")], FALLING, None),
        ([], [], None),
    ],
)
def test_diagnose_fit_names_what_the_losses_show(training, validation, word):
    """Nothing is said before some epochs are done, or where the losses hardly change."""
    said = diagnose_fit({"loss": training, "val_loss": validation})
    assert said is None if word is None else word in said


def test_diagnose_fit_without_epochs_is_none():
    assert diagnose_fit({}) is None


def test_diagnose_fit_of_a_noisy_loss_is_unsteady():
    """Where the training loss moves up and down by much, the learning rate is too high, and nothing else shows."""
    rng = np.random.default_rng(0)
    training, validation = rng.uniform(1, 4, 60), np.r_[rng.uniform(1, 4, 30), rng.uniform(3, 4, 30)]
    assert "Unsteady" in diagnose_fit({"loss": training.tolist(), "val_loss": validation.tolist()})
