"""Parsed elements of a DICOM file -> one frame in gray, by its photometric interpretation.

Section numbers are those of the DICOM standard, PS3.3 2024.
"""

from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder

from fracture.errors import RadiographError
from fracture.imaging.dicom.color import STEP, color_to_gray
from fracture.imaging.dicom.elements import count_frames, size
from fracture.imaging.dicom.encoded import check_frame, unpack_frame
from fracture.imaging.dicom.groups import apply_groups
from fracture.imaging.dicom.monochrome import render
from fracture.imaging.dicom.palette import read_palette
from fracture.imaging.dicom.stored import alignment
from fracture.imaging.gray_scale import map_strips

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_ICT", "YBR_RCT")
NOT_READ = ("YBR_PARTIAL_420", "HSV", "ARGB", "CMYK", "XYB")
"""Photometric interpretations (C.7.6.3.1.2) that a message may name: of video, or no longer in the standard."""

COLOR_BITS = (8, 16, 32)
"""That may be allocated for each color."""

Gray = tuple[NDArray[np.uint8], tuple[str, ...]]
"""An image (H, W), and what was done."""


class DecodedFrame(NamedTuple):
    """One frame as it is stored."""

    stored: NDArray[Any]
    """(H, W), or (H, W, 3) in color."""
    kind: str
    """The photometric interpretation of the file."""
    color_space: str
    """That of the decoded pixels."""
    steps: tuple[str, ...]

    @property
    def is_gray(self) -> bool:
        """Whether the values are those of a gray scale."""
        return self.kind in MONOCHROME


def gray(dataset: pydicom.Dataset, name: str, frame: int = 1) -> Gray:
    """Decode a frame of MONOCHROME1, MONOCHROME2 or color, counted from 1: (H, W), and what was done.

    Raises RadiographError for what cannot be read.
    """
    decoded = decode(dataset, name, frame)
    if decoded.kind in COLOR:
        pixels, steps = color_to_gray(dataset, decoded.stored, decoded.color_space)
    elif decoded.kind == PALETTE:
        pixels, steps = _palette_to_gray(dataset, decoded.stored, name)
    else:
        pixels, steps = render(dataset, decoded.stored, name)
    return pixels, (*decoded.steps, *steps)


def decode(dataset: pydicom.Dataset, name: str, frame: int = 1) -> DecodedFrame:
    """The stored values of a frame, counted from 1. Raises RadiographError for what cannot be read."""
    width, height = size(dataset, name)
    kind = _check_kind(dataset, name)
    frames = _check_frames(dataset, name, frame)
    of_several = (f"frame {frame} of {frames}",) if frames > 1 else ()
    of_groups = apply_groups(dataset, frame - 1)
    check_frame(dataset, width, height, name, frame - 1)
    stored, color_space = _decode(dataset, name, frame - 1)
    # 8-bit JPEG may hold gray where the header says color.
    dimensions = 3 if kind in COLOR and stored.ndim == 3 else 2
    if stored.shape[:2] != (height, width) or stored.ndim != dimensions:
        raise ValueError("the pixels are not those of one image of this size")
    return DecodedFrame(stored, kind, color_space, (*of_several, *of_groups))


def _palette_to_gray(dataset: pydicom.Dataset, stored: NDArray[Any], name: str) -> Gray:
    palette = read_palette(dataset)
    if palette is None:
        raise RadiographError(f"{name} must have the palette of its colors. Received: none; export it in grayscale.")
    align, steps = alignment(dataset, stored)
    return map_strips(lambda strip: palette.apply(align(strip)), stored), (*steps, "palette", STEP)


def _decode(dataset: pydicom.Dataset, name: str, index: int) -> tuple[NDArray[Any], str]:
    """The stored values of a frame, counted from 0, (H, W) or (H, W, 3), and their photometric interpretation."""
    kind = str(dataset.PhotometricInterpretation)
    is_partial = kind == "YBR_PARTIAL_422" and not dataset.file_meta.TransferSyntaxUID.is_compressed
    if kind == "YBR_PARTIAL_422":  # pydicom knows it by the name of its layout alone
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    if unpack_frame(dataset, name, index):
        index = 0  # it is now the only one
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    # Bits that are no part of the values are cut off later, a strip at a time. (pydicom's types know other names.)
    options: Any = {"view_only": True, "correct_unused_bits": False}
    stored, meta = decoder.as_array(dataset, index=index, raw=True, **options)
    return stored, kind if is_partial else str(meta["photometric_interpretation"])


def _check_kind(dataset: pydicom.Dataset, name: str) -> str:
    """The photometric interpretation (C.7.6.3.1.2) of the one image that must be there."""
    if not dataset.get("PixelData"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    kind = str(dataset.PhotometricInterpretation)
    bits = int(dataset.BitsAllocated)
    if kind not in (*MONOCHROME, PALETTE) and not (kind in COLOR and bits in COLOR_BITS):
        # Only a known word is repeated: anything may stand in the header of an upload.
        shown = kind if kind in (*COLOR, *NOT_READ) else "something else"
        raise RadiographError(
            f"{name} must be MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR. "
            f"Received: {shown} with {bits} bits; export it in grayscale."
        )
    return kind


def _check_frames(dataset: pydicom.Dataset, name: str, frame: int) -> int:
    """How many frames there are. Raises RadiographError where the wanted one, counted from 1, is not among them."""
    frames = count_frames(dataset)
    dataset.NumberOfFrames = frames
    if not 1 <= frame <= frames:
        raise RadiographError(f"The frame of {name} must be 1 to {frames}. Received: {frame}; choose another one.")
    return frames
