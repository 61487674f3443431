"""Metal in and on the bone: a plate with its screws, or a nail in the canal with its bolts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fracture.phantoms.anatomy.geometry import Array, box, elliptic_cylinder
from fracture.phantoms.anatomy.humerus import Humerus

Metal = Literal["titanium", "steel"]

_HOLE = 2.7
"""Radius of a plate's holes, in mm."""

_NAIL_WALL = 2.8
"""Thickness of a nail's wall, in mm."""


@dataclass(frozen=True)
class Screw:
    """A round rod across the bone. Measures in mm."""

    level: float
    """s."""
    direction: float
    """From its tip to its head, as an angle in the cross section, in radians."""
    tip: float
    """From the bone's axis, negative: beyond it."""
    head: float
    radius: float = 2.25
    head_radius: float = 4.2
    sunk: float = 2.5
    """Height of the head."""

    def path(self, t: Array, s: Array, phi: float) -> Array:
        """Path lengths in mm through the metal."""
        total = np.zeros_like(t)
        shaft = (self.tip, self.head - self.sunk)
        head = (self.head - self.sunk, self.head)
        for across, radius in ((shaft, self.radius), (head, self.head_radius)):
            half = np.sqrt(np.maximum(radius**2 - (s - self.level) ** 2, 0.0))
            span = box(t, phi, self.direction, across, half)
            total = np.maximum(total, span.length)
        return total


@dataclass(frozen=True)
class Plate:
    """A plate on the shaft, held by screws."""

    metal: Metal
    direction: float
    """The side of the bone that it lies on, as an angle in the cross section, in radians."""
    ends: tuple[float, float]
    """s of its ends, in mm."""
    width: float
    thickness: float
    screws: tuple[Screw, ...]
    holes: tuple[float, ...]
    """s of the screw holes, filled or not."""
    held: float
    """s of the fracture that it was put on for."""
    name: str = "plate"

    def path(self, t: Array, s: Array, phi: float, bone: Humerus) -> Array:
        """Path lengths in mm through the metal."""
        half = self._half_width(s)
        levels = np.linspace(*self.ends, 16)
        surface = np.interp(s, levels, [bone.surface(level, self.direction) for level in levels])
        across = (surface + 0.2, surface + 0.2 + self.thickness)
        span = box(t, phi, self.direction, across, half)
        metal = span.length
        for hole in self.holes:
            missing = np.sqrt(np.maximum(_HOLE**2 - (s - hole) ** 2, 0.0))
            drilled = box(t, phi, self.direction, across, missing)
            metal -= drilled.within(span).length
        return _with_screws(metal, self.screws, t, s, phi)

    def _half_width(self, s: Array) -> Array:
        """Rounded at the ends, and scalloped between the holes."""
        inside = np.minimum(s - self.ends[0], self.ends[1] - s)
        from_end = np.clip(inside / (self.width / 2), 0, 1)
        rounded = np.sqrt(1 - (1 - from_end) ** 2)  # a quarter of a circle
        spacing = self.holes[1] - self.holes[0]
        waist = 0.08 * (1 - np.cos(2 * np.pi * (s - self.holes[0]) / spacing))
        half: Array = self.width / 2 * rounded * (1 - waist)
        return half


@dataclass(frozen=True)
class Nail:
    """A hollow nail in the canal, locked by bolts."""

    metal: Metal
    ends: tuple[float, float]
    """s of its ends, in mm."""
    radius: float
    screws: tuple[Screw, ...]
    held: float
    """s of the fracture that it was put in for."""
    name: str = "nail"

    def path(self, t: Array, s: Array, phi: float, bone: Humerus) -> Array:
        """Path lengths in mm through the metal."""
        inside = np.minimum(s - self.ends[0], self.ends[1] - s)
        taper = np.clip(inside / 6, 0, 1) ** 0.5
        bend = bone.bow * np.sin(np.pi * np.clip(s / bone.length, 0, 1))
        center = (bone.scale * 0.2, bend + 0.5)
        outer = self.radius * taper
        inner = outer - _NAIL_WALL
        solid = elliptic_cylinder(t, phi, center, outer, outer)
        hollow = elliptic_cylinder(t, phi, center, inner, inner)
        return _with_screws(solid.length - hollow.length, self.screws, t, s, phi)


def _with_screws(metal: Array, screws: tuple[Screw, ...], t: Array, s: Array, phi: float) -> Array:
    for screw in screws:
        metal = np.maximum(metal, screw.path(t, s, phi))
    return metal


Hardware = Plate | Nail


def sample_hardware(rng: np.random.Generator, bone: Humerus, ends: tuple[float, float]) -> Hardware:
    """A plate between two places along the bone (mm), or a nail, which is longer."""
    metal: Metal = "titanium" if rng.random() < 0.6 else "steel"
    if rng.random() < 0.72:
        return _sample_plate(rng, bone, ends, metal)
    return _sample_nail(rng, bone, ends, metal)


def _sample_plate(rng: np.random.Generator, bone: Humerus, ends: tuple[float, float], metal: Metal) -> Plate:
    first = max(ends[0], 0.16 * bone.length)
    last = min(ends[1], 0.92 * bone.length)
    spacing = bone.scale * rng.uniform(12.5, 15)
    count = int(np.clip((last - first) // spacing, 4, rng.integers(6, 11)))
    length = count * spacing
    start = float(rng.uniform(first, max(last - length, first)))
    holes = tuple(start + (index + 0.5) * spacing for index in range(count))
    direction = float(rng.uniform(0, 2 * np.pi))
    thickness = float(rng.uniform(4.0, 5.2))
    free = int(rng.integers(1, count - 1))  # no screw goes through the fracture itself
    screws = []
    for index, hole in enumerate(holes):
        is_filled = index != free and (index in (0, count - 1) or rng.random() < 0.9)
        if is_filled:
            # The head lies on the plate; the tip just passes the far cortex.
            tip = -bone.surface(hole, direction + np.pi) - rng.uniform(0, 3)
            head = bone.surface(hole, direction) + thickness + 0.5
            screws.append(Screw(hole, direction, tip, head))
    width = float(bone.scale * rng.uniform(13, 16.5))
    return Plate(metal, direction, (start, start + length), width, thickness, tuple(screws), holes, holes[free])


def _sample_nail(rng: np.random.Generator, bone: Humerus, ends: tuple[float, float], metal: Metal) -> Nail:
    start = -17.0 * bone.scale
    end = rng.uniform(0.74, 0.86) * bone.length
    upper_count = int(rng.integers(1, 4))
    upper = [start + rng.uniform(18, 24) * bone.scale + 11 * index for index in range(upper_count)]
    lower_count = int(rng.integers(1, 3))
    lower = [end - 8 - 12 * index for index in range(lower_count)]
    screws = []
    for level in (*upper, *lower):
        # Bolts at the head go in from the outer side of the arm, which is x.
        sector = (-0.5, 0.5) if level in upper else (0, 2 * np.pi)
        direction = float(rng.uniform(*sector))
        tip = -bone.surface(level, direction + np.pi) - rng.uniform(-3, 3)
        head = bone.surface(level, direction) + rng.uniform(1, 5)
        screws.append(Screw(level, direction, tip, head, 2.4, 3.8))
    thickest = 0.75 * bone.half_width(bone.length / 2) - 1  # that fits into the canal
    radius = float(min(rng.uniform(3.8, 4.8), thickest))
    held = rng.uniform(*np.clip(ends, 0.25 * bone.length, 0.65 * bone.length))
    return Nail(metal, (start, float(end)), radius, tuple(screws), float(held))
