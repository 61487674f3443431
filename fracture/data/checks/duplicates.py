"""The same picture twice: the same bytes, or what looks the same.

Copies weigh double where they stay in one part of a split, and flatter results where they do not. Views of one study
are meant to be alike and are left alone, unless they are the same file.
"""

from collections.abc import Iterator

import pandas as pd

from fracture.data.checks.appearance import BLANK
from fracture.data.checks.problem import Problem, number
from fracture.data.checks.table import on_several
from fracture.data.checks.twins import clusters

_LEARNED = "What was learned by heart in one part is asked for again in the other: results will look too good."
_BOTH = "Of the same picture, one of the two labels must be wrong; the network is taught both, and judged by both."
_DOUBLE = "A picture that is there twice counts twice, in training as in every figure."


def copies(seen: pd.DataFrame) -> Iterator[Problem]:
    """Every problem with copies; ``seen``: the images of a data set, with their measurements."""
    yield from _identical(seen[seen["sha256"] != ""])
    yield from _alike(seen)


def _identical(seen: pd.DataFrame) -> Iterator[Problem]:
    """Files that are the same byte by byte."""
    again = seen[seen.duplicated("sha256", keep=False)]
    across, contradicting = on_several(again, "sha256", "split"), on_several(again, "sha256", "label")
    if across.any():
        images = _together(again[across], "sha256")
        said = f"{number(images, 'image')} in different parts of the split are copies of each other; keep one of each."
        yield Problem("copies", "error", said, _LEARNED, images)
    if contradicting.any():
        images = _together(again[contradicting], "sha256")
        said = f"{number(images, 'image')} are identical files with contradicting labels; decide which label is right."
        yield Problem("contradiction", "error", said, _BOTH, images)
    if not (rest := again[~across & ~contradicting]).empty:
        images = _together(rest, "sha256")
        said = f"{number(images, 'image')} of the same part of the split are copies of each other; keep one of each."
        yield Problem("repeated", "note", said, _DOUBLE, images)


def _alike(seen: pd.DataFrame) -> Iterator[Problem]:
    """Pictures that look the same though their files differ, of different studies; and the copies of these files."""
    pictures = seen[seen["readable"] & (seen["spread"] >= BLANK)]
    pictures = pictures.assign(look=clusters(list(pictures["phash"]), list(pictures["phash_mirrored"])))
    again = pictures[on_several(pictures, "look", "study") & on_several(pictures, "look", "sha256")]
    torn, contradicting = on_several(again, "look", "split"), on_several(again, "look", "label")
    across = torn & on_several(again, "look", "group")  # of one group, it is a leak, and has been told of
    if across.any():
        images = _together(again[across], "look")
        said = (
            f"{number(images, 'image')} in different parts of the split look the same, perhaps mirrored or inverted; "
            "if they are the same picture, keep one of each."
        )
        yield Problem("near copies", "warning", said, _LEARNED, images)
    if contradicting.any():
        images = _together(again[contradicting], "look")
        said = (
            f"{number(images, 'image')} look the same as another with the opposite label, perhaps mirrored or "
            "inverted; if they are the same picture, decide which label is right."
        )
        yield Problem("near contradiction", "warning", said, _BOTH, images)
    if not (rest := again[~torn & ~contradicting]).empty:
        images = _together(rest, "look")
        said = (
            f"{number(images, 'image')} of the same part of the split look the same as another, perhaps mirrored or "
            "inverted; if they are the same picture, keep one of each."
        )
        yield Problem("near repeated", "note", said, _DOUBLE, images)


def _together(images: pd.DataFrame, by: str) -> tuple[str, ...]:
    """Image ids with twins side by side, in the order in which the table has the first of each."""
    place = images.groupby(by, sort=False).ngroup()
    return tuple(images.loc[place.sort_values(kind="stable").index, "image_id"])
