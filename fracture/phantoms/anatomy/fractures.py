"""How a humerus breaks: the surface of the break, the fragments, and how far they have moved."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fracture.phantoms.anatomy.geometry import Array
from fracture.phantoms.anatomy.humerus import Fragment, Humerus

Kind = Literal["transverse", "oblique", "spiral", "comminuted", "surgical neck"]
_KIND_SHARES: dict[Kind, float] = {
    "transverse": 0.22,
    "oblique": 0.24,
    "spiral": 0.22,
    "comminuted": 0.12,
    "surgical neck": 0.20,
}
KINDS = tuple(_KIND_SHARES)

_CELL = 0.6
"""mm between the values of a map of roughness."""


@dataclass(frozen=True)
class Break:
    """A plane or a screw through the bone, roughened."""

    level: float
    """s where it crosses the bone's axis, in mm."""
    slope: float = 0.0
    """mm along the bone for each mm across it, in the direction ``towards``."""
    towards: float = 0.0
    """Direction in the cross section, in radians."""
    pitch: float = 0.0
    """mm along the bone for one turn around it: a spiral, which closes in a step along the bone."""
    roughness: Array | None = None
    """(n, n) heights in mm over the cross section."""
    reach: float = 10.0
    """No part of it is farther than this from its level, in mm."""

    def height(self, x: Array, y: Array, s: Array) -> Array:
        """How far along the axis, in mm, it is from the surface to the point."""
        height: Array = s - self.level - self.slope * (x * np.cos(self.towards) + y * np.sin(self.towards))
        if self.pitch:
            # Turns from ``towards``, between -1/2 and 1/2: opposite to it the screw closes.
            turn = (np.arctan2(y, x) - self.towards) / (2 * np.pi)
            height -= self.pitch * (turn - np.round(turn))
        if self.roughness is not None:
            # Beyond the map its outermost values go on.
            half = self.roughness.shape[0] // 2
            last = 2 * half - 1
            row = np.clip(x / _CELL + half, 0, last).astype(np.intp)
            column = np.clip(y / _CELL + half, 0, last).astype(np.intp)
            height -= self.roughness[row, column]
        return height


@dataclass(frozen=True)
class Fracture:
    """One break of the shaft or of the surgical neck."""

    kind: Kind
    fragments: tuple[Fragment, ...]
    """From the head to the elbow."""

    @property
    def level(self) -> float:
        """Where its middle is: s, in mm."""
        levels: list[float] = []
        for fragment in self.fragments:
            levels += [surface.level for surface in fragment.surfaces]
        return sum(levels) / len(levels)

    @property
    def displacement(self) -> float:
        """How far, in mm, the part at the elbow has moved across and along the bone."""
        return float(np.hypot.reduce(self.fragments[-1].shift))

    @property
    def angulation(self) -> float:
        """Degrees between the axes of the first and the last part."""
        return float(np.degrees(np.hypot(*self.fragments[-1].tilt)))


def sample_fracture(
    rng: np.random.Generator,
    bone: Humerus,
    ends: tuple[float, float],
    hardness: float,
    *,
    reduced: bool = False,
    obvious: bool = False,
) -> Fracture:
    """A fracture at random.

    Args:
        rng: the random generator.
        bone: what breaks.
        ends: from where to where along the bone it may lie, in mm.
        hardness: 0 to 1; from far apart to a crack.
        reduced: it has been put back by surgery, so that little of it is left to see.
        obvious: none is a crack at hardness 0, and none moves or leans so little that it is lost in 150 px.
    """
    kind = KINDS[rng.choice(len(KINDS), p=list(_KIND_SHARES.values()))]
    in_shaft = np.clip(ends, 0.22 * bone.length, 0.8 * bone.length)
    level = rng.uniform(*(ends if reduced else in_shaft))
    if kind == "surgical neck":
        neck = rng.uniform(0.15, 0.19) * bone.length
        if not reduced and ends[0] < neck < ends[1]:
            level = neck
        else:  # the neck is not in the image, or the fracture is where the hardware is
            kind = "transverse"
    # A crack moves nothing; the harder, the more fractures are cracks.
    fewest = 0.0 if obvious else 0.04
    crack = reduced or rng.random() < fewest + 0.8 * hardness**1.5
    severity = 0.0 if crack else (1 - hardness) * rng.uniform(0.6, 1)
    apart = 0.35 + 0.5 * (1 - hardness) * rng.random() + 0.6 * severity
    ease = 1 - hardness if obvious else 0.0
    moved = _moved(rng, kind, severity, ease)
    tilt = np.radians(rng.uniform(8 + 10 * ease, 50)) * severity
    lean = rng.uniform(0, 2 * np.pi)
    leaning = (float(tilt * np.cos(lean)), float(tilt * np.sin(lean)))
    surfaces = _surfaces(rng, kind, float(level), bone)
    turn = float(rng.normal(0, 0.35) * severity)
    last = Fragment(above=surfaces[-1], gap=apart / 2, shift=moved, tilt=leaning, turn=turn)
    first = Fragment(below=surfaces[0], gap=apart / 2)
    if len(surfaces) == 1:
        return Fracture(kind, (first, last))
    # The wedge between two surfaces goes half as far as the lower part, and is pushed out to its open side.
    push = (1 + 7 * rng.random()) * severity
    out = surfaces[0].towards
    wedge = Fragment(
        above=surfaces[0],
        below=surfaces[1],
        gap=apart / 2,
        shift=(moved[0] / 2 + push * np.cos(out), moved[1] / 2 + push * np.sin(out), moved[2] / 2),
        tilt=(leaning[0] * 0.7, leaning[1] * 0.7),
    )
    return Fracture(kind, (first, wedge, last))


