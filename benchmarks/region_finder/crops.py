"""Random crops of radiographs with their boxes, and what the network should answer for each of its cells."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from fracture.imaging.annotations import parse_boxes
from fracture.imaging.radiograph import load
from fracture.inference.heatmap import MIXED7
from fracture.inference.regions.finder import MIXED2

LONGER_SIDE = 640
"""Of the enlarged images, in px."""

CROP = 256
"""Side of a crop in px."""

CELLS = (CROP - 27) // MIXED2.apart + 1

KINDS = ("box",) * 9 + ("peak",) * 5 + ("any",) * 2
"""Of the crops of a batch: around a true box, around a peak of the model's place map in a normal image, anywhere."""

PEAKS = 6
"""Of the place map of each normal image."""

Floats = NDArray[np.float32]


class Picture(NamedTuple):
    """An enlarged image and its true boxes, (B, 4): left, top, right, bottom in px."""

    pixels: NDArray[np.uint8]
    corners: Floats


class Targets(NamedTuple):
    """What the network should answer for a crop, by cell."""

    inside: Floats
    """(h, w): 1 in the core of a box."""
    counted: Floats
    """(h, w): 0 in the rest of a box, where any score is right."""
    corners: Floats
    """(h, w, 4): the box whose core it is, in px of the crop."""


def read_picture(row: pd.Series) -> Picture:
    """An image of the table, enlarged or shrunk to :data:`LONGER_SIDE`."""
    pixels = load(Path(row["path"])).pixels
    height, width = pixels.shape
    scale = LONGER_SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    enlarged = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    boxes = parse_boxes(row["boxes"]) if row["boxes"] else []
    corners = [(x * scale, y * scale, (x + across) * scale, (y + down) * scale) for x, y, across, down in boxes]
    return Picture(enlarged, np.array(corners, np.float32).reshape(-1, 4))


def peak_centers(places: NDArray[np.float64], picture: Picture, size: int) -> Floats:
    """The likeliest peaks of a place map (h, w) of an image fitted to ``size`` px: (P, 2), x and y in the picture."""
    rows, columns = np.nonzero(ndimage.maximum_filter(places, 3) == places)
    order = np.argsort(-places[rows, columns])[:PEAKS]
    height, width = picture.pixels.shape
    longer = max(height, width)
    middles = np.stack([columns[order], rows[order]], axis=1) * MIXED7.apart + MIXED7.first + 0.5
    margin = np.array([longer - width, longer - height]) / 2
    return (middles * longer / size - margin).astype(np.float32)


