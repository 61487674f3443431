"""Heat maps and what is known to be where -> how often a map points at it, and how much of it lies on it.

Two measures, each with the level that a map which knows nothing would reach: one that is even over the image, and one
that points at the middle of every image, where radiographers put what matters (Zhang et al. report it, too).

- the *pointing game* (Zhang et al., "Top-Down Neural Attention by Excitation Backprop", IJCV 126, 2018): whether the
  map's peak lies in a box. They allow a miss by 15 px, in natural images of about 500 px; here none is allowed, and
  what would count with as much beside the box is told as ``near``.
- the share of what speaks for the positive label that lies in the mask.

Intervals are those of :mod:`fracture.evaluation.metrics`: by group, never by image.
"""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fracture.errors import RadiographError
from fracture.evaluation.metrics import mean
from fracture.imaging.annotations import Box, boxes_to_mask, decode_mask, parse_boxes, scale_boxes
from fracture.imaging.radiograph import Radiograph, load
from fracture.inference.heatmap import PEAK_SIDE, map_size, peak

IMAGES = 200
"""The most images looked at: they take seconds, and as many independent ones give intervals at most 14 % wide."""

ALIKE = 20
"""The most images on which two models' maps are compared."""

NEAR = 15 / 500
"""How far beside a box is still near, as a share of the image's longer side: 15 px of 500, as Zhang et al. allow."""

Heat = Callable[[Radiograph, int, int], NDArray[np.float32]]
"""An image and a width and height in px -> its heat map (height, width); above 0 speaks for the positive label."""


def pointing_game(heat: NDArray[np.float32], boxes: Sequence[Box], tolerance: float = 0.0) -> bool:
    """Whether the peak of a map (H, W) lies in any of the boxes, or at most ``tolerance`` beside it; all in its px.

    The peak is that of :func:`fracture.inference.heatmap.peak`. A map without one points nowhere.
    """
    found = peak(heat)
    wider = [(x - tolerance, y - tolerance, w + 2 * tolerance, h + 2 * tolerance) for x, y, w, h in boxes]
    return found is not None and _holds(wider, found.x, found.y)


def mass_inside(heat: NDArray[np.float32], mask: NDArray[Any]) -> float:
    """The share, 0 to 1, of the positive part of a map (H, W) that lies in a mask (H, W).

    ``mask``: bool, or the share of each pixel that is inside. NaN where the map is positive nowhere: nothing of
    nothing is no share, and 0 would say that the map speaks for the wrong place.
    """
    positive = np.clip(heat.astype(np.float64), 0, None)
    whole = positive.sum()
    return float((positive * mask).sum() / whole) if whole > 0 else float("nan")


class Finding(NamedTuple):
    """One image: how its map did, and how a map that knows nothing would do."""

    flat: bool
    hit: bool
    near: bool
    """Whether it would be a hit with a box wider by :data:`NEAR`."""
    centre_hit: bool
    """Whether the middle of the image lies in a box."""
    mass: float
    box_area: float
    """Share of the image, 0 to 1."""
    mask_area: float


def localise(table: pd.DataFrame, heat: Heat) -> dict[str, Any] | None:
    """Judge the heat maps of the positive images whose boxes are known.

    Args:
        table: readable images with columns of :data:`fracture.data.dataset.COLUMNS`. Where there is no mask, it is all
            that lies in the boxes. A column ``found``, bool, says which of them the model calls positive.
        heat: gives the maps.

    Returns:
        ``images, groups``; ``known``, how many there are of which at most :data:`IMAGES` were drawn; ``pointing`` and
        ``mass``, each ``value, low, high, chance``, the first also ``centre``, for the middle of the image, and
        ``near``, an estimate; with a column ``found`` also ``found``: ``images`` and ``pointing`` of those; ``flat``,
        the number of maps that are the same everywhere (a model for less than 107 px has a single cell) and count as
        misses; ``silent``, that of maps that are positive nowhere and therefore not in ``mass``. None where nothing is
        known.
    """
    drawn = images_with_boxes(table)
    findings = {}
    for index, row in drawn.iterrows():
        with contextlib.suppress(RadiographError):  # gone since it was last read
            findings[index] = _finding(row["path"], row["boxes"], row["mask"], heat)
    if not findings:
        return None
    drawn = drawn.loc[list(findings)]
    found = pd.DataFrame(list(findings.values()), drawn.index).assign(group=drawn["group"])
    speaking = found.dropna(subset=["mass"])
    near = mean(found["near"].to_numpy(np.float64), found["group"])
    measured = {
        "images": len(drawn),
        "known": int(((table["label"] == 1) & (table["boxes"] != "")).sum()),
        "groups": int(found["group"].nunique()),
        "pointing": {
            **_against_chance(found, "hit", "box_area"),
            "centre": float(found["centre_hit"].mean()),
            "near": near,
        },
        "mass": _against_chance(speaking, "mass", "mask_area"),
        "flat": int(found["flat"].sum()),
        "silent": len(found) - len(speaking),
    }
    if "found" in drawn:
        seen = found[drawn["found"]]
        pointing = {
            **_against_chance(seen, "hit", "box_area"),
            "near": mean(seen["near"].to_numpy(float), seen["group"]),
        }
        measured["found"] = {"images": len(seen), "pointing": pointing}
    return measured


