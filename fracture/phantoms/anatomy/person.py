"""Whose arm it is, and what is wrong with it: drawn at random, the more varied and misleading the harder.

``hardness`` is 0 to 1 throughout.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from fracture.phantoms.anatomy.body import Body
from fracture.phantoms.anatomy.fractures import Fracture, draw_fracture, draw_growth_plates
from fracture.phantoms.anatomy.geometry import Array
from fracture.phantoms.anatomy.humerus import TEXTURE, Humerus, Lucency
from fracture.phantoms.anatomy.implants import Hardware, draw_hardware

PARTS = {"whole": (-0.14, 1.08), "upper": (-0.12, 0.49), "lower": (0.44, 1.06)}
"""From where to where along the bone the pictures of a study reach, as shares of its length. Which part is shown is
chosen before what is to be found in it: the framing must not give that away."""

TRAPS = {"nutrient canal": 0.2, "calcification": 0.08, "overlapping ribs": 0.06, "skin fold": 0.1}
"""What is normal and can mislead, and its chance at hardness 0.2, which grows with hardness; children's growth plates
are another."""


@dataclass(frozen=True)
class Person:
    """Whose arm it is."""

    body: Body
    bone: Humerus
    side: str
    """L or R."""
    traps: tuple[str, ...]
    seed: int
    """Where the places of this person's own traps come from."""


@dataclass(frozen=True)
class Finding:
    """The part of the bone that a study is about, and what is wrong there; nothing by default."""

    part: str
    """A key of :data:`PARTS`."""
    fracture: Fracture | None = None
    hardware: Hardware | None = None

    def extent(self, length: float) -> tuple[float, float]:
        """From where to where along a bone of this length it reaches, in mm; its middle where there is nothing."""
        ends = [length / 2]
        if self.fracture:
            surfaces = [each for fragment in self.fracture.fragments for each in fragment.surfaces]
            ends = [each.level + side * each.reach for each in surfaces for side in (-1, 1)]
        if self.hardware:
            ends += self.hardware.ends
        return min(ends), max(ends)

    @property
    def swelling(self) -> tuple[float, float]:
        """Where along the arm the flesh is swollen, in mm, and by what share: a fresh fracture bleeds."""
        if self.fracture is None or self.hardware:
            return 0.0, 0.0
        return self.fracture.level, min(0.04 + self.fracture.displacement / 70, 0.35)


def spread(hardness: float) -> float:
    """How much persons and exposures differ from each other, as a share of what they do at hardness 1."""
    return 0.1 + 0.9 * hardness


def draw_person(rng: np.random.Generator, hardness: float) -> Person:
    """A person at random; the harder, the stouter."""
    child = bool(rng.random() < 0.28 * hardness)
    varied = spread(hardness)
    scale = rng.uniform(0.62, 0.85) if child else np.clip(rng.normal(1.0, 0.07 * varied), 0.86, 1.14)
    side = "L" if rng.random() < 0.5 else "R"
    body = _draw_body(rng, hardness, float(scale), child, side)
    bone = _draw_bone(rng, varied, float(scale), child)
    found = [name for name, chance in TRAPS.items() if rng.random() < chance * (0.5 + 2.5 * hardness)]
    traps = tuple(["growth plates", *found] if child else found)
    return Person(body, bone, side, traps, int(rng.integers(2**32)))


def _draw_body(rng: np.random.Generator, hardness: float, scale: float, child: bool, side: str) -> Body:
    varied, slight = spread(hardness), 0.9 if child else 1.0
    fat = 6 + varied * (rng.gamma(4, 1.6) - 6) + 3 * hardness
    return Body(
        scale=scale,
        girth=float(np.clip(rng.normal(0.92 + 0.2 * hardness, 0.12 * varied) * slight, 0.7, 1.45)),
        fat=float(np.clip(fat, 2, 17)) * (0.7 if child else 1),
        air=float(0.65 + varied * rng.uniform(-0.1, 0.1)),
        ribs=float(0.62 + varied * rng.uniform(-0.18, 0.18)),
        shape=np.clip(rng.standard_normal(16) * varied, -2, 2),
        breast=float(rng.uniform(18, 45)) if not child and rng.random() < 0.4 * varied else 0.0,
        heart=1.0 if side == "L" else -1.0,
    )


def _draw_bone(rng: np.random.Generator, varied: float, scale: float, child: bool) -> Humerus:
    thin = rng.random() < 0.3 * varied
    bone = Humerus(
        scale=scale,
        width=float(np.clip(rng.normal(1.0, 0.07 * varied), 0.85, 1.15)),
        shell=float(rng.uniform(0.55, 0.8) if thin else rng.uniform(0.85, 1.15)),
        marrow=float(rng.uniform(0.5, 0.8) if thin else rng.uniform(0.8, 1.25)),
        bow=float(rng.normal(2, 2)),
        texture=_texture(rng),
    )
    if not child:
        return bone
    plates = draw_growth_plates(rng, bone)
    return replace(bone, lucencies=tuple(Lucency(surface, wide, 0.85, 0.12) for surface, wide in plates))


def _texture(rng: np.random.Generator) -> Array:
    noise = rng.standard_normal(TEXTURE)
    fine = ndimage.gaussian_filter(noise, (1.0, 2.2), mode=("wrap", "nearest"))
    coarse = ndimage.gaussian_filter(noise, (5, 12), mode=("wrap", "nearest"))
    texture: Array = 0.16 * fine / fine.std() + 0.10 * coarse / coarse.std()
    return texture


def draw_finding(rng: np.random.Generator, bone: Humerus, hardness: float, abnormal: bool | None = None) -> Finding:
    """The part that a study shows, and what is wrong there: a fracture, or what surgery left (the harder, the rarer).

    ``abnormal``: whether anything is wrong; None leaves it to chance, 1 in 2.
    """
    part = str(rng.choice(tuple(PARTS), p=(0.06, 0.52, 0.42)))
    chosen = rng.random() < 0.5
    if not (chosen if abnormal is None else abnormal):
        return Finding(part)
    low, high = (float(np.clip(share, 0, 1)) * bone.length for share in PARTS[part])
    margin = 20 * bone.scale  # mm from the picture's edge
    ends = (low + margin, high - margin)
    if rng.random() > 0.9 * (1 - hardness):
        return Finding(part, draw_fracture(rng, bone, ends, hardness))
    hardware = draw_hardware(rng, bone, ends)
    if rng.random() < 0.4:
        return Finding(part, hardware=hardware)
    return Finding(part, draw_fracture(rng, bone, (hardware.held, hardware.held), hardness, reduced=True), hardware)
