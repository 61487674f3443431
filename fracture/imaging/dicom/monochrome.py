"""The stored values of a DICOM file -> gray: modality, VOI and presentation transformations, and padding.

::

    stored ── high bit ──> aligned ── slope, table ──> rescaled ── VOI table, window or range ──> 8 bit ── inverted ──>
       └── which are padding: they take no part, and become black

In this order (PS3.4 N.2). What the standard leaves open, or a file gets wrong, is decided here, and is a step in words.
Section numbers are those of the DICOM standard, PS3.3 2024.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_modality_lut

from fracture.errors import RadiographError
from fracture.imaging.dicom.elements import read_number, table_item
from fracture.imaging.dicom.stored import StoredValues, as_they_are, stored_values
from fracture.imaging.dicom.window import GrayScale, apply_table, check_finite, gray_scale
from fracture.imaging.gray_scale import Levels, count_values, map_strips, to_8_bit

Rescale = Callable[[NDArray[Any]], NDArray[Any]]


class GrayRendering(NamedTuple):
    """How the stored values of one image become gray."""

    stored: StoredValues
    rescale: Rescale
    """Aligned values to the values that a window speaks of."""
    scale: GrayScale
    inverted: bool
    """Whether the lowest value is white."""
    steps: tuple[str, ...]

    def values(self, strip: NDArray[Any]) -> NDArray[Any]:
        """The values of stored ones, before black and white are set: rescaled, and looked up in the VOI table."""
        return apply_table(self.rescale(self.stored.align(strip)), self.scale)


def render(dataset: pydicom.Dataset, pixels: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The gray image (H, W) of the stored values (H, W) of MONOCHROME1 or MONOCHROME2, and what was done.

    Rescaled (C.11.1), with the black and white of the first VOI table or window (C.11.2) where it fits the image;
    8-bit values with neither stay as they are, others are scaled by :func:`fracture.imaging.gray_scale.gray_range`.
    Raises RadiographError where slope, intercept or window is not a finite number.
    """
    rendering = prepare(dataset, pixels, name)
    stored = rendering.stored
    scale = rendering.scale

    def to_gray(strip: NDArray[Any]) -> NDArray[np.uint8]:
        gray = to_8_bit(rendering.values(strip), scale.low, scale.high)
        if rendering.inverted:
            gray = 255 - gray
        if stored.padding > 0:
            gray = np.where(stored.is_padding(strip), np.uint8(0), gray)
        return gray

    return map_strips(to_gray, pixels), rendering.steps


def prepare(dataset: pydicom.Dataset, pixels: NDArray[Any], name: str) -> GrayRendering:
    """How :func:`render` makes gray of the stored values (H, W). Raises RadiographError as that does."""
    stored, stored_steps = stored_values(dataset, pixels)
    rescale, rescale_steps = _rescaling(dataset, name)
    levels = _rescaled_levels(stored, rescale)
    # One value is enough to see the type that rescaling gives.
    is_8_bit = int(dataset.BitsStored) == 8 and rescale(pixels.reshape(-1)[:1]).dtype == np.uint8
    scale = gray_scale(dataset, levels, is_8_bit, name)
    inversion = _inversion(dataset)
    steps = (*stored_steps, *rescale_steps, *scale.steps, *inversion)
    return GrayRendering(stored, rescale, scale, bool(inversion), steps)


def _inversion(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """The step in words where the lowest value is white; MONOCHROME1 and INVERSE together say it once (C.8.11.3)."""
    if dataset.PhotometricInterpretation == "MONOCHROME1":  # C.7.6.3.1.2
        return ("inverted (MONOCHROME1)",)
    if dataset.get("PresentationLUTShape") == "INVERSE":  # C.11.6.1.2
        return ("inverted (Presentation LUT Shape)",)
    return ()


def _rescaling(dataset: pydicom.Dataset, name: str) -> tuple[Rescale, tuple[str, ...]]:
    """How aligned values are rescaled: by the modality table, else by slope and intercept (C.11.1)."""
    if table_item(dataset, "ModalityLUTSequence") is not None:
        return lambda values: apply_modality_lut(values, dataset), ()
    try:
        slope = read_number(dataset, "RescaleSlope")
        intercept = read_number(dataset, "RescaleIntercept")
    except ValueError as error:
        raise RadiographError(
            f"{name} must have a rescale slope and intercept that are numbers; export it again."
        ) from error
    if slope is None and intercept is None:
        return as_they_are, ()
    steps: tuple[str, ...] = ()
    if slope == 0:  # it would leave nothing of the image
        steps = ("rescale slope 0 set aside",)
    factor = slope or 1.0
    offset = intercept or 0.0
    check_finite(factor, name)
    check_finite(offset, name)
    return lambda values: values.astype(np.float64) * factor + offset, steps


def _rescaled_levels(stored: StoredValues, rescale: Rescale) -> Levels:
    """The histogram of the rescaled values, without padding."""
    levels = count_values(stored.image_strips())
    values = rescale(levels.values.astype(stored.pixels.dtype)).astype(np.float64)
    order = values.argsort(kind="stable")  # a slope may be negative
    return Levels(values[order], levels.counts[order])
