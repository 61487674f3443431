"""The effect of masking hardware, beyond that of the same mask elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from fracture.experiments.masking import IMAGES, effects, finding_mask, masked_images, mean_effect
from fracture.experiments.shipped.features import shipped_bench
from fracture.experiments.shipped.phantoms import ShippedImage


def test_masked_images_show_hardware_of_different_patients():
    """First views only, which are generated fastest."""
    names = masked_images()
    table = shipped_bench().table.set_index("image_id").loc[list(names)]
    assert len(names) == IMAGES == table["patient"].nunique()
    assert table["findings"].str.contains("hardware").all()


def test_finding_mask_has_a_margin():
    """All of the finding, and some pixels around it."""
    known = np.zeros((60, 60), np.bool_)
    known[30, 30] = True
    mask = finding_mask(known)
    assert mask[30, 30] and mask[30, 34] and not mask[30, 35]


def bright_square():
    pixels = np.full((64, 64), 40, np.uint8)
    mask = np.zeros((64, 64), np.bool_)
    mask[8:16, 8:16] = True
    pixels[mask] = 240
    return ShippedImage(pixels, mask)


def test_effects_of_a_model_that_sees_brightness_alone_are_whole():
    """Masking the bright square takes the probability away; the same mask elsewhere does not."""

    class Bright:
        def view(self, _name, image):
            return SimpleNamespace(probability=float((image.pixels > 200).mean() > 0))

    (effect,) = effects(Bright(), [bright_square()])
    assert effect == 1.0


def test_mean_effect_has_students_interval():
    """Of three values: mean 2, standard error 0.577, t of 2 degrees of freedom 4.303."""
    found = mean_effect([1.0, 2.0, 3.0])
    assert found["value"] == 2.0
    assert found["high"] - 2.0 == pytest.approx(4.303 / np.sqrt(3), abs=0.001)
