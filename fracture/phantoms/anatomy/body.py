"""The body around the humerus: arm, chest with ribs and lung, shoulder blade, collar bone and forearm.

Places are in mm in the upright body seen from the front: ``u`` away from the body, ``v`` downwards, from the center of
the humeral head. The body keeps still; for the views from the side the arm turns about its own axis, as in practice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from fracture.phantoms.anatomy.geometry import Array, Grid, ellipsoid, elliptic_cylinder, rods
from fracture.phantoms.anatomy.humerus import Fragment
from fracture.phantoms.physics import stretch

_Point = tuple[float, float]
"""A place in mm: (u, v) in the image plane, or (across, along) a bone."""

# Half-widths in mm of an adult's chest and arm, at heights v and at places s along the arm.
_CHEST_V = np.array([-300, -200, -150, -110, -85, -62, -35, 0, 50, 120, 200, 300, 420.0])
_CHEST_WIDE = np.array([70, 72, 60, 52, 56, 84, 118, 132, 136, 134, 128, 132, 138.0])
_CHEST_DEEP = np.array([85, 88, 66, 56, 52, 48, 56, 80, 98, 108, 110, 108, 108.0])
_ARM_S = np.array([-62, -48, -30, 0, 45, 90, 140, 190, 235, 275, 300, 335, 380, 450, 560.0])
_ARM_WIDE = np.array([0, 26, 42, 52, 52, 46, 44, 42, 38, 37, 38, 39, 36, 29, 24.0])
_SPONGY = 0.16
"""Bone inside the cortex, as a share of the cortex's density."""

_SHOULDER = {  # points (x, y), radii at them, shell: mm at scale 1, from the center of the humeral head
    "glenoid": (((-28, -16), (-25, 2), (-29, 20)), (5.5, 6.5, 5.0), 1.4),
    "lateral border": (((-31, 22), (-52, 70), (-88, 128)), (5.0, 3.6, 2.4), 1.3),
    "medial border": (((-88, 128), (-104, 60), (-106, 10), (-92, -28)), (2.4, 1.4, 1.6, 1.8), 1.0),
    "spine": (((-108, 12), (-70, -16), (-34, -34)), (2.5, 4.0, 5.0), 1.2),
    "acromion": (((-34, -34), (-4, -42), (14, -33)), (5.0, 6.5, 5.5), 1.3),
    "coracoid": (((-46, -20), (-36, -27), (-20, -17)), (5.5, 6.0, 4.5), 1.3),
    "upper border": (((-92, -28), (-46, -20)), (1.8, 3.5), 1.2),
    "clavicle": (((-150, -8), (-118, -34), (-70, -46), (-30, -50), (-6, -42)), (8, 5.8, 5.2, 5.6, 6.5), 1.9),
}
_BLADE = ((-31, 22), (-88, 128), (-106, 10), (-92, -28), (-46, -20))
"""Corners of the sheet between the borders of the shoulder blade."""

_FOREARM = {  # points (across, along) from the elbow's joint, radii at them, shell: mm at scale 1
    "ulna": (((-7, -16), (-8, 4), (-9, 22), (-9, 60), (-6, 130), (-4, 230)), (8, 10.5, 9, 6.8, 6, 5.0), 2.4),
    "radius": (((13, 8), (13, 17), (12.5, 26), (13, 42), (16, 130), (14, 230)), (10.5, 10, 6.8, 7.4, 6.6, 7.0), 2.2),
}

_WHOLE = Fragment()


@dataclass(frozen=True)
class Pose:
    """How the arm hangs in the image plane."""

    abduction: float
    """Radians that the arm is lifted sideways; negative: across the chest."""
    phi: float
    """Radians that it is turned about its axis, which is the angle of the view."""
    flexion: float = 0.0
    """Radians that the elbow is bent."""
    lower: Fragment = _WHOLE
    """How the end at the elbow has moved, if the bone is broken; forearm and flesh follow it."""
    swelling: tuple[float, float] = (0.0, 0.0)
    """Where along the arm the flesh is swollen, in mm, and by what share."""

    def along(self, u: Array, v: Array) -> tuple[Array, Array]:
        """(t, s): mm across and along the arm."""
        cos = np.cos(self.abduction)
        sin = np.sin(self.abduction)
        return u * cos - v * sin, v * cos + u * sin

    def place(self, t: float, s: float) -> _Point:
        """(u, v) of a point of the arm."""
        cos = np.cos(self.abduction)
        sin = np.sin(self.abduction)
        return float(t * cos + s * sin), float(s * cos - t * sin)


