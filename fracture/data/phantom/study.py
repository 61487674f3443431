"""One study drawn from one seed: a person, what is wrong with the bone, and two or three views of it. Read this first.

>>> from fracture.data.phantom.study import draw_study
>>> views = draw_study(seed=1, patient=7)
>>> views[0].view, views[0].truth.words  # doctest: +SKIP
('AP', 'spiral fracture, 4.2 mm displaced, 9° angulated')

Everything follows from ``seed``, ``patient`` and ``study``: chance has a stream of its own for the person, for the
finding and for each view, so that the same bone can also be drawn whole, or from another angle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fracture.data.phantom.body import Body, Pose, marker, skin_fold
from fracture.data.phantom.fractures import Fracture, draw_fracture, draw_growth_plates
from fracture.data.phantom.hardware import Hardware, draw_hardware
from fracture.data.phantom.humerus import Fragment, Humerus, Lucency
from fracture.data.phantom.imaging import Exposure, develop, stretch, transmission
from fracture.data.phantom.shapes import Array, Grid, rods
from fracture.data.phantom.truth import Truth

SIZE = 512
"""Height and width of every image, in px."""

DIFFICULTY = 0.3
"""Between what everyone sees (0) and what a specialist would argue about (1)."""

VIEWS = {"AP": 0.0, "lateral": 90.0, "oblique": 45.0}
"""Degrees that the arm is turned about its axis."""

PARTS = {"whole": (-0.14, 1.08), "upper": (-0.12, 0.49), "lower": (0.44, 1.06)}
"""From where to where along the bone the pictures of a study reach, as shares of its length. What is shown is chosen
before what is to be found: the framing must not give it away."""


@dataclass(frozen=True)
class Phantom:
    """One synthetic radiograph."""

    pixels: NDArray[np.uint8]
    """(512, 512)."""
    view: str
    """AP, lateral or oblique."""
    truth: Truth


@dataclass(frozen=True)
class Person:
    """Whose arm it is."""

    body: Body
    bone: Humerus
    side: str
    """L or R."""
    traps: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What is wrong with the bone; nothing by default."""

    fracture: Fracture | None = None
    hardware: Hardware | None = None

    def flesh(self) -> dict[str, Any]:
        """What the rest of the arm does about it: fields of :class:`Pose`."""
        if self.fracture is None:
            return {}
        swelling = 0.0 if self.hardware else min(0.04 + self.fracture.displacement / 70, 0.35)
        return {"lower": self.fracture.fragments[-1], "swelling": (self.fracture.level, swelling)}

    def extent(self, length: float) -> tuple[float, float]:
        """From where to where along a bone of this length it reaches, in mm; the bone's middle where there is nothing."""
        ends = [length / 2]
        if self.fracture:
            surfaces = [each for fragment in self.fracture.fragments for each in fragment.surfaces]
            ends = [each.level + side * each.reach for each in surfaces for side in (-1, 1)]
        if self.hardware:
            ends += self.hardware.ends
        return min(ends), max(ends)


@dataclass(frozen=True)
class View:
    """How one image is taken."""

    name: str
    pose: Pose
    grid: Grid
    exposure: Exposure
    targets: tuple[float, float]
    """Gray levels, 0 to 1, at which soft tissue and dense bone of the arm are shown."""
    frame: tuple[float, float, float, float, float]
    """The collimator's opening: centre, half sizes and turn, in mm and radians; infinite half sizes: none is seen."""
    shutter: bool
    """What lies outside of the opening is shown black."""
    marked: bool
    """The side's letter, in lead, lies in the picture."""


def draw_study(
    seed: int, patient: int, study: int = 1, difficulty: float = DIFFICULTY, abnormal: bool | None = None
) -> list[Phantom]:
    """All views of one study.

    Args:
        seed: of the whole data set.
        patient: their number.
        study: number of the study of this patient.
        difficulty: 0 to 1.
        abnormal: whether there is something to be found; None leaves it to chance, 1 in 2.
    """
    difficulty = difficulty**2  # so that equal steps look about alike
    person = draw_person(_chance(seed, patient, 0), difficulty)
    rng = _chance(seed, patient, study)
    part = str(rng.choice(tuple(PARTS), p=(0.1, 0.5, 0.4)))
    finding = draw_finding(rng, person, part, difficulty, abnormal)
    views = draw_views(_chance(seed, patient, study, 1), person, finding, part, difficulty)
    return [draw(_chance(seed, patient, study, 2 + index), person, finding, view) for index, view in enumerate(views)]


