"""The effect of masking hardware on a model's probability, beyond that of the same mask elsewhere."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from fracture.estimate import Estimate
from fracture.experiments.shipped.features import shipped_bench
from fracture.experiments.shipped.phantoms import ShippedImage
from fracture.imaging.radiograph import Radiograph
from fracture.inference.classifier import Classifier
from fracture.inference.occlusion import FILLS, Mask, move_mask, occlude

MASK_MARGIN = 4
"""px around a finding that are masked with it."""

LOCATIONS = 9
"""Other locations of the same mask, for comparison."""

IMAGES = 8
"""Synthetic images with hardware that the lab offers, each of another patient."""


def finding_mask(known: Mask) -> Mask:
    """The mask of what is known to be in an image, with a margin."""
    from scipy.ndimage import binary_dilation

    mask: Mask = binary_dilation(known, iterations=MASK_MARGIN)
    return mask


@lru_cache(maxsize=1)
def masked_images() -> tuple[str, ...]:
    """The shipped images that the lab offers: the first views of studies with hardware, of different patients."""
    table = shipped_bench().table
    shown = table["findings"].str.contains("hardware") & table["image_id"].str.endswith("image1.png")
    return tuple(table[shown].drop_duplicates("patient")["image_id"].head(IMAGES))


def effects(classifier: Classifier, images: Sequence[ShippedImage]) -> Iterator[float]:
    """Of each image: by how much masking its findings changes the probability, beyond the same mask elsewhere.

    Changes count in either direction: without the metal, some models see a gap in the bone.
    """
    for image in images:
        mask = finding_mask(image.mask)
        before = _probability(classifier, image, np.zeros_like(mask))
        moved = [_probability(classifier, image, each) for each in move_mask(mask, LOCATIONS)]
        if moved:
            changes = np.abs(np.array(moved) - before)
            yield abs(_probability(classifier, image, mask) - before) - float(changes.mean())


def mean_effect(found: Sequence[float]) -> Estimate:
    """The mean of several images of different patients, with a 95 % interval by Student's t."""
    from scipy import stats

    values = np.array(found)
    value = float(values.mean())
    reach = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {"value": value, "low": value - reach, "high": value + reach}


def _probability(classifier: Classifier, image: ShippedImage, mask: Mask) -> float:
    pixels = occlude(image.pixels, mask, FILLS[0])
    return classifier.view("image.png", Radiograph(pixels, "PNG")).probability
