"""The bone itself: its shape, its shell and its inside, and how it comes apart.

Measures are those of adults, in mm, for a bone of 300 mm (shaft 21 to 23 mm wide, head of 46 mm, epicondyles 60 mm
apart; Gray's Anatomy gives such proportions); ``scale`` makes it another person's. x points away from the body, y to
the front, s from the head's center down to the elbow.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fracture.phantoms.anatomy.geometry import Array, Span, ellipsoid, elliptic_cylinder, to_view

LENGTH = 300.0
"""From the head's center to the elbow's joint, in mm, at scale 1."""

_S = np.array([-6, 10, 30, 50, 80, 130, 180, 210, 236, 254, 268, 282, 292, 301, 305.0])
_PROFILE = {  # over _S
    "a": np.array([14, 18.5, 17, 13.5, 11.6, 11, 10.8, 11.3, 14.5, 20, 26, 27.5, 25, 20, 10.0]),  # half-width, x
    "b": np.array([14, 18, 16.5, 13.2, 11.6, 11, 10.3, 9.8, 9, 8.6, 8.6, 9, 9, 8, 4.0]),  # half-width, y
    "x": np.array([2, 1.5, 1, 0.5, 0, 0, 0.5, 0.5, 0, -0.8, -2, -2.3, -2, -1, -1.0]),  # center
    "y": np.array([0, 0, 0, 0, 0.5, 1, 1, 0.5, 0.5, 0.8, 1.2, 1.8, 2, 2, 2.0]),
    "shell": np.array([1, 1.2, 1.7, 2.8, 4.1, 4.9, 4.8, 4.3, 3.6, 2.9, 2.2, 1.6, 1.2, 1, 1.0]),  # cortex
    "inside": np.array([0.21, 0.21, 0.17, 0.11, 0.05, 0.02, 0.02, 0.03, 0.10, 0.18, 0.22, 0.24, 0.25, 0.25, 0.25]),
}  # "inside": bone in the cancellous part, as a share of the cortex's density
_PARTS = {  # (x, y, s), (semi-axes), shell, of each ellipsoid that joins the shaft
    "head": ((-9.0, -3, 0), (23.0, 23, 23), 1.2),
    "greater tuberosity": ((13.5, 1, 9), (9.5, 15, 18), 1.3),
    "lesser tuberosity": ((2, 15, 14), (8, 6, 13), 1.3),
    "deltoid tuberosity": ((7.5, 2, 128), (5.5, 7, 34), 4.6),
    "medial epicondyle": ((-25.5, -1, 271), (7, 7, 13), 1.8),
    "lateral epicondyle": ((20.5, 0, 273), (5.5, 6.5, 14), 1.8),
    "trochlea": ((-10, 3, 295), (12.5, 10.5, 10.5), 1.2),
    "capitellum": ((12, 5, 294), (10.5, 11, 10.5), 1.2),
}
TEXTURE = (128, 420)
"""Shape of a bone's texture: places around it, and mm along it from 40 mm above the head's center."""


class Surface(Protocol):
    """A surface through the bone, as its height above a level: 0 on it, growing towards the elbow."""

    @property
    def level(self) -> float:
        """The s, in mm, at which it crosses the bone's axis."""
        ...

    @property
    def reach(self) -> float:
        """No part of it is farther than this from its level, in mm."""
        ...

    def height(self, x: Array, y: Array, s: Array) -> Array:
        """How far along the axis, in mm, it is from the surface to the point."""
        ...


@dataclass(frozen=True)
class Lucency:
    """A sheet in which the bone is thinner: a growth plate, or a crack that moved nothing."""

    surface: Surface
    width: float
    """mm along the axis."""
    depth: float
    """Share of the bone that is missing in it, 0 to 1."""
    rim: float = 0.0
    """Share by which the bone beside it is denser."""


@dataclass(frozen=True)
class Fragment:
    """A part of the bone: between two surfaces, moved as a whole."""

    above: Surface | None = None
    """It begins below this surface; None: at the head."""
    below: Surface | None = None
    """It ends above this surface; None: at the elbow."""
    gap: float = 0.0
    """mm taken off at each of its ends."""
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """mm along x, y and s."""
    tilt: tuple[float, float] = (0.0, 0.0)
    """Radians that its axis leans towards x and towards y, about the level of its first surface."""
    turn: float = 0.0
    """Radians about its own axis."""

    @property
    def surfaces(self) -> list[Surface]:
        """Where it broke off."""
        return [each for each in (self.above, self.below) if each is not None]

    @property
    def level(self) -> float:
        """The s about which it leans."""
        return self.surfaces[0].level if self.surfaces else 0.0

    def own(self, t: Array, s: Array, phi: float) -> tuple[Array, Array, float]:
        """(t, s, phi) of the view in the fragment's own frame, in which it never moved.

        A tilt along the ray shortens the picture and lengthens the rays' paths (:meth:`thickened`), so that the volume
        stays; the shear that comes with it is left out.
        """
        across, _ = to_view(self.shift[0], self.shift[1], phi)
        lean, hidden = to_view(self.tilt[0], self.tilt[1], phi)
        dt = t - across
        ds = s - self.level - self.shift[2]
        cos = np.cos(lean)
        sin = np.sin(lean)
        own_t = dt * cos - ds * sin
        own_s = self.level + (dt * sin + ds * cos) / np.cos(hidden)
        return own_t, own_s, phi + self.turn

    def thickened(self, phi: float) -> float:
        """By what factor rays through it have become longer, since it leans along them."""
        _, hidden = to_view(self.tilt[0], self.tilt[1], phi)
        return float(1 / np.cos(hidden))

    def moved(self, t: float, s: float, phi: float) -> tuple[float, float]:
        """(t, s) in the view of what was at (t, s) of the fragment before it moved: the inverse of :meth:`own`."""
        across, _ = to_view(self.shift[0], self.shift[1], phi)
        lean, hidden = to_view(self.tilt[0], self.tilt[1], phi)
        cos = np.cos(lean)
        sin = np.sin(lean)
        ds = (s - self.level) * np.cos(hidden)
        moved_t = across + t * cos + ds * sin
        moved_s = self.level + self.shift[2] + ds * cos - t * sin
        return float(moved_t), float(moved_s)


