"""Path lengths of rays through simple bodies, in closed form.

Rays are parallel. A ray is at ``t`` mm across and ``s`` mm along an axis, and runs through the plane of the cross
section at ``s``; ``w`` is the depth along it. A view from the angle ``phi`` shows the point (x, y) of a cross section
at ``t = x cos(phi) + y sin(phi)`` and ``w = -x sin(phi) + y cos(phi)``. All arrays are float64: rounding then differs
so little between processors that the gray levels are the same.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Span(NamedTuple):
    """Where each ray enters and leaves a body, in mm of depth; it misses where ``far < near``."""

    near: Array
    far: Array

    @property
    def length(self) -> Array:
        """Path lengths in mm, 0 where the ray misses."""
        return np.maximum(self.far - self.near, 0.0)

    def hull(self, other: "Span") -> "Span":
        """From the first entry to the last exit: the union of two bodies that overlap wherever a ray meets both."""
        return Span(np.minimum(self.near, other.near), np.maximum(self.far, other.far))

    def within(self, other: "Span") -> "Span":
        """The intersection of two bodies."""
        return Span(np.maximum(self.near, other.near), np.minimum(self.far, other.far))


Length = TypeVar("Length", bound=float | Array)


def to_view(x: Length, y: Length, phi: float) -> tuple[Length, Length]:
    """(t, w) of the point (x, y) of a cross section in a view from ``phi``; with ``-phi``, (x, y) of (t, w)."""
    return x * np.cos(phi) + y * np.sin(phi), -x * np.sin(phi) + y * np.cos(phi)


def elliptic_cylinder(
    t: Array, phi: float, center: tuple[float | Array, float | Array], a: float | Array, b: float | Array
) -> Span:
    """Rays through a body whose cross section is an ellipse with semi-axes ``a`` along x and ``b`` along y.

    ``center``, ``a`` and ``b`` may change with ``s``: arrays broadcast with ``t``. No ray meets it where they are <= 0.
    """
    cos = np.cos(phi)
    sin = np.sin(phi)
    across, deep = to_view(*center, phi)
    offset = t - across
    # The ellipse's equation along a ray is quadratic in w: its roots lie ``half`` on either side of ``middle``.
    squared = (a * cos) ** 2 + (b * sin) ** 2  # of the half-width that the view sees
    rest = squared - offset**2
    inside = (rest > 0) & (np.minimum(a, b) > 0)
    safe = np.maximum(squared, 1e-9)  # no division by 0 where there is no ellipse
    half = a * b * np.sqrt(np.maximum(rest, 0.0)) / safe
    middle = deep - offset * (sin * cos * (a**2 - b**2)) / safe
    # A ray that misses gets an empty span, which changes no hull and leaves every intersection empty.
    return Span(np.where(inside, middle - half, np.inf), np.where(inside, middle + half, -np.inf))


def ellipsoid(
    t: Array, s: Array, phi: float, center: tuple[float, float, float], axes: tuple[float, float, float]
) -> Span:
    """Rays through an ellipsoid at (x, y, s) with semi-axes along x, y and s."""
    narrow = np.sqrt(np.maximum(1 - ((s - center[2]) / axes[2]) ** 2, 0.0))
    return elliptic_cylinder(t, phi, center[:2], axes[0] * narrow, axes[1] * narrow)


def box(
    t: Array, phi: float, normal: float, across: tuple[float | Array, float | Array], half_width: float | Array
) -> Span:
    """Rays through a bar whose cross section is a rectangle.

    ``normal``: the angle of its thickness in the cross section; ``across``: from where to where along it, in mm from
    the axis; ``half_width``: at right angles to it. A ``half_width`` that shrinks with ``s`` makes a round rod.
    """
    turned = normal - phi
    thick = _slab(t * np.cos(turned), np.sin(turned), *across)
    wide = _slab(-t * np.sin(turned), np.cos(turned), -half_width, half_width)
    return thick.within(wide)


def _slab(start: Array, slope: float, low: float | Array, high: float | Array) -> Span:
    """The depths w at which ``start + slope * w`` lies between ``low`` and ``high``."""
    # A ray along the slab would divide by 0; nearly along it, it enters and leaves far outside the body.
    slope = slope if abs(slope) > 1e-6 else 1e-6
    one = (low - start) / slope
    other = (high - start) / slope
    return Span(np.minimum(one, other), np.maximum(one, other))


class Grid(NamedTuple):
    """The pixels' places in the image plane, in mm: ``u`` (W,) to the right, ``v`` (H,) downwards, both rising."""

    u: Array
    v: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return len(self.v), len(self.u)

    @property
    def mesh(self) -> tuple[Array, Array]:
        """``u`` as (1, W) and ``v`` as (H, 1), which broadcast to all pixels."""
        return self.u[None, :], self.v[:, None]

    def region(self, low: tuple[float, float], high: tuple[float, float]) -> tuple[slice, slice]:
        """(rows, columns) of the pixels between two corners (u, v)."""
        left, right = np.searchsorted(self.u, (low[0], high[0]))
        top, bottom = np.searchsorted(self.v, (low[1], high[1]))
        return slice(int(top), int(bottom)), slice(int(left), int(right))


def rods(
    grid: Grid, points: Sequence[tuple[float, float]], radii: Sequence[float], *, insets: Sequence[float]
) -> list[Array]:
    """Path lengths (H, W) through round rods along a line of points (u, v) in the image plane, in mm.

    ``radii``: one a point, going evenly from each to the next. One result for each of ``insets``, by which all radii
    are made smaller: 0 and the thickness of a shell give the rod and what is inside its shell.
    """
    lengths = [np.zeros(grid.shape) for _ in insets]
    for (start, end), (r0, r1) in zip(pairwise(points), pairwise(radii), strict=True):
        # No pixel farther from the segment is met: a rod takes little of the image.
        reach = max(r0, r1)
        corners = np.array([start, end])
        rows, columns = grid.region(tuple(corners.min(axis=0) - reach), tuple(corners.max(axis=0) + reach))
        u = grid.u[None, columns]
        v = grid.v[rows, None]
        along, squared = _from_segment(u, v, start, end)
        for length, inset in zip(lengths, insets, strict=True):
            radius = np.maximum(r0 + (r1 - r0) * along - inset, 0.0)
            # Where two segments join they overlap: the longer path counts, not their sum.
            part = length[rows, columns]
            np.maximum(part, 2 * np.sqrt(np.maximum(radius**2 - squared, 0.0)), out=part)
    return lengths


def _from_segment(u: Array, v: Array, start: tuple[float, float], end: tuple[float, float]) -> tuple[Array, Array]:
    """How far along a segment its nearest point lies, 0 to 1, and the squared distance to it in mm²."""
    du = end[0] - start[0]
    dv = end[1] - start[1]
    projected = (u - start[0]) * du + (v - start[1]) * dv
    along = np.clip(projected / max(du * du + dv * dv, 1e-9), 0.0, 1.0)
    return along, (u - start[0] - along * du) ** 2 + (v - start[1] - along * dv) ** 2
