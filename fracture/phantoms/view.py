"""A view, sampled at random: the pose of the arm, the framing and collimation of the image, the exposure."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fracture.phantoms.anatomy.body import Pose
from fracture.phantoms.anatomy.geometry import Array, Grid
from fracture.phantoms.anatomy.humerus import Fragment
from fracture.phantoms.anatomy.person import FRAMINGS, Finding, Person, spread
from fracture.phantoms.physics import Exposure

SIZE = 512
"""Height and width of every image, in px."""

PHANTOM_VIEWS = {"AP": 0.0, "lateral": 90.0, "oblique": 45.0}
"""Degrees that the arm is turned about its axis."""


class Opening(NamedTuple):
    """The collimator's opening: a rectangle in the image plane, in mm and radians; infinite where it is not seen."""

    middle: tuple[float, float]
    half: tuple[float, float]
    turn: float

    def share(self, grid: Grid) -> Array:
        """The share of each pixel that is open, (H, W)."""
        if not np.isfinite(self.half[0]):
            return np.ones(grid.shape)
        u, v = grid.mesh
        du = u - self.middle[0]
        dv = v - self.middle[1]
        cos = np.cos(self.turn)
        sin = np.sin(self.turn)
        inside_across = self.half[0] - np.abs(du * cos + dv * sin)
        inside_down = self.half[1] - np.abs(dv * cos - du * sin)
        # The edge is 1.5 mm wide: the focal spot is no point.
        share: Array = np.clip(inside_across / 1.5, 0, 1) * np.clip(inside_down / 1.5, 0, 1)
        return share


@dataclass(frozen=True)
class PhantomView:
    """How one image is taken."""

    name: str
    """A key of :data:`PHANTOM_VIEWS`."""
    pose: Pose
    grid: Grid
    exposure: Exposure
    targets: tuple[float, float]
    """Gray levels, 0 to 1, at which soft tissue and dense bone of the arm are shown."""
    opening: Opening
    shutter: bool
    """The image is black outside of the opening."""
    marked: bool
    """The letter of the side, in lead, is in the image."""


def sample_views(rng: np.random.Generator, person: Person, finding: Finding, hardness: float) -> list[PhantomView]:
    """Two views, or in three studies of five three of them: AP, lateral and oblique."""
    second = "lateral" if rng.random() < 0.7 else "oblique"
    names = ["AP", second]
    if rng.random() < 0.6:
        names = ["AP", "lateral", "oblique"]
    return [_sample_view(rng, name, person, finding, hardness) for name in names]


def _sample_view(rng: np.random.Generator, name: str, person: Person, finding: Finding, hardness: float) -> PhantomView:
    varied = spread(hardness)
    pose = _sample_pose(rng, name, person, finding, hardness)
    # The harder, the less bone stands out from the flesh.
    soft = np.clip(rng.normal(0.29, 0.07 * varied), 0.18, 0.45)
    bone = np.clip(soft + rng.normal(0.25, 0.06 * varied) - 0.08 * hardness, soft + 0.12, 0.8)
    grid, reach = _framed(rng, pose, person, finding, varied)
    # The finding stays open: what the truth names must be seen.
    half = np.maximum(np.ptp(grid.u) / 2 * rng.uniform(0.72, 0.97, 2), reach)
    if rng.random() > 0.08 + 0.35 * hardness:
        half[:] = np.inf
    middle = (float(grid.u.mean()), float(grid.v.mean()))
    return PhantomView(
        name=name,
        pose=pose,
        grid=grid,
        exposure=_sample_exposure(rng, hardness),
        targets=(float(soft), float(bone)),
        opening=Opening(middle, (float(half[0]), float(half[1])), float(rng.normal(0, 0.05))),
        shutter=bool(rng.random() < 0.88),
        marked=bool(rng.random() < 0.05 + 0.85 * hardness),
    )


def _sample_pose(rng: np.random.Generator, name: str, person: Person, finding: Finding, hardness: float) -> Pose:
    lifted = rng.normal(0.12, 0.08)
    if "overlapping ribs" in person.traps:
        lifted = rng.uniform(-0.2, -0.05)
    elif rng.random() < 0.4 * spread(hardness):
        lifted = rng.uniform(0.3, 1.3)
    turned = np.radians(PHANTOM_VIEWS[name] + rng.normal(0, 5 + 6 * hardness))
    bent = rng.uniform(0.2, 1.5) if name == "lateral" else rng.uniform(0, 0.3)
    lower = finding.fracture.fragments[-1] if finding.fracture else Fragment()
    return Pose(float(lifted), float(turned), float(bent), lower, finding.swelling)


def _sample_exposure(rng: np.random.Generator, hardness: float) -> Exposure:
    varied = spread(hardness)
    clear = rng.random() < 0.3 * varied
    return Exposure(
        beam=float(np.clip(0.2 + 0.5 * hardness + varied * rng.uniform(-0.3, 0.3), 0, 1)),
        scatter=float((0.2 + 0.2 * hardness) * (1 + varied * rng.uniform(-0.6, 0.8))),
        blur=float(0.55 + 0.2 * hardness + varied * rng.uniform(-0.1, 0.2)),
        dose=float(10 ** (4.5 - 0.9 * hardness + 0.5 * varied * rng.uniform(-1, 1))),
        black=0.0 if clear else float(np.clip(rng.normal(0.075, 0.025 * varied), 0, 1)),
        white=float(0.97 + varied * rng.uniform(-0.09, 0.03)),
        edges=float(0.8 + varied * rng.uniform(-0.6, 0.6)),
        inverted=bool(rng.random() < 0.08 * hardness),
    )


def _framed(
    rng: np.random.Generator, pose: Pose, person: Person, finding: Finding, varied: float
) -> tuple[Grid, Array]:
    """The places of the pixels, so that the part of the study and the finding in it are in the image.

    Also how far the finding reaches from the middle, across and down, in mm.
    """
    length = person.bone.length
    top, bottom = [share * length for share in FRAMINGS[finding.part]]
    first, last = [float(np.clip(end, top + 15, bottom - 15)) for end in finding.extent(length)]
    half = (bottom - top) / 2 * rng.uniform(0.98, 1.1)
    middle = np.array(pose.place(0.0, (top + bottom) / 2))
    aside = 0.1 + (0.4 + 0.6 * varied) * rng.uniform(-0.2, 0.2)
    middle[0] += aside * half * np.cos(pose.abduction)
    middle[1] += rng.uniform(-1, 1) * (half - (bottom - top) / 2)
    # Move the frame as little as brings both ends of the finding 15 mm inside its edges.
    ends = np.array([pose.place(0.0, first), pose.place(0.0, last)])
    lowest = ends.max(axis=0) + 15 - half
    highest = ends.min(axis=0) - 15 + half
    middle = np.clip(middle, lowest, highest)
    pixels = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1) * half
    reach = np.abs(ends - middle).max(axis=0) + 15
    return Grid(middle[0] + pixels, middle[1] + pixels), reach
