"""The body around the humerus: arm, chest with ribs and lung, shoulder blade, collar bone and forearm.

Places are in mm in the upright body seen from the front: ``u`` away from the body, ``v`` downwards, from the center of
the humeral head. The body keeps still; for the views from the side the arm turns about its own axis, as in practice.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from fracture.phantoms.anatomy.geometry import Array, Grid, ellipsoid, elliptic_cylinder, rods
from fracture.phantoms.anatomy.humerus import Fragment
from fracture.phantoms.physics import stretch

_CHEST_V = np.array([-300, -200, -150, -110, -85, -62, -35, 0, 50, 120, 200, 300, 420.0])
_CHEST_WIDE = np.array([70, 72, 60, 52, 56, 84, 118, 132, 136, 134, 128, 132, 138.0])
_CHEST_DEEP = np.array([85, 88, 66, 56, 52, 48, 56, 80, 98, 108, 110, 108, 108.0])
_ARM_S = np.array([-62, -48, -30, 0, 45, 90, 140, 190, 235, 275, 300, 335, 380, 450, 560.0])
_ARM_WIDE = np.array([0, 26, 42, 52, 52, 46, 44, 42, 38, 37, 38, 39, 36, 29, 24.0])
_SPONGY = 0.16
"""Bone inside it, as a share of the cortex's density."""


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

    def place(self, t: float, s: float) -> tuple[float, float]:
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
        shape = (len(grid.v), len(grid.u))
        coarse = Grid(grid.u.reshape(-1, 2).mean(axis=1), grid.v.reshape(-1, 2).mean(axis=1))
        grain = stretch(grain, (shape[0] // 2, shape[1] // 2))
        arm, lean = self._arm(coarse, pose)
        chest, chest_lean = self._chest(coarse)
        lung = self._lung(coarse) * (1 + 0.06 * grain)
        if pose.abduction > -0.05:  # the arm lies beside the chest: where both are met they are one body
            soft = np.sqrt(lean**2 + chest_lean**2)
            whole = np.sqrt(arm**2 + chest**2)
        else:  # in front of it
            soft = lean + chest_lean
            whole = arm + chest
        parts = {
            "soft": np.maximum(soft * (1 + 0.018 * grain) - self.air * lung, 0.0),
            "fat": np.maximum(whole - soft, 0.0),
            "bone": self._ribs(coarse) + self._spine(coarse),
        }
        return {name: stretch(path, shape) for name, path in parts.items()}

    def bones(self, grid: Grid, pose: Pose) -> Array:
        """Path lengths in mm through bone on each ray through shoulder blade, collar bone and forearm, (H, W)."""
        return self._shoulder(grid, pose) + self._forearm(grid, pose)

    def _arm(self, grid: Grid, pose: Pose) -> tuple[Array, Array]:
        """Path lengths in mm through the arm with and without its fat."""
        t, s = pose.along(grid.u[None, :], grid.v[:, None])
        t = t - np.interp(s, *self._bend(pose))
        level = s / self.scale
        bulge = (
            1 + 0.05 * self.shape[0] * np.sin(level / 60) + 0.05 * self.shape[1] * np.sin(level / 33 + self.shape[2])
        )
        half = np.interp(level, _ARM_S, _ARM_WIDE, right=24) * self.scale * self.girth * bulge
        half *= 1 + pose.swelling[1] * np.exp(-(((s - pose.swelling[0]) / (48 * self.scale)) ** 2))
        off = 1 + 0.1 * self.shape[3]
        side = (4 * self.shape[4] * np.sin(level / 80), 0.0)
        whole = elliptic_cylinder(t, pose.phi, side, half, half * off)
        lean = elliptic_cylinder(t, pose.phi, side, half - self.fat, half * off - self.fat)
        fore = self._fore_arm_flesh(grid, pose)
        return np.maximum(whole.length, fore[0]), np.maximum(lean.length, fore[1])

    def _bend(self, pose: Pose) -> tuple[Array, Array]:
        """How far the flesh follows a broken bone aside: mm at places along the arm, smoothed over a few cm."""
        along = np.linspace(-80.0, 480.0, 60)
        own_t, _, _ = pose.lower.own(np.zeros_like(along), along, pose.phi)
        aside = np.where(along > pose.lower.level, -own_t, 0.0)
        return along, ndimage.gaussian_filter1d(aside, 3, mode="nearest") * 0.9

    def _fore_arm_flesh(self, grid: Grid, pose: Pose) -> list[Array]:
        points = [self._elbow(pose, 0, along) for along in (0, 60, 130, 240)]
        radii = [size * self.scale * self.girth for size in (38, 39, 33, 26)]
        return rods(grid, points, radii, insets=(0, self.fat))

    def _chest(self, grid: Grid) -> tuple[Array, Array]:
        level = grid.v[:, None] / self.scale
        stout = self.scale * (0.4 + 0.6 * self.girth)
        wide = np.interp(level, _CHEST_V, _CHEST_WIDE) * stout
        deep = np.interp(level, _CHEST_V, _CHEST_DEEP) * stout
        middle = grid.u[None, :] - self._midline
        whole = elliptic_cylinder(middle, 0.0, (0.0, 0.0), wide, deep)
        lean = elliptic_cylinder(middle, 0.0, (0.0, 0.0), wide - self.fat, deep - self.fat)
        extra = np.zeros_like(middle + level)
        if self.breast:
            center = (self._midline + 95 * self.scale, 0.0, 135 * self.scale)
            axes = (62 * self.scale, self.breast, 66 * self.scale)
            extra = ellipsoid(grid.u[None, :] + 0 * level, grid.v[:, None] + 0 * middle, 0.0, center, axes).length / 2
        girdle = self._girdle(grid)
        return np.hypot(whole.length, girdle) + extra, np.hypot(lean.length, 0.85 * girdle) + 0.4 * extra

    def _girdle(self, grid: Grid) -> Array:
        """Path lengths in mm through the muscles between chest and arm, which close the armpit."""
        u, v = np.broadcast_arrays(grid.u[None, :], grid.v[:, None])
        k = self.scale * (0.5 + 0.5 * self.girth)
        back = ellipsoid(u, v, 0.0, (-62 * k, 0.0, 22 * k), (70 * k, 46 * k, 92 * k)).length
        trapezius = ellipsoid(u, v + 0.42 * (u + 60 * k), 0.0, (-70 * k, 0.0, -22 * k), (80 * k, 42 * k, 42 * k)).length
        return np.asarray(np.hypot(back, trapezius))

    @property
    def _midline(self) -> float:
        """The ``u`` of the body's middle, in mm."""
        return -(166 + 6 * float(self.shape[5])) * self.scale

    def _lung(self, grid: Grid) -> Array:
        """Path lengths in mm through the lungs, cut off by the diaphragm's dome."""
        u = (grid.u[None, :] - self._midline) / self.scale
        v = grid.v[:, None] / self.scale
        total = np.zeros(np.broadcast_shapes(u.shape, v.shape))
        for side, low in ((1, 196 + 8 * self.shape[6]), (-1, 186 + 8 * self.shape[6])):
            place = side * u - 70
            wide = 54 + 3 * self.shape[10]
            span = ellipsoid(place + 0 * v, v + 0 * u, 0.0, (0.0, 0.0, 112.0), (wide, 76.0, 150.0))
            dome = low + 34 * (place / 56) ** 2 + 14 * (place / 56)
            total += span.length * np.clip((dome - v) / (9 + 3 * self.shape[11]), 0, 1)
        heart = ellipsoid(u + 0 * v, v + 0 * u, 0.0, (20.0 * self.heart, 0.0, 140.0), (50.0, 40.0, 68.0)).length
        return np.maximum(total - 0.6 * heart, 0.0) * self.scale

    def _ribs(self, grid: Grid) -> Array:
        """Path lengths in mm through the bone in ten pairs of ribs: bars along tilted rings, seen as ellipses."""
        total = np.zeros((len(grid.v), len(grid.u)))
        for index in range(10):
            top = (-38 + 25 * index + 2 * self.shape[7]) * self.scale
            wide = (62 + 74 * (1 - np.exp(-(index + 0.4) / 2.2))) * self.scale * 0.93
            drop = (17 + 5.2 * index) * self.scale
            middle = top + drop
            rows, columns = grid.region(
                (self._midline - wide - 8, middle - drop - 12), (self._midline + wide + 8, middle + drop + 12)
            )
            u = grid.u[None, columns] - self._midline
            v = grid.v[rows, None] - middle
            total[rows, columns] += self._rib(u, v, wide, drop)
        return total * self.ribs

    def _rib(self, u: Array, v: Array, wide: float, drop: float) -> Array:
        """Path lengths in mm through the bone in one pair of ribs; ``wide``, ``drop``: its ring's semi-axes as seen."""
        ring = np.sqrt((u / wide) ** 2 + (v / drop) ** 2) + 1e-6
        slope = np.sqrt((u / wide**2) ** 2 + (v / drop**2) ** 2) / ring + 1e-9
        away = (ring - 1) / slope  # mm from the middle of the bar, to first order
        height = 6.2 * self.scale
        thick = 7.5 * self.scale
        shell = 0.9 * self.scale
        outer = np.sqrt(np.maximum(1 - (away / height) ** 2, 0)) * thick
        inner = np.sqrt(np.maximum(1 - (away / (height - shell)) ** 2, 0)) * (thick - 2 * shell)
        cos = u / (wide * ring)
        sin = v / (drop * ring)
        in_plane = (wide * sin) ** 2 + (drop * cos) ** 2
        grazing = np.sqrt(in_plane / (in_plane + (95 * self.scale * cos) ** 2))
        cartilage = np.where((v > 0) & (np.abs(u) < 0.6 * wide), 0.2, 1.0)  # in front, ribs end before the breastbone
        bone: Array = (outer - 0.86 * inner) * cartilage / np.maximum(grazing, 0.35)
        return bone

    def _spine(self, grid: Grid) -> Array:
        u = grid.u[None, :] - self._midline
        v = grid.v[:, None]
        bodies = 0.85 + 0.15 * np.tanh(4 * np.sin(2 * np.pi * v / (24 * self.scale)))
        column = elliptic_cylinder(u, 0.0, (0.0, 0.0), 15 * self.scale, 16 * self.scale)
        bone: Array = 0.22 * column.length * bodies
        return bone

    def _shoulder(self, grid: Grid, pose: Pose) -> Array:
        """Shoulder blade and collar bone; with the arm lifted the blade turns along, by about a third (Inman 1944)."""
        turn = 0.33 * max(pose.abduction, 0.0) + 0.04 * self.shape[8]
        cos = np.cos(turn)
        sin = np.sin(turn)
        k = self.scale
        lift = 10 * self.shape[9] * 0.4

        def turned(*points: tuple[float, float]) -> list[tuple[float, float]]:
            return [(k * (x * cos + y * sin), k * (y * cos - x * sin + lift * 0.3)) for x, y in points]

        lines = (
            (turned((-28, -16), (-25, 2), (-29, 20)), (5.5, 6.5, 5.0), 1.4),  # glenoid
            (turned((-31, 22), (-52, 70), (-88, 128)), (5.0, 3.6, 2.4), 1.3),  # lateral border
            (turned((-88, 128), (-104, 60), (-106, 10), (-92, -28)), (2.4, 1.4, 1.6, 1.8), 1.0),  # medial border
            (turned((-108, 12), (-70, -16), (-34, -34)), (2.5, 4.0, 5.0), 1.2),  # spine
            (turned((-34, -34), (-4, -42), (14, -33)), (5.0, 6.5, 5.5), 1.3),  # acromion
            (turned((-46, -20), (-36, -27), (-20, -17)), (5.5, 6.0, 4.5), 1.3),  # coracoid
            (turned((-92, -28), (-46, -20)), (1.8, 3.5), 1.2),  # upper border
            (
                turned((-150, -8), (-118, -34), (-70, -46), (-30, -50), (-6, -42)),
                (8, 5.8, 5.2, 5.6, 6.5),
                1.9,
            ),  # clavicle
        )
        total = np.zeros((len(grid.v), len(grid.u)))
        for points, radii, shell in lines:
            whole, inside = rods(grid, points, [k * radius for radius in radii], insets=(0, k * shell))
            total += 0.8 * (whole - (1 - _SPONGY) * inside)
        return total + self._blade(grid, turned((-31, 22), (-88, 128), (-106, 10), (-92, -28), (-46, -20)))

    def _blade(self, grid: Grid, corners: list[tuple[float, float]]) -> Array:
        """The thin sheet of bone between the borders of the shoulder blade: 2.4 mm."""
        u = grid.u[None, :]
        v = grid.v[:, None]
        inside = np.full((len(grid.v), len(grid.u)), np.inf)
        for (u0, v0), (u1, v1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            reach = np.hypot(u1 - u0, v1 - v0)
            inside = np.minimum(inside, ((u1 - u0) * (v - v0) - (v1 - v0) * (u - u0)) / reach)
        sheet: Array = 2.4 * self.scale * np.clip(inside, 0, 1)
        return sheet

    def _elbow(self, pose: Pose, across: float, along: float) -> tuple[float, float]:
        """(u, v) of a point of the forearm, ``along`` mm below the joint (at scale 1)."""
        turned = pose.phi + pose.lower.turn
        bend = pose.flexion * abs(np.sin(turned))
        side = np.sign(np.sin(turned)) or 1.0
        t = across * np.cos(turned)
        s = 299.0
        t2 = t * np.cos(bend) + side * along * np.sin(bend)
        s2 = s + along * np.cos(bend) - side * t * np.sin(bend)
        return pose.place(*pose.lower.moved(t2 * self.scale, s2 * self.scale, pose.phi))

    def _forearm(self, grid: Grid, pose: Pose) -> Array:
        lines = (
            ([(-7, -16), (-8, 4), (-9, 22), (-9, 60), (-6, 130), (-4, 230)], (8, 10.5, 9, 6.8, 6, 5.0), 2.4),  # ulna
            (
                [(13, 8), (13, 17), (12.5, 26), (13, 42), (16, 130), (14, 230)],
                (10.5, 10, 6.8, 7.4, 6.6, 7.0),
                2.2,
            ),  # radius
        )
        total = np.zeros((len(grid.v), len(grid.u)))
        for points, radii, shell in lines:
            placed = [self._elbow(pose, *point) for point in points]
            scaled = [self.scale * radius for radius in radii]
            whole, inside = rods(grid, placed, scaled, insets=(0, self.scale * shell))
            total += whole - (1 - _SPONGY) * inside
        return total


def skin_fold(grid: Grid, points: list[tuple[float, float]], width: float) -> Array:
    """Path lengths in mm through skin doubled up along a line."""
    return rods(grid, points, [width * 0.4, *([width] * (len(points) - 2)), width * 0.4], insets=(0,))[0]