@dataclass(frozen=True)
class Body:
    """One person but for the humerus. Factors are 1 for the adult of the tables."""

    scale: float
    girth: float
    """Factor on the thickness of arm and chest."""
    fat: float
    """Path lengths in mm through fat under the skin."""
    air: float
    """Share of the lung that is air."""
    ribs: float
    """Factor on the ribs' bone."""
    shape: Array
    """(16,) deviations from the tables, of standard deviation 1."""
    breast: float = 0.0
    """mm that it stands out; 0: none is seen."""
    heart: float = 1.0
    """1: the arm is the left one, and the heart on its side; -1: the right one."""

    def tissue(self, grid: Grid, pose: Pose, grain: Array) -> dict[str, Array]:
        """Path lengths in mm through soft tissue, fat and ribs on each ray, (H, W), computed at half the resolution.

        ``grain`` (h, w): coarse noise of standard deviation 1 by which muscle and lung are uneven.
        """
        coarse = Grid(grid.u.reshape(-1, 2).mean(axis=1), grid.v.reshape(-1, 2).mean(axis=1))
        grain = stretch(grain, coarse.shape)
        arm, lean = self._arm(coarse, pose)
        chest, chest_lean = self._chest(coarse)
        lung = self._lung(coarse) * (1 + 0.06 * grain)
        if pose.abduction > -0.05:  # the arm lies beside the chest: where both are met they are one body
            soft = np.sqrt(lean**2 + chest_lean**2)
            whole = np.sqrt(arm**2 + chest**2)
        else:  # in front of it
            soft = lean + chest_lean
            whole = arm + chest
        muscle = soft * (1 + 0.018 * grain)
        return {
            "soft": stretch(np.maximum(muscle - self.air * lung, 0.0), grid.shape),
            "fat": stretch(np.maximum(whole - soft, 0.0), grid.shape),
            "bone": stretch(self._ribs(coarse) + self._spine(coarse), grid.shape),
        }

    def bones(self, grid: Grid, pose: Pose) -> Array:
        """Path lengths in mm through bone on each ray through shoulder blade, collar bone and forearm, (H, W)."""
        return self._shoulder(grid, pose) + self._forearm(grid, pose)

    def _arm(self, grid: Grid, pose: Pose) -> tuple[Array, Array]:
        """Path lengths in mm through the arm with and without its fat."""
        t, s = pose.along(*grid.mesh)
        t = t - np.interp(s, *self._bend(pose))
        level = s / self.scale
        long_wave = 0.05 * self.shape[0] * np.sin(level / 60)
        short_wave = 0.05 * self.shape[1] * np.sin(level / 33 + self.shape[2])
        bulge = 1 + long_wave + short_wave
        half_width = np.interp(level, _ARM_S, _ARM_WIDE, right=24) * self.scale * self.girth * bulge
        swollen_level, swollen_share = pose.swelling
        half_width *= 1 + swollen_share * np.exp(-(((s - swollen_level) / (48 * self.scale)) ** 2))
        half_depth = half_width * (1 + 0.1 * self.shape[3])
        side = (4 * self.shape[4] * np.sin(level / 80), 0.0)
        whole = elliptic_cylinder(t, pose.phi, side, half_width, half_depth)
        lean = elliptic_cylinder(t, pose.phi, side, half_width - self.fat, half_depth - self.fat)
        # Upper arm and forearm overlap at the elbow: the longer path counts.
        whole_forearm, lean_forearm = self._forearm_flesh(grid, pose)
        return np.maximum(whole.length, whole_forearm), np.maximum(lean.length, lean_forearm)

    def _bend(self, pose: Pose) -> tuple[Array, Array]:
        """How far the flesh follows a broken bone aside: mm at places along the arm, smoothed over a few cm."""
        along = np.linspace(-80.0, 480.0, 60)
        own_t, _, _ = pose.lower.own(np.zeros_like(along), along, pose.phi)
        aside = np.where(along > pose.lower.level, -own_t, 0.0)
        return along, ndimage.gaussian_filter1d(aside, 3, mode="nearest") * 0.9

    def _forearm_flesh(self, grid: Grid, pose: Pose) -> list[Array]:
        points = [self._elbow(pose, 0, along) for along in (0, 60, 130, 240)]
        radii = [size * self.scale * self.girth for size in (38, 39, 33, 26)]
        return rods(grid, points, radii, insets=(0, self.fat))

    def _chest(self, grid: Grid) -> tuple[Array, Array]:
        """Path lengths in mm through the chest with and without its fat."""
        u, v = grid.mesh
        level = v / self.scale
        # A stout person's chest is wider by less than the arm is.
        stout = self.scale * (0.4 + 0.6 * self.girth)
        wide = np.interp(level, _CHEST_V, _CHEST_WIDE) * stout
        deep = np.interp(level, _CHEST_V, _CHEST_DEEP) * stout
        whole = elliptic_cylinder(u - self._midline, 0.0, (0.0, 0.0), wide, deep)
        lean = elliptic_cylinder(u - self._midline, 0.0, (0.0, 0.0), wide - self.fat, deep - self.fat)
        breast = np.zeros(grid.shape)
        if self.breast:
            center = (self._midline + 95 * self.scale, 0.0, 135 * self.scale)
            axes = (62 * self.scale, self.breast, 66 * self.scale)
            breast = ellipsoid(u, v, 0.0, center, axes).length / 2  # the other half lies within the chest
        girdle = self._girdle(grid)
        # What of the girdle and of the breast is not lean is fat.
        return np.hypot(whole.length, girdle) + breast, np.hypot(lean.length, 0.85 * girdle) + 0.4 * breast

    def _girdle(self, grid: Grid) -> Array:
        """Path lengths in mm through the muscles between chest and arm, which close the armpit."""
        u, v = grid.mesh
        k = self.scale * (0.5 + 0.5 * self.girth)
        back = ellipsoid(u, v, 0.0, (-62 * k, 0.0, 22 * k), (70 * k, 46 * k, 92 * k))
        sheared = v + 0.42 * (u + 60 * k)
        trapezius = ellipsoid(u, sheared, 0.0, (-70 * k, 0.0, -22 * k), (80 * k, 42 * k, 42 * k))
        girdle: Array = np.hypot(back.length, trapezius.length)
        return girdle

    @property
    def _midline(self) -> float:
        """The ``u`` of the body's middle, in mm."""
        return -(166 + 6 * float(self.shape[5])) * self.scale

    def _lung(self, grid: Grid) -> Array:
        """Path lengths in mm through the lungs, cut off by the diaphragm's dome."""
        u = (grid.u[None, :] - self._midline) / self.scale
        v = grid.v[:, None] / self.scale
        total = np.zeros(grid.shape)
        diaphragm = 8 * self.shape[6]
        wide = 54 + 3 * self.shape[10]
        for side, low in ((1, 196 + diaphragm), (-1, 186 + diaphragm)):
            place = side * u - 70
            span = ellipsoid(place, v, 0.0, (0.0, 0.0, 112.0), (wide, 76.0, 150.0))
            dome = low + 34 * (place / 56) ** 2 + 14 * (place / 56)
            total += span.length * np.clip((dome - v) / (9 + 3 * self.shape[11]), 0, 1)
        heart = ellipsoid(u, v, 0.0, (20.0 * self.heart, 0.0, 140.0), (50.0, 40.0, 68.0))
        return np.maximum(total - 0.6 * heart.length, 0.0) * self.scale

    def _ribs(self, grid: Grid) -> Array:
        """Path lengths in mm through the bone in ten pairs of ribs: bars along tilted rings, seen as ellipses."""
        total = np.zeros(grid.shape)
        for index in range(10):
            top = (-38 + 25 * index + 2 * self.shape[7]) * self.scale
            # The rings widen downwards, less and less, and are the more tilted the lower they are.
            wide = (62 + 74 * (1 - np.exp(-(index + 0.4) / 2.2))) * self.scale * 0.93
            drop = (17 + 5.2 * index) * self.scale
            middle = top + drop
            # Only the pixels around the ring, with room for the bar's height.
            low = (self._midline - wide - 8, middle - drop - 12)
            high = (self._midline + wide + 8, middle + drop + 12)
            rows, columns = grid.region(low, high)
            u = grid.u[None, columns] - self._midline
            v = grid.v[rows, None] - middle
            total[rows, columns] += self._rib(u, v, wide, drop)
        return total * self.ribs

    def _rib(self, u: Array, v: Array, wide: float, drop: float) -> Array:
        """Path lengths in mm through the bone in one pair of ribs; ``wide``, ``drop``: its ring's semi-axes as seen."""
        # The ellipse is where ``ring`` is 1. Its value less 1, divided by its slope, is the distance to first order.
        ring = np.sqrt((u / wide) ** 2 + (v / drop) ** 2) + 1e-6
        slope = np.sqrt((u / wide**2) ** 2 + (v / drop**2) ** 2) / ring + 1e-9
        away = (ring - 1) / slope  # mm from the middle of the bar
        height = 6.2 * self.scale
        thick = 7.5 * self.scale
        shell = 0.9 * self.scale
        outer = np.sqrt(np.maximum(1 - (away / height) ** 2, 0)) * thick
        inner = np.sqrt(np.maximum(1 - (away / (height - shell)) ** 2, 0)) * (thick - 2 * shell)
        cos = u / (wide * ring)
        sin = v / (drop * ring)
        # At the sides of the chest the bar runs along the rays, which then go a long way through it.
        in_plane = (wide * sin) ** 2 + (drop * cos) ** 2
        along_ray = (95 * self.scale * cos) ** 2
        grazing = np.sqrt(in_plane / (in_plane + along_ray))
        cartilage = np.where((v > 0) & (np.abs(u) < 0.6 * wide), 0.2, 1.0)  # in front, ribs end before the breastbone
        bone: Array = (outer - 0.86 * inner) * cartilage / np.maximum(grazing, 0.35)
        return bone

    def _spine(self, grid: Grid) -> Array:
        """Path lengths in mm through the bone of the spine: a column that narrows between the vertebral bodies."""
        u, v = grid.mesh
        bodies = 0.85 + 0.15 * np.tanh(4 * np.sin(2 * np.pi * v / (24 * self.scale)))
        column = elliptic_cylinder(u - self._midline, 0.0, (0.0, 0.0), 15 * self.scale, 16 * self.scale)
        bone: Array = 0.22 * column.length * bodies
        return bone

    def _shoulder(self, grid: Grid, pose: Pose) -> Array:
        """Shoulder blade and collar bone; with the arm lifted the blade turns along, by about a third (Inman 1944)."""
        turn = 0.33 * max(pose.abduction, 0.0) + 0.04 * self.shape[8]
        cos = np.cos(turn)
        sin = np.sin(turn)
        lift = 10 * self.shape[9] * 0.4 * 0.3

        def placed(points: Sequence[_Point]) -> list[_Point]:
            return [(self.scale * (x * cos + y * sin), self.scale * (y * cos - x * sin + lift)) for x, y in points]

        total = np.zeros(grid.shape)
        for points, radii, shell in _SHOULDER.values():
            total += 0.8 * self._hollow_rods(grid, placed(points), radii, shell)
        return total + self._blade(grid, placed(_BLADE))

    def _hollow_rods(self, grid: Grid, points: Sequence[_Point], radii: Sequence[float], shell: float) -> Array:
        """Path lengths in mm of bone through a long bone along a line of points; radii and shell are at scale 1."""
        scaled = [self.scale * radius for radius in radii]
        whole, inside = rods(grid, points, scaled, insets=(0, self.scale * shell))
        bone: Array = whole - (1 - _SPONGY) * inside
        return bone

    def _blade(self, grid: Grid, corners: list[_Point]) -> Array:
        """The thin sheet of bone between the borders of the shoulder blade: 2.4 mm."""
        u, v = grid.mesh
        # mm from the nearest border, negative outside: the corners go around so that each edge is positive inside.
        inside = np.full(grid.shape, np.inf)
        for (u0, v0), (u1, v1) in pairwise([*corners, corners[0]]):
            length = np.hypot(u1 - u0, v1 - v0)
            inside = np.minimum(inside, ((u1 - u0) * (v - v0) - (v1 - v0) * (u - u0)) / length)
        sheet: Array = 2.4 * self.scale * np.clip(inside, 0, 1)
        return sheet

    def _elbow(self, pose: Pose, across: float, along: float) -> _Point:
        """(u, v) of a point of the forearm, ``along`` mm below the joint (at scale 1)."""
        turned = pose.phi + pose.lower.turn
        # A bent elbow shows from the side; that it shortens the forearm seen from the front is left out.
        bend = pose.flexion * abs(np.sin(turned))
        side = np.sign(np.sin(turned)) or 1.0
        t = across * np.cos(turned)
        s = 299.0  # of the joint
        bent_t = t * np.cos(bend) + side * along * np.sin(bend)
        bent_s = s + along * np.cos(bend) - side * t * np.sin(bend)
        return pose.place(*pose.lower.moved(bent_t * self.scale, bent_s * self.scale, pose.phi))

    def _forearm(self, grid: Grid, pose: Pose) -> Array:
        """Path lengths in mm through the bone of ulna and radius."""
        total = np.zeros(grid.shape)
        for points, radii, shell in _FOREARM.values():
            placed = [self._elbow(pose, across, along) for across, along in points]
            total += self._hollow_rods(grid, placed, radii, shell)
        return total


def skin_fold(grid: Grid, points: list[_Point], width: float) -> Array:
    """Path lengths in mm through skin doubled up along a line, which tapers at both ends."""
    between = [width] * (len(points) - 2)
    return rods(grid, points, [width * 0.4, *between, width * 0.4], insets=(0,))[0]