@dataclass(frozen=True)
class Crops:
    """Draws random crops of training images."""

    with_boxes: list[Picture]
    normal: list[Picture]
    peaks: list[Floats]
    """Of each normal image."""

    def batch(self, seed: int, size: int) -> tuple[Floats, Targets]:
        """Crops (B, S, S, 3), 0 to 1, and their targets; the same for the same seed."""
        random = np.random.default_rng(seed)
        kinds = KINDS * (size // len(KINDS))
        drawn = [self._draw(kind, random) for kind in kinds]
        targets = [targets_of(corners, whole) for _, corners, whole in drawn]
        pixels = np.repeat(np.array([each for each, _, _ in drawn])[..., None], 3, axis=-1)
        return pixels, Targets(*map(np.array, zip(*targets, strict=True)))

    def _draw(self, kind: str, random: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        picture, center = self._choose(kind, random)
        zoom = np.exp(random.uniform(np.log(0.75), np.log(1.35)))
        angle = np.deg2rad(np.clip(random.normal(0, 9), -25, 25))
        aspect = np.exp(random.uniform(-0.1, 0.1))
        mirror = random.choice([-1, 1], 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        # From px of the crop to px of the picture, both from the crop's middle.
        linear = turn @ np.diag(mirror / zoom * np.array([1 / aspect, aspect]))
        offset = center - linear @ np.array([CROP / 2, CROP / 2])
        pixels = _expose(_cut(picture.pixels, linear, offset), random)
        return (pixels, *_move_boxes(picture.corners, linear, offset, turned=abs(angle) > 0.05))

    def _choose(self, kind: str, random: np.random.Generator) -> tuple[Picture, NDArray[np.float64]]:
        """A picture, and where in it the middle of the crop lies."""
        if kind == "box":
            picture = self.with_boxes[random.integers(len(self.with_boxes))]
            left, top, right, bottom = picture.corners[random.integers(len(picture.corners))]
            return picture, np.array([(left + right) / 2, (top + bottom) / 2]) + random.uniform(-95, 95, 2)
        if kind == "peak":
            number = random.integers(len(self.normal))
            peaks = self.peaks[number]
            return self.normal[number], peaks[random.integers(len(peaks))] + random.uniform(-80, 80, 2)
        number = random.integers(len(self.with_boxes) + len(self.normal))
        picture = [*self.with_boxes, *self.normal][number]
        height, width = picture.pixels.shape
        return picture, np.array([random.uniform(0, width), random.uniform(0, height)])


def targets_of(corners: Floats, whole: NDArray[np.bool_]) -> Targets:
    """The targets of a crop with these boxes; those that are not ``whole`` are ignored. Small boxes win over large."""
    inside = np.zeros((CELLS, CELLS), np.float32)
    counted = np.ones((CELLS, CELLS), np.float32)
    own = np.zeros((CELLS, CELLS, 4), np.float32)
    middles = MIXED2.first + 0.5 + MIXED2.apart * np.arange(CELLS)
    x, y = np.meshgrid(middles, middles)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for number in np.argsort(-areas):
        left, top, right, bottom = corners[number]
        counted[(x >= left) & (x < right) & (y >= top) & (y < bottom)] = 0
        if not whole[number]:
            continue
        # The middle half of the box, and at least one cell.
        across = np.maximum((right - left) / 4, MIXED2.apart / 2 + 0.01)
        down = np.maximum((bottom - top) / 4, MIXED2.apart / 2 + 0.01)
        core = (np.abs(x - (left + right) / 2) <= across) & (np.abs(y - (top + bottom) / 2) <= down)
        inside[core] = 1
        counted[core] = 1
        own[core] = corners[number]
    return Targets(inside, counted, own)


def _cut(pixels: NDArray[np.uint8], linear: NDArray[np.float64], offset: NDArray[np.float64]) -> Floats:
    (a, b), (d, e) = linear
    how = (a, b, offset[0], d, e, offset[1])
    cut = Image.fromarray(pixels).transform((CROP, CROP), Image.Transform.AFFINE, how, Image.Resampling.BILINEAR)
    return np.asarray(cut, np.float32) / 255


def _move_boxes(
    corners: Floats, linear: NDArray[np.float64], offset: NDArray[np.float64], *, turned: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """The boxes in px of the crop, cut off at its edges, and of which at least half is in it; none outside of it."""
    back = np.linalg.inv(linear)
    moved = []
    whole = []
    for left, top, right, bottom in corners:
        middle = back @ (np.array([left + right, top + bottom]) / 2 - offset)
        half = np.array([right - left, bottom - top]) / 2
        reach = np.abs(back) @ half
        if turned:  # between what surrounds the turned box and what surrounds the ellipse in it
            reach = (reach + np.sqrt(back**2 @ half**2)) / 2
        box = np.concatenate([middle - reach, middle + reach])
        inside = np.clip(box, 0, CROP)
        share = np.prod(inside[2:] - inside[:2]) / np.prod(box[2:] - box[:2])
        if share > 0:
            moved.append(inside)
            whole.append(share > 0.5)
    return np.array(moved, np.float32).reshape(-1, 4), np.array(whole, np.bool_)


def _expose(pixels: Floats, random: np.random.Generator) -> Floats:
    """Another gamma, contrast and brightness; sometimes noise or a blur."""
    pixels = pixels ** np.exp(random.uniform(-0.35, 0.35))
    pixels = pixels * random.uniform(0.8, 1.2) + random.uniform(-0.05, 0.05) * (pixels > 0)
    if random.random() < 0.3:
        pixels = pixels + random.normal(0, random.uniform(0, 0.04), pixels.shape)
    if random.random() < 0.15:
        pixels = ndimage.gaussian_filter(pixels, random.uniform(0.3, 1.2))
    return np.clip(pixels, 0, 1).astype(np.float32)
