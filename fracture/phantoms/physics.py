"""The physics of a radiograph: from path lengths in each material to gray levels.

The beam is polychromatic, so that it hardens: the first millimeters of bone take away more of it than the last.
Attenuation coefficients are those of Hubbell and Seltzer, "Tables of X-Ray Mass Attenuation Coefficients" (NIST
Standard Reference Database 126, 2004; doi 10.18434/T4D01F), times the density, at 40, 50, 60 and 80 keV.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from fracture.phantoms.anatomy.geometry import Array

ATTENUATION = {  # 1/mm
    "soft": np.array([0.02849, 0.02400, 0.02171, 0.01932]),  # ICRU-44 soft tissue, 1.06 g/cm³
    "fat": np.array([0.02276, 0.02017, 0.01875, 0.01710]),  # ICRU-44 adipose tissue, 0.95 g/cm³
    "bone": np.array([0.12778, 0.08145, 0.06044, 0.04280]),  # ICRU-44 cortical bone, 1.92 g/cm³
    "titanium": np.array([1.00516, 0.55070, 0.34781, 0.18396]),  # 4.54 g/cm³
    "steel": np.array([2.85747, 1.54173, 0.94882, 0.46866]),  # as iron, 7.874 g/cm³
    "lead": np.array([16.3, 9.13, 5.70, 2.75]),  # 11.35 g/cm³
}
_SOFT_BEAM = np.array([0.42, 0.38, 0.18, 0.02])
"""Shares of the four energies behind a tube at about 60 kV ..."""
_HARD_BEAM = np.array([0.24, 0.28, 0.28, 0.20])
"""... and at about 85 kV."""


@dataclass(frozen=True)
class Exposure:
    """How a view was taken and shown."""

    beam: float
    """0: a tube at about 60 kV; 1: at about 85 kV."""
    scatter: float
    """Scattered radiation, as a share of what comes through unscattered around it."""
    blur: float
    """Standard deviation of focal spot and detector together, in px."""
    dose: float
    """Photons that reach a pixel of the detector where nothing is in the way."""
    black: float
    """Gray level, 0 to 1, at which air is shown."""
    white: float
    """Gray level that the densest approaches and does not pass."""
    edges: float
    """How much edges are enhanced."""
    inverted: bool = False
    """Bone is shown dark."""


def transmission(paths: dict[str, Array], beam: float) -> Array:
    """The share of the beam that is transmitted, by Beer and Lambert's law for each energy.

    ``paths``: mm by material; ``beam`` as in :class:`Exposure`.
    """
    spectrum = _SOFT_BEAM + beam * (_HARD_BEAM - _SOFT_BEAM)
    total: Array = np.zeros_like(next(iter(paths.values())))
    for energy, share in enumerate(spectrum):
        attenuation = sum(ATTENUATION[name][energy] * path for name, path in paths.items())
        total += share * np.exp(-attenuation)
    return total


def develop(signal: Array, levels: tuple[float, float], exposure: Exposure, rng: np.random.Generator) -> Array:
    """Gray levels, 0 to 255 and not yet rounded, of the signal in each pixel.

    Args:
        signal: share of the beam that reaches the pixel unscattered, (H, W).
        levels: -log of the share that is shown as air, and of the one that would be shown white.
        exposure: how it was taken and shown.
        rng: of the noise.
    """
    # As in a detector: scatter is a part of the light, blur spreads it, and only then are photons counted, with noise.
    signal = signal + exposure.scatter * _spread(signal, 40) + 0.004
    signal = ndimage.gaussian_filter(signal, exposure.blur, truncate=3)
    noise = rng.standard_normal(signal.shape)
    noise = 0.8 * noise + 0.9 * ndimage.uniform_filter(noise, 3)  # neighboring pixels share some light
    # The noise of counts grows as their root (Poisson); below 0 there is no logarithm.
    signal = np.maximum(signal + np.sqrt(signal / exposure.dose) * noise, 1e-4)
    density = -np.log(signal)
    if exposure.edges:
        density += exposure.edges * (density - _spread(density, 6))
    low, high = levels
    shown = exposure.black + (1 - exposure.black) * np.maximum((density - low) / (high - low), 0)
    # The shoulder of a film: straight at first, then bending to white.
    shown *= (1 + (shown / exposure.white) ** 6) ** (-1 / 6)
    shown = np.clip(shown, 0, 1) * 255
    return 255 - shown if exposure.inverted else shown


def _spread(image: Array, sigma: float) -> Array:
    """A blur so wide that it can be computed from means over 4 x 4 px."""
    height, width = image.shape
    small = image.reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, sigma / 4, truncate=3, mode="nearest")
    return stretch(small, (height, width))


def stretch(small: Array, shape: tuple[int, int]) -> Array:
    """A coarse image (h, w) at a finer size (H, W), linear between its pixels."""
    return _stretch_rows(_stretch_rows(small, shape[0]).T, shape[1]).T


def _stretch_rows(small: Array, count: int) -> Array:
    """(h, w) -> (count, w). By hand: a product of matrices takes all cores and makes others wait."""
    few = len(small)
    # Pixels are compared by their middles; beyond the outermost ones the image is constant.
    place = np.clip((np.arange(count) + 0.5) * few / count - 0.5, 0, few - 1)
    before = np.minimum(place.astype(np.intp), few - 2)
    share = (place - before)[:, None]
    rows = small[before]
    result: Array = rows + share * (small[before + 1] - rows)
    return result