def _chance(*key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(key[0], spawn_key=key[1:]))


def draw_person(rng: np.random.Generator, difficulty: float) -> Person:
    """A person at random; the harder, the stouter and the more that can mislead."""
    spread = _spread(difficulty)
    child = rng.random() < 0.28 * difficulty
    scale = rng.uniform(0.62, 0.85) if child else float(np.clip(rng.normal(1.0, 0.07 * spread), 0.86, 1.14))
    side = "L" if rng.random() < 0.5 else "R"
    girth = rng.normal(0.92 + 0.2 * difficulty, 0.12 * spread) * (0.9 if child else 1)
    body = Body(
        scale=scale,
        girth=float(np.clip(girth, 0.7, 1.45)),
        fat=float(np.clip(6 + spread * (rng.gamma(4, 1.6) - 6) + 3 * difficulty, 2, 17)) * (0.7 if child else 1),
        air=float(0.65 + spread * rng.uniform(-0.1, 0.1)),
        ribs=float(0.62 + spread * rng.uniform(-0.18, 0.18)),
        shape=np.clip(rng.standard_normal(16) * spread, -2, 2),
        breast=float(rng.uniform(18, 45)) if not child and rng.random() < 0.4 * spread else 0.0,
        heart=1.0 if side == "L" else -1.0,
    )
    thin = rng.random() < 0.3 * spread
    bone = Humerus(
        scale=scale,
        width=float(np.clip(rng.normal(1.0, 0.07 * spread), 0.85, 1.15)),
        shell=float(rng.uniform(0.55, 0.8) if thin else rng.uniform(0.85, 1.15)),
        marrow=float(rng.uniform(0.5, 0.8) if thin else rng.uniform(0.8, 1.25)),
        bow=float(rng.normal(2, 2)),
        texture=_texture(rng),
    )
    if child:
        plates = draw_growth_plates(rng, bone)
        bone = replace(bone, lucencies=tuple(Lucency(surface, wide, 0.85, 0.12) for surface, wide in plates))
    chances = {"nutrient canal": 0.2, "calcification": 0.08, "overlapping ribs": 0.06, "skin fold": 0.1}
    found = [name for name, chance in chances.items() if rng.random() < chance * (0.5 + 2.5 * difficulty)]
    traps = tuple(["growth plates", *found] if child else found)
    return Person(body, bone, side, traps)


def _spread(difficulty: float) -> float:
    """How much persons and exposures differ from each other, as a share of what they do at difficulty 1."""
    return 0.1 + 0.9 * difficulty


def _texture(rng: np.random.Generator) -> Array:
    """(128, 420): unevenness of the inside of the cortex around (128 places) and along the bone (1 mm each)."""
    noise = rng.standard_normal((128, 420))
    fine = ndimage.gaussian_filter(noise, (1.0, 2.2), mode=("wrap", "nearest"))
    coarse = ndimage.gaussian_filter(noise, (5, 12), mode=("wrap", "nearest"))
    return 0.16 * fine / fine.std() + 0.10 * coarse / coarse.std()


def draw_finding(
    rng: np.random.Generator, person: Person, part: str, difficulty: float, abnormal: bool | None = None
) -> Finding:
    """What is wrong with a part of the bone, if anything: fractures, and what surgery left; the harder, the less metal."""
    chosen = rng.random() < 0.5
    if not (chosen if abnormal is None else abnormal):
        return Finding()
    bone = person.bone
    low, high = (float(np.clip(share, 0, 1)) * bone.length for share in PARTS[part])
    margin = 20 * bone.scale  # mm from the picture's edge
    ends = (low + margin, high - margin)
    if rng.random() > 0.9 * (1 - difficulty):
        return Finding(draw_fracture(rng, bone, ends, difficulty))
    hardware = draw_hardware(rng, bone, ends)
    old = rng.random() < 0.6 and draw_fracture(rng, bone, (hardware.held, hardware.held), difficulty, reduced=True)
    return Finding(old or None, hardware)


