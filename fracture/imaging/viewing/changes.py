"""The changes that a person makes to a picture before it is classified: crop, rotate, invert.

::

    read ──> (H, W) ── crop ──> (height, width) ── quarter turns ──> upright ── invert ──> classified

Always in this order, so that equal changes are equal, and a crop is in px of the image as it was read.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RadiographError
from fracture.imaging.radiograph import Radiograph

MIN_CROP_PX = 32
"""The shortest side of a crop: less of a bone shows nothing that a model could judge."""

Crop = tuple[int, int, int, int]
"""``x, y, width, height`` in px of the image as it was read, the upper left corner first."""


@dataclass(frozen=True)
class PictureChanges:
    """What is done to an image between reading and classifying it; by default nothing.

    ``crop``: the part that stays; None keeps all of it. ``quarter_turns``: clockwise, of any sign; 0 to 3 are kept.
    ``invert``: black becomes white.
    """

    crop: Crop | None = None
    quarter_turns: int = 0
    invert: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "quarter_turns", self.quarter_turns % 4)

    def __bool__(self) -> bool:
        """Whether anything is changed at all."""
        return self != PictureChanges()

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) uint8 -> the changed image. Raises RadiographError where the crop does not lie within the image."""
        if self.crop is not None:
            x, y, width, height = self.crop
            _check_crop(self.crop, pixels.shape[1], pixels.shape[0])
            pixels = pixels[y : y + height, x : x + width]
        turned = np.rot90(pixels, -self.quarter_turns)  # np.rot90 turns counterclockwise
        changed = 255 - turned if self.invert else turned
        return np.ascontiguousarray(changed)

    def describe(self) -> list[str]:
        """The changes in words and in order, for the steps of a :class:`Radiograph`; empty where there is none."""
        steps = []
        if self.crop is not None:
            x, y, width, height = self.crop
            steps.append(f"cropped to {width} x {height} px at {x}, {y}")
        if self.quarter_turns:
            steps.append(f"rotated by {_TURNS[self.quarter_turns]}")
        if self.invert:
            steps.append("inverted on request")
        return steps


_TURNS = {1: "90° clockwise", 2: "180°", 3: "90° counterclockwise"}


def change(image: Radiograph, changes: PictureChanges) -> Radiograph:
    """The image with the changes, which its steps name. Raises RadiographError as :meth:`PictureChanges.apply` does."""
    if not changes:
        return image
    return replace(image, pixels=changes.apply(image.pixels), steps=(*image.steps, *changes.describe()))


def _check_crop(crop: Crop, width: int, height: int) -> None:
    x, y, across, down = crop
    fits = 0 <= x <= width - across and 0 <= y <= height - down
    if min(across, down) < MIN_CROP_PX or not fits:
        raise RadiographError(
            f"A crop must lie within the image of {width} x {height} px and have at least {MIN_CROP_PX} px a side. "
            f"Received: {across} x {down} px at {x}, {y}; crop it again."
        )
