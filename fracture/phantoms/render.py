"""Render one view: path lengths through the materials, transmission, gray levels, and the ground truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fracture.imaging.annotations import bounding_box
from fracture.phantoms.anatomy.body import skin_fold
from fracture.phantoms.anatomy.geometry import Array, Grid, rods, to_view
from fracture.phantoms.anatomy.humerus import Fragment
from fracture.phantoms.anatomy.person import Finding, Person
from fracture.phantoms.physics import develop, transmission
from fracture.phantoms.truth import Truth
from fracture.phantoms.view import SIZE, PhantomView

PixelMask = NDArray[np.bool_]

_MAX_BREAK_DISTANCE = 1.0
"""mm along the bone: a ray that comes nearer to a break belongs to the mask of the fracture."""

_MASK_MARGIN = 2
"""px by which that mask is dilated: the blur of the image reaches about as far."""

_MIN_METAL = 0.3
"""mm of metal from which on a pixel belongs to the mask of the hardware."""

_COLLIMATOR_LEAK = 0.02
"""Share of the beam that passes the collimator."""

_DENSE_BONE_QUANTILE = 0.85
"""Of the densities of bone, the one that is shown at the view's level for dense bone."""

_SOFT_DENSITY = 1.6
_BONE_DENSITY = 3.0
"""Densities of flesh and bone where none of it is open in the image."""

_STROKES = {  # of the side's letter, on a square of 1, from the upper left
    "L": (((0, 0), (0, 1)), ((0, 1), (0.6, 1))),
    "R": (
        ((0, 0), (0, 1)),
        ((0, 0), (0.45, 0.02)),
        ((0.45, 0.02), (0.6, 0.25)),
        ((0.6, 0.25), (0.45, 0.5)),
        ((0.45, 0.5), (0, 0.52)),
        ((0.3, 0.52), (0.62, 1)),
    ),
}


@dataclass(frozen=True)
class Phantom:
    """One synthetic radiograph."""

    pixels: NDArray[np.uint8]
    """(512, 512)."""
    view: str
    """AP, lateral or oblique."""
    truth: Truth


def render_view(rng: np.random.Generator, person: Person, finding: Finding, view: PhantomView) -> Phantom:
    """Render one image; ``rng`` is that of noise and uneven flesh."""
    bone, broken = _bone(person, finding, view)
    paths = _materials(rng, person, bone, view)
    opening = view.opening.share(view.grid)
    # Before there is metal, which must not change the gray levels around it: they would be a shortcut.
    levels = _window(paths, bone, opening, view)
    masks = []
    if finding.fracture:
        masks.append(ndimage.binary_dilation(broken, iterations=_MASK_MARGIN))
    if finding.hardware:
        metal = _metal(person, finding, view)
        paths[finding.hardware.metal] = metal
        masks.append(metal > _MIN_METAL)
    transmitted = transmission(paths, view.exposure.beam)
    signal = transmitted * (_COLLIMATOR_LEAK + (1 - _COLLIMATOR_LEAK) * opening)
    shown = develop(signal, levels, view.exposure, rng)
    if view.shutter:
        shown *= opening
    # The arm is modeled as a left one; that of the right side is its mirror image.
    columns = slice(None, None, -1 if person.side == "R" else 1)
    pixels = np.ascontiguousarray(np.rint(shown[:, columns]).astype(np.uint8))
    visible = [(mask & (opening > 0.5))[:, columns] for mask in masks]
    return Phantom(pixels, view.name, _truth(person, finding, visible))