def draw_views(
    rng: np.random.Generator, person: Person, finding: Finding, part: str, difficulty: float
) -> list[View]:
    """Two views, or in three studies of five three of them: AP, lateral, and oblique."""
    names = ["AP", "lateral"] if rng.random() < 0.7 else ["AP", "oblique"]
    if rng.random() < 0.6:
        names = ["AP", "lateral", "oblique"]
    dose = float(10 ** (4.5 - 0.9 * difficulty + 0.5 * _spread(difficulty) * rng.uniform(-1, 1)))
    return [_draw_view(rng, name, part, dose, person, finding, difficulty) for name in names]


def _draw_view(
    rng: np.random.Generator, name: str, part: str, dose: float, person: Person, finding: Finding, difficulty: float
) -> View:
    crossed = "overlapping ribs" in person.traps
    lifted = -rng.uniform(0.05, 0.2) if crossed else float(rng.normal(0.12, 0.08))
    if not crossed and rng.random() < 0.4 * _spread(difficulty):
        lifted = rng.uniform(0.3, 1.3)
    phi = np.radians(VIEWS[name] + rng.normal(0, 5 + 6 * difficulty))
    bent = rng.uniform(0.2, 1.5) if name == "lateral" else rng.uniform(0, 0.3)
    pose = Pose(float(lifted), float(phi), float(bent), **finding.flesh())
    spread = _spread(difficulty)
    exposure = Exposure(
        hardness=float(np.clip(0.2 + 0.5 * difficulty + spread * rng.uniform(-0.3, 0.3), 0, 1)),
        scatter=float((0.2 + 0.2 * difficulty) * (1 + spread * rng.uniform(-0.6, 0.8))),
        blur=float(0.55 + 0.2 * difficulty + spread * rng.uniform(-0.1, 0.2)),
        dose=dose,
        level=(0.0, 1.0),
        black=float(np.clip(rng.normal(0.075, 0.025 * spread), 0, 1) if rng.random() > 0.3 * spread else 0.0),
        white=float(0.95 + spread * rng.uniform(-0.09, 0.05)),
        edges=float(0.8 + spread * rng.uniform(-0.6, 0.6)),
        inverted=bool(rng.random() < 0.08 * difficulty),
    )
    soft = float(np.clip(rng.normal(0.29, 0.07 * spread), 0.18, 0.45))
    bone = float(np.clip(soft + rng.normal(0.31, 0.07 * spread) - 0.10 * difficulty, soft + 0.14, 0.8))
    grid, wanted = _framed(rng, part, pose, person, finding, spread)
    half = np.ptp(grid.u) / 2
    opening = np.maximum(half * rng.uniform(0.72, 0.97, 2), wanted)
    if rng.random() > 0.08 + 0.35 * difficulty:
        opening[:] = np.inf
    middle = [float(axis.mean()) for axis in grid]
    frame = (middle[0], middle[1], float(opening[0]), float(opening[1]), float(rng.normal(0, 0.05)))
    return View(name, pose, grid, exposure, (soft, bone), frame, bool(rng.random() < 0.88), bool(rng.random() < 0.1 + 0.8 * difficulty))


def _framed(
    rng: np.random.Generator, part: str, pose: Pose, person: Person, finding: Finding, spread: float
) -> tuple[Grid, Array]:
    """The pixels' places, so that this part of the bone and all that is to be found is in the picture.

    Also how far from its middle that reaches, across and down, in mm.
    """
    length = person.bone.length
    top, bottom = (share * length for share in PARTS[part])
    first, last = (float(np.clip(end, top + 15, bottom - 15)) for end in finding.extent(length))
    half = (bottom - top) / 2 * rng.uniform(0.98, 1.1)
    middle = np.array(pose.place(0.0, (top + bottom) / 2))
    middle[0] += (0.1 + (0.4 + 0.6 * spread) * rng.uniform(-0.2, 0.2)) * half * np.cos(pose.abduction)
    middle[1] += rng.uniform(-1, 1) * (half - (bottom - top) / 2)
    ends = np.array([pose.place(0.0, first), pose.place(0.0, last)])
    middle = np.clip(middle, ends.max(axis=0) + 15 - half, ends.min(axis=0) - 15 + half)
    pixels = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1) * half
    return Grid(middle[0] + pixels, middle[1] + pixels), np.abs(ends - middle).max(axis=0) + 15