@dataclass(frozen=True)
class Humerus:
    """One person's bone. Lengths in mm."""

    scale: float = 1.0
    width: float = 1.0
    """Factor on the widths."""
    shell: float = 1.0
    """Factor on the thickness of the cortex: about 0.6 in osteoporosis."""
    marrow: float = 1.0
    """Factor on the density of the cancellous bone."""
    bow: float = 0.0
    """mm by which the middle of the shaft bends to the front."""
    texture: Array | None = None
    """Of shape :data:`TEXTURE`: deviations of the cortex's inner side, about -1 to 1."""
    lucencies: tuple[Lucency, ...] = ()

    @property
    def length(self) -> float:
        """From the head's center to the elbow's joint, in mm."""
        return LENGTH * self.scale

    def surface(self, s: float, direction: float) -> float:
        """From the axis to the shaft's surface at a level, in mm, in a direction of the cross section (radians)."""
        a, b, x, y = [float(np.interp(s / self.scale, _S, _PROFILE[name])) * self._thick for name in "abxy"]
        cos = np.cos(direction)
        sin = np.sin(direction)
        bend = self.bow * np.sin(np.pi * np.clip(s / self.length, 0, 1))
        ellipse_radius = a * b / np.hypot(b * cos, a * sin)
        return float(ellipse_radius + x * cos + (y + bend) * sin)

    def half_width(self, s: float) -> float:
        """Mean radius of the shaft at a level, in mm."""
        across = np.interp(s / self.scale, _S, _PROFILE["a"])
        deep = np.interp(s / self.scale, _S, _PROFILE["b"])
        return float(across + deep) / 2 * self._thick

    @property
    def _thick(self) -> float:
        return self.scale * self.width

    def bone(self, t: Array, s: Array, phi: float, fragment: Fragment) -> tuple[Array, Array]:
        """Path lengths through the bone of a fragment, of the rays at (t, s) of a view.

        Returns:
            mm of bone of the cortex's density on each ray; and, where it broke, how near the ray comes to the break:
            mm, infinite elsewhere.
        """
        thickened = fragment.thickened(phi)
        t, s, phi = fragment.own(t, s, phi)
        outer, inner = self._outline(t, s, phi)
        inside = np.interp(s / self.scale, _S, _PROFILE["inside"]) * self.marrow
        hollow = np.where(outer.length > 0, inner.within(outer).length, 0.0)
        cortex = thickened * (outer.length - hollow)
        cancellous = thickened * hollow * inside * self._grain(t, s, phi, inner)
        return self._broken(cortex + cancellous, _Rays(t, s, outer, inner, inside), phi, fragment)

    def _outline(self, t: Array, s: Array, phi: float) -> tuple[Span, Span]:
        """The bone's surface and its cortex's inner side."""
        level = s / self.scale

        def profile(name: str) -> Array:
            # 0 beyond both ends of the shaft: no ray meets an ellipse without width.
            values: Array = np.interp(level, _S, _PROFILE[name], left=0, right=0)
            return values * self._thick

        bend = self.bow * np.sin(np.pi * np.clip(level / LENGTH, 0, 1))
        center = (profile("x"), profile("y") + bend)
        half_width = profile("a")
        half_depth = profile("b")
        shell = profile("shell") * self.shell
        outer = elliptic_cylinder(t, phi, center, half_width, half_depth)
        inner = elliptic_cylinder(t, phi, center, half_width - shell, half_depth - shell)
        for (x, y, along), (wide, deep, long), thickness in _PARTS.values():
            middle = (x * self._thick, y * self._thick, along * self.scale)
            axes = (wide * self._thick, deep * self._thick, long * self.scale)
            rows = np.abs(s - middle[2]) < axes[2]
            if not rows.any():
                continue
            off = min(thickness * self._thick * self.shell, 0.9 * axes[0])
            hollow = (axes[0] - off, axes[1] - off, axes[2] - off)
            outer = _join(outer, rows, ellipsoid(t[rows], s[rows], phi, middle, axes))
            inner = _join(inner, rows, ellipsoid(t[rows], s[rows], phi, middle, hollow))
        return outer, inner

    def _grain(self, t: Array, s: Array, phi: float, inner: Span) -> Array:
        """Trabeculae, as a factor on the cancellous bone: those on the cortex's inner side, which all views share."""
        if self.texture is None:
            return np.ones_like(t)
        row = np.clip(s + 40, 0, TEXTURE[1] - 1).astype(np.intp)
        total = np.zeros_like(t)
        for depth in inner:
            # Rays that miss enter and leave at infinity; what they get is multiplied by a hollow of no length.
            w = np.where(np.isfinite(depth), depth, 0.0)
            x, y = to_view(t, w, -phi)
            angle = np.arctan2(y, x)
            column = ((angle / (2 * np.pi) + 0.5) * (TEXTURE[0] - 1)).astype(np.intp)
            total += self.texture[column, row]
        return 1 + total

    def _broken(self, bone: Array, rays: "_Rays", phi: float, fragment: Fragment) -> tuple[Array, Array]:
        """Take away what is not of the fragment, and what its lucencies lack, by sampling the rays near the breaks."""
        nearest = np.full_like(bone, np.inf)
        if fragment.above is not None:
            bone[rays.s < fragment.above.level - fragment.above.reach] = 0.0
        if fragment.below is not None:
            bone[rays.s > fragment.below.level + fragment.below.reach] = 0.0
        # Only rays near a break are sampled: it takes 28 points on each of them.
        near = np.zeros_like(bone, dtype=bool)
        for each in [*fragment.surfaces, *(lucency.surface for lucency in self.lucencies)]:
            near |= np.abs(rays.s - each.level) < each.reach
        near &= bone > 0
        if near.any():
            share, distance = self._share(rays.some(near), phi, fragment)
            bone[near] *= share
            nearest[near] = distance
        return bone, nearest

    def _share(self, rays: "_Rays", phi: float, fragment: Fragment) -> tuple[Array, Array]:
        """The share of each ray's bone that the fragment keeps, and the ray's distance from the break in mm, (N,)."""
        depths, weights = rays.samples()  # (K, N)
        x, y = to_view(rays.t, depths, -phi)
        level = np.broadcast_to(rays.s, x.shape)
        kept = weights.copy()
        nearest = np.full(rays.t.shape, np.inf)
        for side, surface in ((1, fragment.above), (-1, fragment.below)):
            if surface is not None:
                height = surface.height(x, y, level)
                # A ramp of 1 mm, not a step.
                kept *= np.clip(side * height - fragment.gap + 0.5, 0, 1)
                nearest = np.minimum(nearest, np.abs(height).min(axis=0))
        for each in self.lucencies:
            away = np.abs(each.surface.height(x, y, level)) - each.width / 2
            missing = each.depth * np.clip(0.5 - away, 0, 1)
            rim = each.rim * np.exp(-((away / 1.5 - 1) ** 2))  # densest 1.5 mm beside it
            kept *= 1 - missing + rim
        return kept.sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-9), nearest


