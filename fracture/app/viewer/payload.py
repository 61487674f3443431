"""An image for the viewer as bytes: a head in JSON, and its pixels of 8 or 16 bits behind it.

::

    length of the head, 4 bytes in little endian | head | width x height x bytesPerPixel bytes in little endian
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.data.checks.quality import DARKEST_HIGH
from fracture.files import JsonObject
from fracture.imaging.annotations import Box
from fracture.imaging.viewing.changes import PictureChanges
from fracture.imaging.viewing.full_depth import FullDepth

DARK = "This image is dark; Auto window spreads its gray levels."

MAX_SIDE = 2000
"""px of the longer side that is sent: twice what a laptop's screen shows, in at most 8 MB."""


def pack(
    full: FullDepth,
    name: str,
    *,
    changes: PictureChanges | None = None,
    boxes: Sequence[Box] = (),
    notes: Sequence[str] = (),
) -> bytes:
    """The bytes that ``unpack`` in gray.js reads.

    Args:
        full: the image, of which a smaller copy is sent where it is large.
        name: as which a screen reader says it.
        changes: those of the picture that was classified; None where the viewer may make none.
        boxes: in px of the image.
        notes: sentences that stand below the image; one is added where the copy is smaller.
    """
    shown = full.shrunk(MAX_SIDE)
    pixels = np.ascontiguousarray(shown.pixels, "<u1" if shown.bits <= 8 else "<u2")
    content = pixels.data.cast("B")
    head = {
        **_describe_pixels(full, pixels),
        "name": name,
        "spacing": full.spacing and full.spacing._asdict(),
        "changing": changes is not None,
        "changes": asdict(changes or PictureChanges()),
        "boxes": [list(box) for box in boxes],
        "notes": [*notes, *_describe_copy(full, shown), *_describe_dark(shown)],
    }
    head["id"] = hashlib.sha256(content).hexdigest() + _digest(head)
    encoded = json.dumps(head).encode()
    return b"".join((struct.pack("<I", len(encoded)), encoded, content))


def _describe_pixels(full: FullDepth, pixels: NDArray[Any]) -> JsonObject:
    """The sizes of the copy and of the image, and what the pixels stand for."""
    ends = (full.slope * float(end) + full.intercept for end in (full.pixels.min(), full.pixels.max()))
    lowest, highest = sorted(ends)
    return {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "bytesPerPixel": pixels.itemsize,
        "imageWidth": full.width,
        "imageHeight": full.height,
        "slope": full.slope,
        "intercept": full.intercept,
        "lowest": lowest,
        "highest": highest,
        "window": full.window,
        "autoWindow": auto_window(full),
        "inverted": full.inverted,
    }


def auto_window(full: FullDepth) -> tuple[float, float]:
    """Center and width of the window that shows the values from the 1st to the 99th percentile."""
    stored = np.percentile(full.pixels, (1, 99))
    low, high = sorted(full.slope * float(value) + full.intercept for value in stored)
    return (low + high) / 2, max(high - low, abs(full.slope))


def _describe_dark(full: FullDepth) -> list[str]:
    """The offer of another window, where nearly all of the image is dark in its own."""
    return [DARK] if np.percentile(full.gray(), 99) < DARKEST_HIGH else []


def _digest(head: JsonObject) -> str:
    """Of all that makes it another image for the viewer; boxes and notes may come and go over the same one."""
    identity = {key: value for key, value in head.items() if key not in ("boxes", "notes")}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _describe_copy(full: FullDepth, shown: FullDepth) -> list[str]:
    if shown is full:
        return []
    height, width = shown.pixels.shape
    return [f"Shown from a copy of {width} × {height} px; the image has {full.width} × {full.height} px."]