def _bone(person: Person, finding: Finding, view: PhantomView) -> tuple[Array, PixelMask]:
    """The humerus in mm on each ray, and where its rays come near a break, (H, W)."""
    bone = person.bone
    pose = view.pose
    t, s = pose.along(*view.grid.mesh)
    total = np.zeros_like(t)
    near = np.full_like(t, np.inf)
    fragments = finding.fracture.fragments if finding.fracture else (Fragment(),)
    for fragment in fragments:
        # Most rays pass far from the bone: only those near it are traced, and nearer along the shaft than at its ends.
        own_t, own_s, _ = fragment.own(t, s, pose.phi)
        level = own_s / bone.scale
        in_shaft = (level > 50) & (level < 225)
        reach = np.where(in_shaft, 23 * bone.scale + 7, 46 * bone.scale)
        there = (np.abs(own_t) < reach) & (level > -32) & (own_s < bone.length + 12)
        length, distance = bone.bone(t[there], s[there], pose.phi, fragment)
        total[there] += length
        near[there] = np.minimum(near[there], distance)
    return total, near < _MAX_BREAK_DISTANCE


def _materials(rng: np.random.Generator, person: Person, bone: Array, view: PhantomView) -> dict[str, Array]:
    """Path lengths in mm by material, (H, W), with the person's traps; a nutrient canal is subtracted from ``bone``."""
    paths = person.body.tissue(view.grid, view.pose, rng.standard_normal((40, 40)))
    others = person.body.bones(view.grid, view.pose)
    own = np.random.default_rng(person.seed)  # the same places in every view
    if "nutrient canal" in person.traps:
        bone -= np.minimum(_canal(own, person, view), bone)
    if "calcification" in person.traps:
        others += _calcifications(own, person, view)
    if "skin fold" in person.traps:
        paths["soft"] += 3 * _fold(rng, person, view)
    # Bone takes the place of flesh; after the traps, which change how much there is.
    paths["soft"] = np.maximum(paths["soft"] - bone - others, 0.0)
    paths["bone"] += bone + others
    paths["lead"] = _lead(rng, person, view)
    return paths


def _metal(person: Person, finding: Finding, view: PhantomView) -> Array:
    """The hardware in mm on each ray, (H, W)."""
    t, s = view.pose.along(*view.grid.mesh)
    metal = np.zeros_like(t)
    hardware = finding.hardware
    if hardware:
        # Most rays pass far from it, and need not be traced.
        first, last = hardware.ends
        there = (np.abs(t) < 40) & (s > first - 6) & (s < last + 6)
        metal[there] = hardware.path(t[there], s[there], view.pose.phi, person.bone)
    return metal


def _canal(own: np.random.Generator, person: Person, view: PhantomView) -> Array:
    """The channel of the nutrient artery, which runs slanting through one wall of the shaft: mm of missing bone."""
    bone = person.bone
    pose = view.pose
    level = own.uniform(0.4, 0.6) * bone.length
    around = own.uniform(0, 2 * np.pi)
    radius = bone.half_width(level)
    outer = radius + 0.5
    inner = radius - 5.2 * bone.shell * bone.scale
    ends = [(outer, level), (inner, level + 19 * bone.scale)]
    line = [pose.place(depth * np.cos(around - pose.phi), along) for depth, along in ends]
    return rods(view.grid, line, (0.95, 0.8), insets=(0,))[0]


def _calcifications(own: np.random.Generator, person: Person, view: PhantomView) -> Array:
    """Calcifications in tendons and muscles: mm of bone."""
    total = np.zeros(view.grid.shape)
    scale = person.body.scale
    pose = view.pose
    for _ in range(int(own.integers(1, 4))):
        # Half of them in the tendons at the shoulder, the others in the muscles along the arm.
        level = own.uniform(-24, 12) if own.random() < 0.5 else own.uniform(60, 250)
        t, _ = to_view(own.uniform(14, 34), own.uniform(-20, 20), pose.phi)
        tip = (t + own.normal(0, 4), level + own.normal(0, 5))
        line = [pose.place(t * scale, level * scale), pose.place(tip[0] * scale, tip[1] * scale)]
        radii = own.uniform(1, 3.2, 2).tolist()
        total += 0.45 * rods(view.grid, line, radii, insets=(0,))[0]
    return total


