"""The person and the finding of a study, sampled at random: the harder, the more varied and misleading.

``hardness`` is 0 to 1 throughout.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from fracture.phantoms.anatomy.body import Body
from fracture.phantoms.anatomy.fractures import Fracture, sample_fracture, sample_growth_plates
from fracture.phantoms.anatomy.geometry import Array
from fracture.phantoms.anatomy.humerus import TEXTURE, Humerus, Lucency
from fracture.phantoms.anatomy.implants import Hardware, sample_hardware
from fracture.phantoms.plan import HARDWARE_SHARE

FRAMINGS = {"whole": (-0.14, 1.08), "upper": (-0.12, 0.49), "lower": (0.44, 1.06)}
"""From where to where along the bone the images of a study reach, as shares of its length. The part is sampled before
the finding in it: the framing must be no shortcut to the label."""

TRAPS = {"nutrient canal": 0.2, "calcification": 0.08, "overlapping ribs": 0.06, "skin fold": 0.1}
"""Normal structures that can mislead, and their probability at hardness 0.2, which grows with hardness; the growth
plates of children are another."""


@dataclass(frozen=True)
class Person:
    """Whose arm it is."""

    body: Body
    bone: Humerus
    side: str
    """L or R."""
    traps: tuple[str, ...]
    seed: int
    """Of the random places of this person's traps."""


@dataclass(frozen=True)
class Finding:
    """The part of the bone that a study shows, and what is abnormal there; nothing by default."""

    part: str
    """A key of :data:`FRAMINGS`."""
    fracture: Fracture | None = None
    hardware: Hardware | None = None

    def extent(self, length: float) -> tuple[float, float]:
        """From where to where along a bone of this length it reaches, in mm; its middle where there is nothing."""
        ends = [length / 2]
        if self.fracture:
            ends = []
            for fragment in self.fracture.fragments:
                for surface in fragment.surfaces:
                    ends += [surface.level - surface.reach, surface.level + surface.reach]
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
    """How much persons and exposures vary, as a share of their variation at hardness 1."""
    return 0.1 + 0.9 * hardness


def sample_person(rng: np.random.Generator, hardness: float) -> Person:
    """A person at random; the harder, the stouter."""
    # The harder, the more children: their growth plates look like fractures.
    child = bool(rng.random() < 0.28 * hardness)
    varied = spread(hardness)
    scale = rng.uniform(0.62, 0.85) if child else np.clip(rng.normal(1.0, 0.07 * varied), 0.86, 1.14)
    side = "L" if rng.random() < 0.5 else "R"
    body = _sample_body(rng, hardness, float(scale), child, side)
    bone = _sample_bone(rng, varied, float(scale), child)
    # A random number for each trap, whether it is found or not: the next one must not depend on it.
    more_often = 0.5 + 2.5 * hardness
    found = [name for name, chance in TRAPS.items() if rng.random() < chance * more_often]
    traps = tuple(["growth plates", *found] if child else found)
    return Person(body, bone, side, traps, int(rng.integers(2**32)))


def _sample_body(rng: np.random.Generator, hardness: float, scale: float, child: bool, side: str) -> Body:
    varied = spread(hardness)
    slight = 0.9 if child else 1.0
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


def _sample_bone(rng: np.random.Generator, varied: float, scale: float, child: bool) -> Humerus:
    thin = rng.random() < 0.3 * varied  # osteoporosis: less of the cortex and of the cancellous bone
    shell = (0.55, 0.8) if thin else (0.85, 1.15)
    marrow = (0.5, 0.8) if thin else (0.8, 1.25)
    bone = Humerus(
        scale=scale,
        width=float(np.clip(rng.normal(1.0, 0.07 * varied), 0.85, 1.15)),
        shell=float(rng.uniform(*shell)),
        marrow=float(rng.uniform(*marrow)),
        bow=float(rng.normal(2, 2)),
        texture=_texture(rng),
    )
    if not child:
        return bone
    plates = sample_growth_plates(rng, bone)
    return replace(bone, lucencies=tuple(Lucency(surface, wide, 0.85, 0.12) for surface, wide in plates))


def _texture(rng: np.random.Generator) -> Array:
    noise = rng.standard_normal(TEXTURE)
    # The first axis goes around the bone and closes; the second goes along it.
    fine = ndimage.gaussian_filter(noise, (1.0, 2.2), mode=("wrap", "nearest"))
    coarse = ndimage.gaussian_filter(noise, (5, 12), mode=("wrap", "nearest"))
    texture: Array = 0.16 * fine / fine.std() + 0.10 * coarse / coarse.std()
    return texture


def sample_finding(
    rng: np.random.Generator,
    bone: Humerus,
    hardness: float,
    abnormal: bool | None = None,
    hardware_share: float | None = HARDWARE_SHARE,
) -> Finding:
    """The part that a study shows, and what is abnormal there: a fracture, or hardware.

    Args:
        rng: the random generator.
        bone: what may be broken.
        hardness: 0 to 1.
        abnormal: whether there is an abnormality; None: with a probability of one half.
        hardware_share: as in :class:`fracture.phantoms.plan.Plan`.
    """
    part = str(rng.choice(tuple(FRAMINGS), p=(0.06, 0.52, 0.42)))
    by_chance = rng.random() < 0.5  # sampled in any case, so that the numbers that follow stay the same
    is_abnormal = by_chance if abnormal is None else abnormal
    if not is_abnormal:
        return Finding(part)
    low, high = [float(np.clip(share, 0, 1)) * bone.length for share in FRAMINGS[part]]
    margin = 20 * bone.scale  # mm from the edge of the image
    ends = (low + margin, high - margin)
    former = hardware_share is None
    chance = 0.9 * (1 - hardness) if hardware_share is None else hardware_share
    if rng.random() >= chance:
        return Finding(part, sample_fracture(rng, bone, ends, hardness, obvious=not former))
    hardware = sample_hardware(rng, bone, ends)
    if rng.random() < 0.4:
        return Finding(part, hardware=hardware)
    fracture = sample_fracture(rng, bone, (hardware.held, hardware.held), hardness, reduced=True)
    return Finding(part, fracture, hardware)
