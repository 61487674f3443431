"""What in an image file may tell who the patient is: its study, and text that is burned into the picture.

Neither is ever shown, stored or logged: a study is compared by a salted hash.
"""

import hashlib
import logging
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import HEAD_BYTES, recognize, unpack_gzip

_log = logging.getLogger(__name__)

HASH_BYTES = 16
"""Of the hash of a study."""

TEXT_GRAY = 40
"""Gray levels by which letters stand out from the median around them."""

_LETTER_PX = (5, 40)
"""Heights of letters in a picture of about 1,000 px."""

_EDGE = 0.2
"""Share of width and height from each edge, where text is."""

FEWEST_LETTERS = 8
"""In a line; side markers have fewer. ``python -m benchmarks.burned_in_text`` measures it: of FracAtlas's 3,202 images
2 have so many, and of the same with a line of text drawn into them 95.5 %."""


def hash_study(data: bytes, salt: bytes) -> str:
    """A hash of the study that a DICOM file belongs to, the same for all its files; "" where none is named.

    ``salt``: of at most 64 bytes; hashes of different salts can't be compared.
    """
    study = _element(data, "StudyInstanceUID").encode()
    return hashlib.blake2b(study, digest_size=HASH_BYTES, key=salt).hexdigest() if study else ""


def declares_text(data: bytes) -> bool:
    """Whether a DICOM file says that text that names the patient is burned into it (PS3.3 2024, C.7.6.1.1.1)."""
    return _element(data, "BurnedInAnnotation") == "YES"


def _element(data: bytes, keyword: str) -> str:
    """The value of an element of a DICOM file, also in a gzip file; "" for all other files, and for damaged ones."""
    try:
        kind = recognize(data[:HEAD_BYTES], "the file")
        if kind == "gzip":
            data = unpack_gzip(data, "the file")
        elif kind != "DICOM":
            return ""
        from fracture.imaging.dicom.elements import read_elements

        return str(read_elements(BytesIO(data), "the file", [keyword]).get(keyword) or "").strip()
    except RadiographError:
        return ""
    except Exception as error:  # noqa: BLE001 - pydicom raises anything for damaged files; reading the image says so
        _log.info("%s can't be read from a DICOM file: %s", keyword, type(error).__name__)  # nothing of the header
        return ""


def seems_to_have_text(pixels: NDArray[np.uint8]) -> bool:
    """Whether an image (H, W) of about 1,000 px has a line of letters near an edge."""
    return count_letters(pixels) >= FEWEST_LETTERS


def count_letters(pixels: NDArray[np.uint8]) -> int:
    """The letters of the longest line of text near an edge of an image (H, W).

    A letter is a small, bright part that is no solid block. Those of a line have one height and one baseline, and stand
    close together.
    """
    letters = _find_letters(pixels)
    longest = 0
    for _, bottom, height, _ in letters:
        same_line = abs(letters[:, 1] - bottom) <= max(1.0, 0.15 * height)
        same_height = abs(letters[:, 2] - height) <= max(1.0, 0.25 * height)
        left = np.sort(letters[same_line & same_height, 0])
        longest = max(longest, _longest_run(left, 2.5 * height))
    return longest


def _longest_run(positions: NDArray[np.float64], gap: float) -> int:
    """How many positions follow each other within ``gap``."""
    ends = np.flatnonzero(np.diff(positions) > gap)
    return int(np.diff([-1, *ends, len(positions) - 1]).max())


def _find_letters(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(left, bottom, height, width) in px of each part that may be a letter, (N, 4)."""
    # Opening takes away what is thin: what is left of an image without it are the strokes of letters.
    strokes = pixels.astype(np.int16) - ndimage.grey_opening(pixels, (9, 9))
    labels, _ = ndimage.label(strokes > TEXT_GRAY)
    found = []
    for rows, columns in ndimage.find_objects(labels):
        height = rows.stop - rows.start
        width = columns.stop - columns.start
        if not _LETTER_PX[0] <= height <= _LETTER_PX[1] or width > 1.5 * height:
            continue
        middle = ((rows.start + rows.stop) / 2 / pixels.shape[0], (columns.start + columns.stop) / 2 / pixels.shape[1])
        if all(_EDGE < share < 1 - _EDGE for share in middle):
            continue
        found.append((columns.start, rows.stop, height, width))
    return np.array(found, np.float64).reshape(-1, 4)