class _Rays(NamedTuple):
    """Rays of one view and where they meet the bone; arrays (N,)."""

    t: Array
    s: Array
    outer: Span
    inner: Span
    inside: Array
    """Bone in the cancellous part, as a share of the cortex's density."""

    def some(self, chosen: NDArray[np.bool_]) -> "_Rays":
        outer = Span(self.outer.near[chosen], self.outer.far[chosen])
        inner = Span(self.inner.near[chosen], self.inner.far[chosen])
        return _Rays(self.t[chosen], self.s[chosen], outer, inner, self.inside[chosen])

    def samples(self) -> tuple[Array, Array]:
        """(K, N) depths along each ray, and the bone that each stands for: 8 in each cortex, 12 in what is between."""
        inner = self.inner.within(self.outer)
        # A ray that misses the hollow is in cortex all the way: its middle piece has no length.
        is_hollow = inner.length > 0
        middle = (self.outer.near + self.outer.far) / 2
        first = np.where(is_hollow, inner.near, middle)
        last = np.where(is_hollow, inner.far, middle)
        pieces = ((self.outer.near, first, 8, 1.0), (first, last, 12, self.inside), (last, self.outer.far, 8, 1.0))
        depths = []
        weights = []
        for start, end, count, density in pieces:
            place = ((np.arange(count) + 0.5) / count)[:, None]
            depths.append(start + place * (end - start))
            weight = (end - start) * density / count
            weights.append(np.broadcast_to(weight, (count, len(start))))
        return np.concatenate(depths), np.concatenate(weights)


def _join(span: Span, rows: NDArray[np.bool_], part: Span) -> Span:
    """The hull of a body and a part that only these rays can meet."""
    near = span.near.copy()
    far = span.far.copy()
    near[rows] = np.minimum(near[rows], part.near)
    far[rows] = np.maximum(far[rows], part.far)
    return Span(near, far)