def _fold(rng: np.random.Generator, person: Person, view: PhantomView) -> Array:
    """A fold of the skin across the arm: mm."""
    place = view.pose.place
    scale = person.body.scale
    start = place(rng.uniform(-42, -20) * scale, rng.uniform(20, 90) * scale)
    end = place(rng.uniform(0, 40) * scale, rng.uniform(40, 170) * scale)
    middle_u = (start[0] + end[0]) / 2 + rng.normal(0, 6)
    middle_v = (start[1] + end[1]) / 2 + rng.normal(0, 6)
    between = (middle_u, middle_v)
    return skin_fold(view.grid, [start, between, end], float(rng.uniform(1.2, 2.6)))


def _lead(rng: np.random.Generator, person: Person, view: PhantomView) -> Array:
    """The letter of the side in lead, near an edge; mirrored where the image will be mirrored."""
    if not view.marked:
        return np.zeros(view.grid.shape)
    half = np.ptp(view.grid.u) / 2
    across = rng.uniform(0.55, 0.86) * rng.choice((-1, 1)) * half
    down = rng.uniform(-0.9, 0.8) * half
    place = (across, down)
    around = Grid(view.grid.u - view.grid.u.mean(), view.grid.v - view.grid.v.mean())
    lead = _letter(around, person.side, place, height=rng.uniform(10, 17), thickness=0.6)
    return lead[:, ::-1] if person.side == "R" else lead


def _letter(grid: Grid, letter: str, corner: tuple[float, float], height: float, thickness: float) -> Array:
    """Path lengths in mm through the letter; its upper left corner and its height are in mm of the image plane."""
    reach = height * 0.075
    total = np.zeros(grid.shape)
    for stroke in _STROKES[letter]:
        points = [(corner[0] + x * height, corner[1] + y * height) for x, y in stroke]
        rod = rods(grid, points, [reach, reach], insets=(0,))[0]
        np.maximum(total, rod, out=total)
    # A sheet, not a rod: the same thickness everywhere but at its edges.
    return np.minimum(total / (2 * reach), 0.5) * 2 * thickness


def _window(paths: dict[str, Array], bone: Array, opening: Array, view: PhantomView) -> tuple[float, float]:
    """The densities shown as air and as white, so that the arm's flesh and bone come out at the view's gray levels."""
    every_4th = (slice(None, None, 4), slice(None, None, 4))
    without_lead = {name: path[every_4th] for name, path in paths.items() if name != "lead"}
    transmitted = transmission(without_lead, view.exposure.beam)
    density = -np.log(np.maximum(transmitted * (1 + view.exposure.scatter), 1e-4))
    t, s = view.pose.along(view.grid.u[None, ::4], view.grid.v[::4, None])
    is_bone = bone[every_4th] > 4
    is_open = opening[every_4th] > 0.9
    in_arm = (np.abs(t) < 42) & (s > 60)
    is_air = density <= 0.4
    flesh = is_open & ~is_bone & in_arm & ~is_air
    bony = is_open & is_bone
    soft = _SOFT_DENSITY
    hard = _BONE_DENSITY
    if flesh.any():
        soft = min(float(np.median(density[flesh])), 2.4)
    if bony.any():
        hard = float(np.quantile(density[bony], _DENSE_BONE_QUANTILE))
    hard = float(np.clip(hard, soft + 0.7, soft + 2.2))
    # develop() lays the densities on the levels above the film's base, ``black``: the line through both targets.
    black = view.exposure.black
    at_soft, at_bone = [(level - black) / (1 - black) for level in view.targets]
    span = (hard - soft) / (at_bone - at_soft)
    low = max(soft - at_soft * span, -0.1)
    return low, low + span


def _truth(person: Person, finding: Finding, masks: list[PixelMask]) -> Truth:
    fracture = finding.fracture
    hardware = finding.hardware
    empty = np.zeros((SIZE, SIZE), dtype=bool)
    boxes = [bounding_box(mask) for mask in masks]
    return Truth(
        fracture=fracture.kind if fracture else "",
        displacement=fracture.displacement if fracture else 0.0,
        angulation=fracture.angulation if fracture else 0.0,
        hardware=hardware.name if hardware else "",
        traps=person.traps,
        boxes=tuple(box for box in boxes if box is not None),
        mask=np.logical_or.reduce([empty, *masks]),
    )