def draw(rng: np.random.Generator, person: Person, finding: Finding, view: View) -> Phantom:
    """Take one image: what the rays meet, what passes, and how it is shown."""
    paths, bone, mask, boxes_of = _meet(rng, person, finding, view)
    passed = transmission(paths, view.exposure.hardness)
    opening = _opening(view)
    exposure = replace(view.exposure, level=_window(passed, paths, bone, opening, view))
    shown = develop(passed, 0.02 + 0.98 * opening, exposure, rng)
    if view.shutter:
        shown *= opening
    if person.side == "R":
        shown, mask = shown[:, ::-1], mask[:, ::-1]
        boxes_of = [each[:, ::-1] for each in boxes_of]
    boxes = tuple(box for each in boxes_of if (box := _box(each)) is not None)
    fracture, hardware = finding.fracture, finding.hardware
    truth = Truth(
        fracture.kind if fracture else "",
        fracture.displacement if fracture else 0.0,
        fracture.angulation if fracture else 0.0,
        hardware.name if hardware else "",
        person.traps,
        boxes,
        np.ascontiguousarray(mask),
    )
    return Phantom(np.rint(shown).astype(np.uint8), view.name, truth)


def _meet(
    rng: np.random.Generator, person: Person, finding: Finding, view: View
) -> tuple[dict[str, Array], Array, NDArray[np.bool_], list[NDArray[np.bool_]]]:
    """mm of each material on each ray; the humerus alone; and the pixels of what is to be found, together and apart."""
    body, bone, grid, pose = person.body, person.bone, view.grid, view.pose
    t, s = pose.along(grid.u[None, :], grid.v[:, None])
    fragments = finding.fracture.fragments if finding.fracture else (Fragment(),)
    humerus, near = np.zeros_like(t), np.full_like(t, np.inf)
    for fragment in fragments:
        own_t, own_s, _ = fragment.own(t, s, pose.phi)
        there = (np.abs(own_t) < 46 * bone.scale) & (own_s > -32 * bone.scale) & (own_s < bone.length + 12)
        lain, distance = bone.bone(t[there], s[there], pose.phi, fragment)
        humerus[there] += lain
        near[there] = np.minimum(near[there], distance)
    paths = body.tissue(grid, pose, rng.standard_normal((40, 40)))
    others = body.bones(grid, pose)
    _trap(rng, person, view, humerus, paths)
    paths["soft"] = np.maximum(paths["soft"] - humerus - others, 0.0)
    paths["bone"] = paths["bone"] + humerus + others
    pieces = []
    if finding.fracture:
        pieces.append(ndimage.binary_dilation(near < 1.0, iterations=2))
    if finding.hardware:
        metal = np.zeros_like(t)
        there = (np.abs(t) < 40) & (s > finding.hardware.ends[0] - 6) & (s < finding.hardware.ends[1] + 6)
        metal[there] = finding.hardware.path(t[there], s[there], pose.phi, bone)
        paths[finding.hardware.metal] = metal
        pieces.append(metal > 0.3)
    paths["lead"] = _lead(rng, person, view)
    inside = _opening(view) > 0.5
    pieces = [piece & inside for piece in pieces]
    mask = np.logical_or.reduce(pieces) if pieces else np.zeros(t.shape, dtype=bool)
    return paths, humerus, mask, pieces


