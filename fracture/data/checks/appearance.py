"""How single images look: damaged, blank, inverted, with light borders or bright marks.

What is told here by brightness alone is a hint, and the rules are simple ones. How good they are was measured on the
3,202 images of FracAtlas, by looking at what they find:

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
from scipy.stats import fisher_exact

from fracture.data.checks.problem import Problem, number

BLANK = 5.0
"""A standard deviation of the gray levels below this is no picture; the flattest of FracAtlas's 3,202 images has 13."""

DEEP = 0.03
"""A light strip takes at least this share of a side."""

UNEVEN = 1.5
"""So many times as often with one label as with the other, something beside the bone can give the label away."""


def appearance(seen: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    """Every problem with how images look.

    ``seen``: the images of a data set, with their measurements; ``names``: of labels 0 and 1.
    """
    yield from _damaged(seen)
    seen = seen[seen["readable"]]
    blank = seen["spread"] < BLANK
    yield from _blank(seen[blank])
    seen = seen[~blank]
    inverted = inverts(seen)
    yield from _inverted(seen[inverted])
    yield from _borders(seen[~inverted], names)
    yield from _marks(seen[~inverted], names)


def inverts(seen: pd.DataFrame) -> "pd.Series[bool]":
    """Which images seem to show bone dark on light: most of each is lighter than mid-gray, and little as dark as air.

    ``seen``: with the measures ``median``, ``dark`` and ``light``.
    """
    return (seen["median"] > 140) & (seen["light"] - seen["dark"] > 0.2)


def _damaged(seen: pd.DataFrame) -> Iterator[Problem]:
    header = (seen["width"] > 0) & (seen["height"] > 0)  # without it, the table has told of it
    broken = seen[header & ~seen["readable"] & seen["path"].map(os.path.isfile).astype(bool)]
    if len(broken):
        said = f"{number(broken, 'file')} cannot be decoded whole: {broken['problem'].iloc[0]} Replace or exclude them."
        why = "Training passes over files that it cannot read, so that the model learns from fewer images than counted."
        yield Problem("damaged", "error", said, why, tuple(broken["image_id"]))


def _blank(blank: pd.DataFrame) -> Iterator[Problem]:
    if len(blank):
        said = f"{number(blank, 'image')} nearly of one gray level, with nothing to see, should be excluded."
        why = "A label without a picture teaches the network nothing but to guess."
        yield Problem("blank", "warning", said, why, tuple(blank["image_id"]))


def _inverted(inverted: pd.DataFrame) -> Iterator[Problem]:
    if len(inverted):
        said = (
            f"{number(inverted, 'image')} may be inverted, with bone dark on light; look at them, and exclude them or "
            "replace them by their negative."
        )
        why = "To a network that has learned that bone is light, they show something else altogether."
        yield Problem("inverted", "warning", said, why, tuple(inverted["image_id"]))


def _borders(seen: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    light = seen["strip"] >= DEEP
    if light.any():
        said = (
            f"A light strip along a border seems to be on {number(seen[light], 'image')}: "
            f"{_shares(light, seen, names)}; look at them, and exclude those where it is wide."
        )
        why = (
            "Left by collimators and scanners, it is no part of the patient, and takes up the brightest gray levels; "
            "where it comes more often with one label, a network can go by it."
        )
        yield Problem("light border", _severity(light, seen["label"]), said, why, tuple(seen.loc[light, "image_id"]))


def _marks(seen: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    marked = seen["marks"] > 0
    if marked.any():
        said = (
            f"Bright marks, such as letters, arrows or a ring, seem to be on {number(seen[marked], 'image')}: "
            f"{_shares(marked, seen, names)}; look at them, and keep to yourself what names a person."
        )
        why = (
            "A network can learn by its marks where an image was taken, and from that its label (Zech et al., PLoS "
            "Medicine 15, 2018); names and dates may tell who was X-rayed."
        )
        yield Problem("marks", _severity(marked, seen["label"]), said, why, tuple(seen.loc[marked, "image_id"]))


def _shares(found: "pd.Series[bool]", seen: pd.DataFrame, names: tuple[str, str]) -> str:
    """How many of each label, the positive one first."""
    labels = [label for label in (1, 0) if (seen["label"] == label).any()]
    return " and ".join(
        f"{found[seen['label'] == label].mean():.1%} of those that are {names[label]}" for label in labels
    )


def _severity(found: "pd.Series[bool]", label: "pd.Series[int]") -> str:
    """A warning where it comes much more often with one label, and that can hardly be chance; else a note.

    Chance is reckoned with images, as if each were of another patient.
    """
    table = pd.crosstab(found, label)
    if table.shape != (2, 2):
        return "note"
    shares = table.loc[True] / table.sum()
    unlikely = fisher_exact(table.to_numpy()).pvalue < 0.001
    return "warning" if unlikely and shares.max() >= UNEVEN * shares.min() else "note"
