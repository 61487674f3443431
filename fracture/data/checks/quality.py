"""Checks of picture quality: dark, bright, of low contrast, blurred, of an odd shape or size, several views in one.

The measures are those of CleanVision (by Cleanlab), computed from the pixels that a network gets. What the limits find
was measured on the 3,202 images of FracAtlas as they are, and on changed copies of 321 of them; ``python -m
benchmarks.image_checks --data FRACATLAS`` prints it:

==============  ======================================================================================================
dark            1 image as it is; 316 of the copies at a quarter of their brightness, and the other 5 are called blank
bright          none; 287 of the copies with half of their contrast, up to white, and the other 34 are called inverted
low contrast    none; of the copies with a quarter of their contrast on a gray of 100, 284 are called bright, 32 of low
                contrast and 5 blank
blurred         2; copies blurred by a Gaussian of 0.2 % of the longer side 52, by 0.4 % all
odd aspect      none; 319 of the copies cut to a quarter of the shorter side
odd size        none; 293 of the copies at an eighth of their size
several views   50: 49 of the 331 that FracAtlas lists as ``multiscan``, most of whose seams are slanted, faint or
                missing, and 1 of the others. 316 of the copies beside their mirror image with a white bar between, 50
                with a black one
==============  ======================================================================================================
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fracture.data.checks.appearance import seem_blank, seem_inverted
from fracture.data.checks.problem import Problem, number
from fracture.imaging.film import SIDE_PX

DARKEST_HIGH = 80
"""An image is dark where the 99th percentile of its gray levels is lower."""

BRIGHTEST_LOW = 100
"""An image is bright where the 5th percentile of its gray levels is higher."""

FEWEST_LEVELS = 64
"""An image has low contrast where fewer of 255 gray levels lie between its 5th and 99th percentiles."""

LEAST_SHARPNESS = 12
"""An image is blurred where the variance of its Laplacian is lower."""

LONGEST_ASPECT = 3
"""Longer to shorter side. From here on, two thirds of a letterboxed input are black bars."""

SIZE_FACTOR = 4
"""An image has an odd size where the root of its area is so many times that of the median image, or that part of it."""

STRONGEST_SEAM = 45
"""An image has several views where the jump at a seam is higher, in gray levels. Smaller images than those that this
limit was measured on are left out: in them, any straight edge is as long as a seam."""


_ADVICE = "export them again with another window, or exclude them."
_WHY_GRAY = "Bone stands out less than in the other images; where one label has more of them, it is a shortcut to it."


def check_quality(images: pd.DataFrame) -> Iterator[Problem]:
    """All problems with the quality of pictures; ``images``: those of a data set, with their measurements."""
    # Blank and inverted images have a finding of their own.
    visible = images[images["readable"] & ~seem_blank(images) & ~seem_inverted(images)]
    dark = visible["high"] < DARKEST_HIGH
    bright = visible["low"] > BRIGHTEST_LOW
    flat = ~dark & ~bright & (visible["high"] - visible["low"] < FEWEST_LEVELS)
    # What is faint as a whole has little detail, too: it is not called blurred as well.
    blurred = ~dark & ~bright & ~flat & (visible["sharpness"] < LEAST_SHARPNESS)
    is_large = visible[["width", "height"]].max(axis=1) >= SIDE_PX
    yield from _dark(visible[dark])
    yield from _bright(visible[bright])
    yield from _flat(visible[flat])
    yield from _blurred(visible[blurred])
    yield from _long(visible[_aspect(visible) > LONGEST_ASPECT])
    yield from _odd_size(visible[_size_ratio(visible) > SIZE_FACTOR])
    yield from _several_views(visible[(visible["seam"] > STRONGEST_SEAM) & is_large])


def _aspect(images: pd.DataFrame) -> "pd.Series[float]":
    sides = images[["width", "height"]].astype("float64")
    aspect: pd.Series[float] = sides.max(axis=1) / sides.min(axis=1)
    return aspect


def _size_ratio(images: pd.DataFrame) -> "pd.Series[float]":
    """How many times smaller or larger each image is than the median one, by the root of the area; at least 1."""
    area = images["width"] * images["height"]
    distance = np.log(area / area.median()).abs() / 2
    ratio: pd.Series[float] = np.exp(distance)
    return ratio


def _dark(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = f"{number(images, 'image')} very dark, with nothing brighter than a third of the gray scale; {_ADVICE}"
        yield Problem("dark", "warning", said, _WHY_GRAY, tuple(images["image_id"]))


def _bright(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = f"{number(images, 'image')} very bright, with nothing darker than gray; {_ADVICE}"
        yield Problem("bright", "warning", said, _WHY_GRAY, tuple(images["image_id"]))


def _flat(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = f"{number(images, 'image')} of low contrast, within a quarter of the gray scale; {_ADVICE}"
        yield Problem("low contrast", "warning", said, _WHY_GRAY, tuple(images["image_id"]))


def _blurred(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = f"{number(images, 'image')} may be blurred; look for sharper originals, or exclude them."
        why = "Thin fracture lines are lost first, so that the label says what the picture no longer shows."
        yield Problem("blurred", "warning", said, why, tuple(images["image_id"]))


def _long(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = (
            f"{number(images, 'image')} with sides of more than {LONGEST_ASPECT} to 1; look whether they are cut off "
            "or hold several views."
        )
        why = "The input of the network is a square: most of it is black bars, or the picture is distorted."
        yield Problem("odd aspect", "note", said, why, tuple(images["image_id"]))


def _odd_size(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = (
            f"{number(images, 'image')} more than {SIZE_FACTOR} times smaller or larger than the median image; look "
            "where they come from."
        )
        why = "Another size is mostly another source, by which a network can guess the label."
        yield Problem("odd size", "note", said, why, tuple(images["image_id"]))


def _several_views(images: pd.DataFrame) -> Iterator[Problem]:
    if len(images):
        said = f"{number(images, 'image')} may show several views in one picture; cut them into one view each."
        why = "Each view gets a part of the pixels of the input; models are trained on one view at a time."
        yield Problem("several views", "note", said, why, tuple(images["image_id"]))