def _trap(rng: np.random.Generator, person: Person, view: View, humerus: Array, paths: dict[str, Array]) -> None:
    """Lay the normal things that mislead into the picture. The person's own follow from the person."""
    own = np.random.default_rng(abs(hash_of(person.body.shape)))
    scale, bone, grid, pose = person.body.scale, person.bone, view.grid, view.pose
    level, around = own.uniform(0.4, 0.6) * bone.length, own.uniform(0, 2 * np.pi)
    if "nutrient canal" in person.traps:
        radius = bone.half_width(level)
        depths = (radius + 0.5, radius - 5.2 * bone.shell * scale)
        ends = [pose.place(depth * np.cos(around - pose.phi), level + along) for depth, along in zip(depths, (0, 19 * scale), strict=True)]
        canal = rods(grid, ends, (0.95, 0.8), insets=(0,))[0]
        humerus -= np.minimum(canal, humerus)
    if "calcification" in person.traps:
        for _ in range(int(own.integers(1, 4))):
            x, y, s = own.uniform(14, 34), own.uniform(-20, 20), own.choice((own.uniform(-24, 12), own.uniform(60, 250)))
            t = x * np.cos(pose.phi) + y * np.sin(pose.phi)
            tip = (t + own.normal(0, 4), s + own.normal(0, 5))
            line = [pose.place(t * scale, s * scale), pose.place(tip[0] * scale, tip[1] * scale)]
            paths["bone"] += 0.45 * rods(grid, line, own.uniform(1, 3.2, 2).tolist(), insets=(0,))[0]
    if "skin fold" in person.traps:
        start = pose.place(rng.uniform(-42, -20) * scale, rng.uniform(20, 90) * scale)
        end = pose.place(rng.uniform(0, 40) * scale, rng.uniform(40, 170) * scale)
        between = ((start[0] + end[0]) / 2 + rng.normal(0, 6), (start[1] + end[1]) / 2 + rng.normal(0, 6))
        paths["soft"] += 3 * skin_fold(grid, [start, between, end], float(rng.uniform(1.2, 2.6)))


def hash_of(values: Array) -> int:
    """A whole number that follows from an array's values."""
    return int.from_bytes(values.tobytes()[:7], "little")


def _lead(rng: np.random.Generator, person: Person, view: View) -> Array:
    """The side's letter in lead, in a corner; it can be read as the picture is shown."""
    if not view.marked:
        return np.zeros((SIZE, SIZE))
    half = np.ptp(view.grid.u) / 2
    place = (rng.uniform(0.55, 0.86) * rng.choice((-1, 1)), rng.uniform(-0.9, 0.8))
    height = rng.uniform(10, 17)
    around = Grid(view.grid.u - view.grid.u.mean(), view.grid.v - view.grid.v.mean())
    lead = marker(around, person.side, (place[0] * half, place[1] * half), height, 0.6)
    return lead[:, ::-1] if person.side == "R" else lead


def _opening(view: View) -> Array:
    """The share of each pixel that the collimator leaves open, (H, W)."""
    u, v, wide, high, turn = view.frame
    if not np.isfinite(wide):
        return np.ones((SIZE, SIZE))
    du, dv = view.grid.u[None, :] - u, view.grid.v[:, None] - v
    across, along = np.abs(du * np.cos(turn) + dv * np.sin(turn)), np.abs(dv * np.cos(turn) - du * np.sin(turn))
    return np.clip((wide - across) / 1.5, 0, 1) * np.clip((high - along) / 1.5, 0, 1)


def _window(passed: Array, paths: dict[str, Array], humerus: Array, opening: Array, view: View) -> tuple[float, float]:
    """The densities shown black and white, so that the arm's flesh and bone come out at the view's gray levels."""
    steps = slice(None, None, 4)
    density = -np.log(np.maximum(passed[steps, steps] * (1 + view.exposure.scatter), 1e-4))
    bony, open_ = humerus[steps, steps] > 4, opening[steps, steps] > 0.9
    _, s = view.pose.along(view.grid.u[None, steps], view.grid.v[steps, None])
    t, _ = view.pose.along(view.grid.u[None, steps], view.grid.v[steps, None])
    flesh = (np.abs(t) < 42) & (s > 60) & ~bony & (paths["soft"][steps, steps] > 20)
    soft = min(np.median(density[flesh & open_]), 2.4) if (flesh & open_).any() else 1.6
    hard = np.quantile(density[bony & open_], 0.85) if (bony & open_).any() else 3.0
    hard = np.clip(hard, soft + 0.7, soft + 2.2)
    at_soft, at_bone = view.targets
    black = view.exposure.black
    at_soft, at_bone = ((level - black) / (1 - black) for level in view.targets)
    span = (hard - soft) / (at_bone - at_soft)
    low = max(soft - at_soft * span, -0.1)
    return float(low), float(low + span)


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


__all__: Sequence[str] = ("Finding", "Person", "Phantom", "View", "draw", "draw_study", "stretch")
