"""Weakly supervised localization: whether heat maps point at the boxes and masks that are known.

Two measures. Each is reported with what a map without information would reach: a uniform map, and one that points at
the center of every image, where radiographers put what matters (Zhang et al. report it, too).

- the *pointing game* (Zhang et al., "Top-Down Neural Attention by Excitation Backprop", IJCV 126, 2018): whether the
  map's peak lies in a box. They allow a miss by 15 px, in natural images of about 500 px. Here none is allowed;
  ``near`` is the share with that tolerance.
- the share of the map's positive part that lies in the mask.

Intervals are those of :mod:`fracture.evaluation.metrics`: by group, never by image.
"""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fracture.errors import RadiographError
from fracture.estimate import Estimate
from fracture.evaluation.metrics import mean
from fracture.imaging.annotations import Box, boxes_to_mask, decode_mask, parse_boxes, scale_boxes
from fracture.imaging.radiograph import Radiograph, load
from fracture.inference.heatmap import PEAK_SIDE, map_size, peak
from fracture.registry.validation import Localization, ShareByChance, ShuffledHead

_log = logging.getLogger(__name__)

MAX_IMAGES = 200
"""The most images measured: that takes seconds, and as many independent images give intervals at most 14 % wide."""

COMPARED_IMAGES = 20
"""The most images on which the maps of two heads are compared."""

NEAR = 15 / 500
"""The tolerance around a box as a share of the image's longer side: 15 px of 500, as Zhang et al. allow."""

Heat = Callable[[Radiograph, int, int], NDArray[np.float32]]
"""An image and a width and height in px -> its heat map (height, width); above 0 speaks for the positive label."""


def pointing_game(heat: NDArray[np.float32], boxes: Sequence[Box], tolerance: float = 0.0) -> bool:
    """Whether the peak of a map (H, W) lies in one of the boxes, or at most ``tolerance`` outside, in px of the map.

    The peak is that of :func:`fracture.inference.heatmap.peak`. A map without a peak points nowhere.
    """
    found = peak(heat)
    if found is None:
        return False
    wider = [
        (left - tolerance, top - tolerance, width + 2 * tolerance, height + 2 * tolerance)
        for left, top, width, height in boxes
    ]
    return _inside(wider, found.x, found.y)


def mass_inside(heat: NDArray[np.float32], mask: NDArray[Any]) -> float:
    """The share, 0 to 1, of the positive part of a map (H, W) that lies in a mask (H, W).

    ``mask`` is bool, or the share of each pixel that is inside. The result is NaN where the map is positive nowhere: 0
    would mean that the map speaks for a wrong place.
    """
    positive = np.clip(heat.astype(np.float64), 0, None)
    whole = positive.sum()
    return float((positive * mask).sum() / whole) if whole > 0 else float("nan")


class MapResult(NamedTuple):
    """One image: the result of its map, and of maps without information."""

    flat: bool
    """Whether the map is constant."""
    hit: bool
    """Whether the peak lies in a box."""
    near: bool
    """The same with a tolerance of :data:`NEAR`."""
    center_hit: bool
    """Whether the center of the image lies in a box."""
    mass: float
    """See :func:`mass_inside`."""
    box_area: float
    """The share of the image, 0 to 1, that the boxes cover."""
    mask_area: float
    """The same of the mask."""


def localize(table: pd.DataFrame, heat: Heat) -> Localization | None:
    """Measure the heat maps of the positive images whose boxes are known.

    Args:
        table: readable images with the columns of :data:`fracture.data.dataset.TABLE_COLUMNS`. Where an image has no
            mask, its boxes are the mask. A column ``found``, bool, says which images the model calls positive.
        heat: computes a map.

    Returns:
        - ``images``, ``groups``: how many were measured; ``known``: how many have boxes, of which at most
          :data:`MAX_IMAGES` are drawn;
        - ``pointing`` and ``mass``: estimates with ``chance``, and the first also with ``centre``, the share for the
          center of the image, and ``near``, an estimate;
        - ``found``: ``images`` and ``pointing`` of the images that the model calls positive, with a column ``found``;
        - ``flat``: the number of constant maps (a model for less than 107 px has a single cell). They are misses;
        - ``silent``: the number of maps that are positive nowhere. They are not in ``mass``.

        None where no box is known.
    """
    drawn = images_with_boxes(table)
    findings = {}
    for index, row in drawn.iterrows():
        try:
            findings[index] = _finding(row["path"], row["boxes"], row["mask"], heat)
        except RadiographError as error:  # the file was deleted since it was read last
            _log.warning("Localization skips an image: %s", error)
    if not findings:
        return None
    drawn = drawn.loc[list(findings)]
    measured = pd.DataFrame(list(findings.values()), drawn.index).assign(group=drawn["group"])
    with_mass = measured.dropna(subset=["mass"])
    result: Localization = {
        "images": len(drawn),
        "known": int(_has_boxes(table).sum()),
        "groups": int(measured["group"].nunique()),
        "pointing": {
            **_share(measured, "hit", "box_area"),
            "centre": float(measured["center_hit"].mean()),
            "near": _mean_of(measured, "near"),
        },
        "mass": _share(with_mass, "mass", "mask_area"),
        "flat": int(measured["flat"].sum()),
        "silent": len(measured) - len(with_mass),
    }
    if "found" in drawn:
        called = measured[drawn["found"]]
        result["found"] = {
            "images": len(called),
            "pointing": {**_share(called, "hit", "box_area"), "near": _mean_of(called, "near")},
        }
    return result


