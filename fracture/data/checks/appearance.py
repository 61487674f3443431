"""Checks of single images: damaged, blank, inverted, with light borders or bright marks.

They are simple rules on gray levels, so a finding is a hint. How good they are was measured on the 3,202 images of
FracAtlas, by looking at what they find:

=============  ========================================================================================================
inverted       nothing is found, and none is inverted; of their negatives 98 % are found. The inner quarter of each
               image, nearly all tissue, is never called inverted, and its negative in 94 % of the cases. A gamma of
               0.7 makes 1 of the images an inverted one, and hides a quarter of the negatives
light borders  230 are found; of 120 looked at, 117 have one. Slanted, frayed and narrower ones are passed over
marks          111 are found: 102 letters, arrows and other markers, 9 rings, earrings and other metal. Of 160
               images without a finding, from where most of the letters are, 17 have some, too small or on bone.
               The gray lead letters of the phantoms are not found
=============  ========================================================================================================
"""

import os
from collections.abc import Iterator

import pandas as pd

from fracture.data.checks.problem import Problem, number
from fracture.imaging.gray_scale import MIN_SPREAD, MIN_VISIBLE

MIN_STRIP_SHARE = 0.03
"""A light strip takes at least this share of a side."""

MIN_LABEL_RATIO = 1.5
"""Where marks or borders are so many times as frequent with one label as with the other, they can be a shortcut."""


def check_appearance(images: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    """All problems with how single images look.

    ``images``: those of a data set, with their measurements; ``names``: of labels 0 and 1.
    """
    yield from _damaged(images)
    # Each check leaves out what the one before has found: a blank image is not inverted, too.
    images = images[images["readable"]]
    blank = seem_blank(images)
    yield from _blank(images[blank])
    images = images[~blank]
    inverted = seem_inverted(images)
    yield from _inverted(images[inverted])
    yield from _borders(images[~inverted], names)
    yield from _marks(images[~inverted], names)


def seem_blank(images: pd.DataFrame) -> "pd.Series[bool]":
    """Which images have nothing to see: those that :func:`fracture.imaging.gray_scale.is_blank` finds.

    ``images``: with the measures ``spread`` and ``visible``.
    """
    return (images["spread"] < MIN_SPREAD) | (images["visible"] < MIN_VISIBLE)


def seem_inverted(images: pd.DataFrame) -> "pd.Series[bool]":
    """Which images seem to show bone dark on light: most of each is lighter than mid-gray, and little as dark as air.

    ``images``: with the measures ``median``, ``dark`` and ``light``.
    """
    return (images["median"] > 140) & (images["light"] - images["dark"] > 0.2)


def _damaged(images: pd.DataFrame) -> Iterator[Problem]:
    has_header = (images["width"] > 0) & (images["height"] > 0)  # else the check of the table has reported it
    exists = images["path"].map(os.path.isfile).astype(bool)
    damaged = images[has_header & ~images["readable"] & exists]
    if len(damaged):
        reason = damaged["problem"].iloc[0]
        said = f"{number(damaged, 'file')} cannot be decoded whole: {reason} Replace or exclude them."
        why = "Training skips files that it cannot read, so that the model learns from fewer images than counted."
        yield Problem("damaged", "error", said, why, tuple(damaged["image_id"]))


def _blank(blank: pd.DataFrame) -> Iterator[Problem]:
    if len(blank):
        said = f"{number(blank, 'image')} nearly black, white or flat, with nothing to see, should be excluded."
        why = "From a label without an image, the network can learn nothing but to guess."
        yield Problem("blank", "warning", said, why, tuple(blank["image_id"]))


def _inverted(inverted: pd.DataFrame) -> Iterator[Problem]:
    if len(inverted):
        said = (
            f"{number(inverted, 'image')} may be inverted, with bone dark on light; look at them, and exclude them or "
            "replace them by their negative."
        )
        why = "A network that has learned that bone is light takes them for something else."
        yield Problem("inverted", "warning", said, why, tuple(inverted["image_id"]))


def _borders(images: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    light = images["strip"] >= MIN_STRIP_SHARE
    if light.any():
        said = (
            f"A light strip along a border seems to be on {number(images[light], 'image')}: "
            f"{_shares(light, images, names)}; look at them, and exclude those where it is wide."
        )
        why = (
            "It comes from a collimator or scanner, not from the patient, and uses the brightest gray levels; "
            "where it is more frequent with one label, a network can use it as a shortcut."
        )
        yield Problem(
            "light border", _severity(light, images["label"]), said, why, tuple(images.loc[light, "image_id"])
        )


def _marks(images: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    marked = images["marks"] > 0
    if marked.any():
        said = (
            f"Bright marks, such as letters, arrows or a ring, seem to be on {number(images[marked], 'image')}: "
            f"{_shares(marked, images, names)}; look at them, and do not share an image that names a person."
        )
        why = (
            "By its marks a network can learn where an image was taken, a shortcut to its label (Zech et al., PLoS "
            "Medicine 15, 2018); names and dates may tell who the patient is."
        )
        yield Problem("marks", _severity(marked, images["label"]), said, why, tuple(images.loc[marked, "image_id"]))


def _shares(found: "pd.Series[bool]", images: pd.DataFrame, names: tuple[str, str]) -> str:
    """The share of each label in words, the positive one first."""
    parts = []
    for label in (1, 0):
        has_label = images["label"] == label
        if has_label.any():
            parts.append(f"{found[has_label].mean():.1%} of those that are {names[label]}")
    return " and ".join(parts)


def _severity(found: "pd.Series[bool]", label: "pd.Series[int]") -> str:
    """A warning where one label has it much more often, and significantly (Fisher's exact test); else a note.

    The test takes images for independent, as if each were of another patient.
    """
    from scipy.stats import fisher_exact  # many MB, which no page needs before it checks images

    table = pd.crosstab(found, label)
    if table.shape != (2, 2):
        return "note"
    shares = table.loc[True] / table.sum()
    significant = fisher_exact(table.to_numpy()).pvalue < 0.001
    uneven = shares.max() >= MIN_LABEL_RATIO * shares.min()
    return "warning" if significant and uneven else "note"