def compare_shuffled(table: pd.DataFrame, heat: Heat, shuffled: Heat) -> dict[str, float | None]:
    """What is left of the maps when the head's weights are shuffled: nearly nothing, if they show what it has learned.

    Returns:
        ``correlation``: Spearman's, between the maps before and after, the mean over up to :data:`ALIKE` images; None
        where all maps are flat. ``pointing``: of the maps after, over the same images as :func:`localise`.
    """
    from scipy.stats import spearmanr

    found = []
    for path in images_with_boxes(table)["path"][:ALIKE]:
        with contextlib.suppress(RadiographError):
            image = load(Path(path))
            maps = [each(image, PEAK_SIDE // 4, PEAK_SIDE // 4).ravel() for each in (heat, shuffled)]
            if all(np.ptp(each) > 0 for each in maps):
                found.append(float(spearmanr(maps[0], maps[1]).statistic))
    measured = localise(table, shuffled)
    return {
        "correlation": float(np.mean(found)) if found else None,
        "pointing": measured["pointing"]["value"] if measured else None,
    }


def images_with_boxes(table: pd.DataFrame) -> pd.DataFrame:
    """At most :data:`IMAGES` of the positive images whose boxes are known."""
    known = table[(table["label"] == 1) & (table["boxes"] != "")]
    return known.loc[known["image_id"].map(place).sort_values().index[:IMAGES]]


def place(image_id: str) -> bytes:
    """Where an image stands in the draw: by a hash, so that neither its neighbours nor their order matter."""
    return hashlib.sha256(image_id.encode()).digest()


def _against_chance(found: pd.DataFrame, name: str, area: str) -> dict[str, float | None]:
    chance = float(found[area].mean()) if len(found) else None
    return {**mean(found[name].to_numpy(np.float64), found["group"]), "chance": chance}


def _finding(path: str, boxes_text: str, mask_text: str, heat: Heat) -> Finding:
    image = load(Path(path))
    width, height = map_size(image.width, image.height)
    boxes = parse_boxes(boxes_text)
    inside_boxes = boxes_to_mask(boxes, image.width, image.height)
    inside = decode_mask(mask_text, image.width, image.height) if mask_text else inside_boxes
    mask, in_map = _shrunk(inside, width, height), heat(image, width, height)
    scaled = scale_boxes(boxes, width / image.width, height / image.height)
    return Finding(
        flat=bool(in_map.min() == in_map.max()),
        hit=pointing_game(in_map, scaled),
        near=pointing_game(in_map, scaled, NEAR * max(width, height)),
        centre_hit=_holds(boxes, image.width / 2, image.height / 2),
        mass=mass_inside(in_map, mask),
        box_area=float(inside_boxes.mean()),
        mask_area=float(mask.mean()),
    )


def _holds(boxes: Sequence[Box], across: float, down: float) -> bool:
    return any(x <= across < x + w and y <= down < y + h for x, y, w, h in boxes)


def _shrunk(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.float64]:
    """A mask (H, W) -> the share of each pixel (height, width) that is inside; a thin line does not get lost."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX)) / 255
