"""The encoded pixels of a DICOM file: whether they can be decoded, how much memory that takes, and who decodes them.

::

    uncompressed   pydicom, as they lie in the file
    RLE            decoded here, by :func:`decode_rle`: pydicom's own loop takes seconds where runs are short
    JPEG, 8 bits   pydicom and Pillow, after a look at the frame header
    all others     12-bit JPEG, JPEG Lossless, JPEG-LS and JPEG 2000: a worker of :mod:`fracture.imaging.codecs.pool`

What is decoded must have the size and the samples of the DICOM header.
"""

import struct

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from fracture.errors import RadiographError
from fracture.imaging.codecs import pool
from fracture.imaging.limits import check_size
from fracture.imaging.png_jpeg import check_memory, jpeg_header

_RETIRED_JPEG = [UID(f"1.2.840.10008.1.2.4.{number}") for number in (52, 53, 54, 55, 56, 58)]
"""Processes that were in the standard until 2003 (PS3.5 A.4.1): spectral selection, progressive, and others."""

IN_WORKER = [*JPEGTransferSyntaxes, *_RETIRED_JPEG, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes]
"""Transfer syntaxes that the worker decodes, but for JPEG of 8 bits."""

_LOSSLESS_COLOR = [JPEGLossless, JPEGLosslessSV1, *JPEGLSTransferSyntaxes]
"""Transfer syntaxes of which the decoders leave color as it is."""

_LOSSY_DEEP = [JPEGLSNearLossless, JPEG2000, HTJ2K]
"""Lossy transfer syntaxes whose codestream may have more bits than are stored."""


def check_frame(dataset: pydicom.Dataset, width: int, height: int, name: str, index: int) -> None:
    """Raises RadiographError where a frame has an encoding that is not read, or takes too much to decode.

    ``index``: of the frame, from 0. The size in a JPEG frame must be that of the DICOM header: ValueError where it is
    not.
    """
    samples = int(dataset.SamplesPerPixel)
    if samples not in (1, 3):
        raise ValueError("an image has one or three samples a pixel")
    bytes_per_pixel = samples * max(1, int(dataset.BitsAllocated) // 8)
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        raise RadiographError(f"{name} is stored in a transfer syntax that is not known here; save it uncompressed.")
    if not syntax.is_compressed:
        # Native pixels are viewed where they lie in the file; those with swapped bytes or in color are copied once.
        copies = 1 if samples == 1 else 2
        check_size(width, height, name, copies * bytes_per_pixel + 1)
        return
    if syntax != RLELossless and syntax not in IN_WORKER:
        raise RadiographError(f"{name} is compressed as {syntax.name}, which is not read here; save it uncompressed.")
    check_size(width, height, name, 2 * bytes_per_pixel + 2, 2 * len(dataset.PixelData))
    if _is_jpeg_of_8_bits(dataset):
        frame = _frame(dataset, index)
        image = jpeg_header(frame)
        check_memory(image, frame, name, copies=3)
        if image.size != (width, height):
            raise ValueError("the frame has another size than the header says")


def unpack_frame(dataset: pydicom.Dataset, name: str, index: int) -> bool:
    """Replace the pixels by one frame of them, uncompressed, in place; whether that was needed.

    Uncompressed pixels and JPEG of 8 bits stay as they are. Raises RadiographError where the worker does.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or _is_jpeg_of_8_bits(dataset):
        return False
    frame = _frame(dataset, index)
    if syntax == RLELossless:
        samples = int(dataset.SamplesPerPixel)
        bits = int(dataset.BitsAllocated)
        planes = decode_rle(frame, int(dataset.Columns), int(dataset.Rows), samples, bits)
        dataset.PixelData = planes.tobytes()
        dataset.PlanarConfiguration = 1  # decode_rle gives color by plane, whatever the header says
    else:
        dataset.PixelData = _decode_in_worker(dataset, frame, name)
        dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.NumberOfFrames = 1
    return True


def _decode_in_worker(dataset: pydicom.Dataset, frame: bytes, name: str) -> bytes:
    """The stored values, in as many bytes as the header says. Raises ValueError where they are not those of it."""
    pixels = pool.decode_frame(frame, name).pixels
    samples = int(dataset.SamplesPerPixel)
    shape = (int(dataset.Rows), int(dataset.Columns))
    if pixels.shape != (shape if samples == 1 else (*shape, samples)):
        raise ValueError("the frame has another size than the header says")
    bytes_allocated = int(dataset.BitsAllocated) // 8
    if pixels.itemsize > bytes_allocated:
        raise ValueError("the frame has more bits than the header says")
    is_signed = bool(dataset.PixelRepresentation)
    if dataset.file_meta.TransferSyntaxUID in _LOSSY_DEEP and not is_signed:
        # What loss has lifted above the highest value would otherwise lose its upper bit, and become black.
        pixels = np.minimum(pixels, pixels.dtype.type(2 ** int(dataset.BitsStored) - 1))
    # The decoders turn the luma and chroma of JPEG and JPEG 2000 into RGB; those without loss keep what is stored.
    if samples == 3:
        is_kept = dataset.file_meta.TransferSyntaxUID in _LOSSLESS_COLOR
        is_luma = str(dataset.PhotometricInterpretation).startswith("YBR_FULL")
        dataset.PhotometricInterpretation = "YBR_FULL" if is_kept and is_luma else "RGB"
    return pixels.astype(f"<{pixels.dtype.kind}{bytes_allocated}", copy=False).tobytes()


def _is_jpeg_of_8_bits(dataset: pydicom.Dataset) -> bool:
    syntax = dataset.file_meta.TransferSyntaxUID
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and dataset.BitsAllocated == 8


def _frame(dataset: pydicom.Dataset, index: int) -> bytes:
    """One encoded frame (PS3.5 A.4), counted from 0."""
    return get_frame(dataset.PixelData, index, number_of_frames=int(dataset.NumberOfFrames))


def decode_rle(frame: bytes, width: int, height: int, samples: int, bits: int) -> NDArray[np.uint8]:
    """One RLE frame (DICOM PS3.5, annex G) in little endian: (samples, height, width, bits / 8), color by plane.

    Raises ValueError where the frame is damaged.
    """
    depth = bits // 8
    # G.5: the header is the number of segments, and where each of at most 15 begins.
    count, *starts = struct.unpack("<16I", frame[:64].ljust(64, b"\0"))
    if count != samples * depth or not 1 <= count <= 15:
        raise ValueError("the RLE frame has another number of segments than its image")
    ends = [*starts[1:count], len(frame)]
    planes = np.empty((samples, depth, height * width), np.uint8)
    for number, (start, end) in enumerate(zip(starts[:count], ends, strict=True)):
        # G.3.1 is the PackBits algorithm, which Pillow decodes in C.
        row = Image.frombytes("L", (height * width, 1), frame[start:end], "packbits", ("L",))
        sample, byte = divmod(number, depth)
        planes[sample, depth - 1 - byte] = np.asarray(row)[0]  # G.2: the most significant byte comes first
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(samples, height, width, depth)