def _moved(rng: np.random.Generator, kind: Kind, severity: float, ease: float) -> tuple[float, float, float]:
    """Along x, y and s, in mm; severe ones override, and the surgical neck is driven together.

    ``ease``, 0 to 1, takes the least displacement from 5 mm to 13 mm, about half of the shaft's width.
    """
    across = severity * rng.uniform(5 + 8 * ease, 26)
    towards = rng.uniform(0, 2 * np.pi)
    most = 14 if across > 10 else 0  # ends that still meet keep the bone's length
    shortening = (0, 6) if kind == "surgical neck" else (-2, most)
    along = -severity * rng.uniform(*shortening)
    return float(across * np.cos(towards)), float(across * np.sin(towards)), float(along)


def _surfaces(rng: np.random.Generator, kind: Kind, level: float, bone: Humerus) -> list[Break]:
    rough = _roughness(rng, 1.6 if kind == "surgical neck" else 1.1)
    towards = rng.uniform(0, 2 * np.pi)
    radius = bone.half_width(level)
    if kind == "spiral":
        pitch = rng.uniform(45, 85) * rng.choice((-1, 1))
        reach = abs(pitch) / 2 + 0.3 * radius + 8
        return [Break(level, 0.3, towards, float(pitch), rough, reach)]
    if kind == "comminuted":
        slope = rng.uniform(0.6, 1.1)
        reach = 2 * slope * radius + 9
        upper = Break(level - slope * radius, -slope, towards, 0.0, rough, reach)
        lower = Break(level + slope * radius, slope, towards, 0.0, _roughness(rng, 1.1), reach)
        return [upper, lower]
    steepest = {"transverse": (0, 0.2), "oblique": (0.7, 1.5), "surgical neck": (0, 0.45)}[kind]
    slope = rng.uniform(*steepest)
    return [Break(level, slope, towards, 0.0, rough, 1.6 * slope * radius + 9)]


def _roughness(rng: np.random.Generator, height: float, cells: int = 96) -> Array:
    """(cells, cells) mm, of standard deviation ``height``: coarse and fine steps as broken bone has them."""
    frequencies = np.fft.fftfreq(cells)
    frequency = np.hypot(*np.meshgrid(frequencies, frequencies, indexing="ij"))
    # Noise whose amplitude falls with the frequency: a fractal surface.
    falling = np.maximum(frequency, 1 / 48) ** 1.7  # even for the longest waves: the mean has a frequency of 0
    spectrum = np.fft.fft2(rng.normal(size=(cells, cells))) / falling
    rough: Array = np.fft.ifft2(spectrum).real
    rough = height * (rough - rough.mean()) / rough.std()
    return rough.clip(-3 * height, 3 * height)


def sample_growth_plates(rng: np.random.Generator, bone: Humerus) -> list[tuple[Break, float]]:
    """The open growth plates of a child at the shoulder and the elbow, with their widths in mm."""
    plates = []
    for share, width in ((0.068, (1.8, 3.0)), (0.955, (1.2, 2.2))):
        rough = _roughness(rng, 0.7)
        slope = rng.uniform(-0.15, 0.35)
        towards = rng.uniform(-0.4, 0.4)
        surface = Break(share * bone.length, slope, towards, 0.0, rough, 15.0)
        plates.append((surface, float(rng.uniform(*width))))
    return plates