def compare_shuffled(table: pd.DataFrame, heat: Heat, shuffled: Heat) -> ShuffledHead:
    """The model randomization test: maps of a head with shuffled weights should have little in common with the maps.

    Returns:
        ``correlation``: Spearman's, between the maps before and after shuffling, the mean over up to
        :data:`COMPARED_IMAGES` images; None where all maps are flat. ``pointing``: of the maps after shuffling, over
        the same images as :func:`localize`.
    """
    from scipy.stats import spearmanr

    side = PEAK_SIDE // 4
    correlations = []
    for path in images_with_boxes(table)["path"][:COMPARED_IMAGES]:
        with contextlib.suppress(RadiographError):  # localize logs it
            image = load(Path(path))
            before = heat(image, side, side).ravel()
            after = shuffled(image, side, side).ravel()
            # A constant map has no ranks to correlate.
            if np.ptp(before) > 0 and np.ptp(after) > 0:
                correlations.append(float(spearmanr(before, after).statistic))
    measured = localize(table, shuffled)
    return {
        "correlation": float(np.mean(correlations)) if correlations else None,
        "pointing": measured["pointing"]["value"] if measured else None,
    }


def images_with_boxes(table: pd.DataFrame) -> pd.DataFrame:
    """At most :data:`MAX_IMAGES` of the positive images whose boxes are known, drawn by :func:`draw_key`."""
    known = table[_has_boxes(table)]
    order = known["image_id"].map(draw_key).sort_values()
    return known.loc[order.index[:MAX_IMAGES]]


def _has_boxes(table: pd.DataFrame) -> "pd.Series[bool]":
    """Which images are positive and have boxes: on a negative image there is nothing to find."""
    return (table["label"] == 1) & (table["boxes"] != "")


def draw_key(image_id: str) -> bytes:
    """A hash by which images are sorted before the first ones are drawn: their order in the table must not matter."""
    return hashlib.sha256(image_id.encode()).digest()


def _share(measured: pd.DataFrame, name: str, area: str) -> ShareByChance:
    """The mean of a column, and by chance that of the covered area: the hit rate of a random point."""
    chance = float(measured[area].mean()) if len(measured) else None
    return {**_mean_of(measured, name), "chance": chance}


def _mean_of(measured: pd.DataFrame, name: str) -> Estimate:
    return mean(measured[name].to_numpy(np.float64), measured["group"])


def _finding(path: str, boxes_text: str, mask_text: str, heat: Heat) -> MapResult:
    image = load(Path(path))
    width, height = map_size(image.width, image.height)
    boxes = parse_boxes(boxes_text)
    inside_boxes = boxes_to_mask(boxes, image.width, image.height)
    inside = decode_mask(mask_text, image.width, image.height) if mask_text else inside_boxes
    mask = _shrunk(inside, width, height)
    in_map = heat(image, width, height)
    scaled = scale_boxes(boxes, width / image.width, height / image.height)
    return MapResult(
        flat=bool(in_map.min() == in_map.max()),
        hit=pointing_game(in_map, scaled),
        near=pointing_game(in_map, scaled, NEAR * max(width, height)),
        center_hit=_inside(boxes, image.width / 2, image.height / 2),
        mass=mass_inside(in_map, mask),
        box_area=float(inside_boxes.mean()),
        mask_area=float(mask.mean()),
    )


def _inside(boxes: Sequence[Box], x: float, y: float) -> bool:
    """Whether a point lies in one of the boxes."""
    return any(left <= x < left + width and top <= y < top + height for left, top, width, height in boxes)


def _shrunk(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.float64]:
    """A mask (H, W) -> the share of each pixel (height, width) that is inside, so that thin lines are kept."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    shrunk = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(shrunk) / 255
