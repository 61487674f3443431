"""The frame of a DICOM file: whether it can be decoded, how much that takes, and RLE, which is unpacked here."""

import pydicom
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import ExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from fracture.errors import RadiographError
from fracture.imaging.codestream import MAGIC, codestream
from fracture.imaging.limits import check_size
from fracture.imaging.png_jpeg import check_picture, jpeg_header
from fracture.imaging.rle import unpack_rle

MOST_JPEG2000 = 20_000_000
"""Bytes of a JPEG 2000 frame: about 6 million are decoded in a second."""


MOST_TILES = 4096
"""Of a JPEG 2000 frame; each takes 6 kB before it is decoded."""

JPEG2000 = (MAGIC, b"\x00\x00\x00\x0cjP")


def check_frame(dataset: pydicom.Dataset, width: int, height: int, name: str) -> None:
    """Raises RadiographError where the pixels are packed in a way that is not read, or take too much to decode.

    What the packed image says of its own size must agree with the header: ValueError where it does not.
    """
    samples, bits = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated)
    if samples not in (1, 3):
        raise ValueError("an image has one or three samples a pixel")
    stored = samples * max(1, bits // 8)
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        raise RadiographError(f"{name} is stored in a transfer syntax that is not known here; save it uncompressed.")
    if not syntax.is_compressed:
        # Native pixels are looked at where they lie, but for those in swapped or half colours.
        check_size(width, height, name, (1 if samples == 1 else 2) * stored + 1)
        return
    _check_codec(dataset, name)
    check_size(width, height, name, 2 * stored + 2, 2 * len(dataset.PixelData))
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if frame.startswith(b"\xff\xd8\xff"):
        image = jpeg_header(frame)
        check_picture(image, frame, name, copies=3)
        found = image.size
    elif frame.startswith(JPEG2000):
        stream = codestream(frame)
        check_size(stream.width, stream.height, name, stream.bytes_a_pixel)
        if stream.tiles > MOST_TILES:
            raise ValueError("too many tiles")
        if len(frame) > MOST_JPEG2000:
            raise RadiographError(
                f"{name} must have at most {MOST_JPEG2000 // 10**6} MB as JPEG 2000, which is slow to decode. "
                f"Received: {len(frame) / 1e6:,.0f} MB; save it uncompressed."
            )
        found = stream.width, stream.height
    elif syntax == RLELossless:
        return
    else:
        raise ValueError("the frame is not packed as the header says")
    if found != (width, height):
        raise ValueError("the packed image has another size than the header says")


def unpack(dataset: pydicom.Dataset) -> None:
    """Put native pixels in the place of RLE; any others stay as they are."""
    if dataset.file_meta.TransferSyntaxUID != RLELossless:
        return
    samples, bits = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    planes = unpack_rle(frame, int(dataset.Columns), int(dataset.Rows), samples, bits)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData, dataset.PlanarConfiguration = planes.tobytes(), 1


def _check_codec(dataset: pydicom.Dataset, name: str) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:  # what pydicom raises for a syntax that it has never heard of
        known = False
    if not known or (syntax == JPEGExtended12Bit and dataset.BitsAllocated > 8):  # Pillow reads its 8-bit form only
        raise RadiographError(f"{name} is compressed as {syntax.name}, which is not read here; save it uncompressed.")
