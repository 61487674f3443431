"""The one image of a DICOM file in gray, decoded by pydicom.

::

    elements ── groups (what an enhanced object says of one frame) ──> image ── encoded ──> stored values
    stored values ── monochrome (stored, window) or color (palette) ──> 8-bit gray

Only the elements that describe pixels are read: names and whatever else stands in the header never get beyond the file.
Imported by :mod:`fracture.imaging.radiograph` only when a DICOM file comes: pydicom takes 0.2 s to import.
"""

from fracture.imaging.dicom.elements import count_frames, parse, size
from fracture.imaging.dicom.image import decode, gray

__all__ = ["count_frames", "decode", "gray", "parse", "size"]
