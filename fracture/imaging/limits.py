"""How much of a server's time and memory one file may take, whoever sent it.

With a model loaded and an upload of 100 MB in memory, a process stays under 500 MB; no file takes five seconds.
``python -m benchmarks.hostile_uploads`` measures both.
"""

from typing import Any, BinaryIO

from fracture.errors import RadiographError

MAX_PIXELS = 50_000_000
"""Of an image; the largest flat-panel detectors have about 20 million."""

MIN_PIXELS_LEFT = 1_000_000
"""An encoding that takes so much memory that fewer pixels than these would be allowed is refused altogether."""

MAX_SIDE = 65_535
"""px: as far as DICOM and JPEG can count. Scaling takes memory for every row."""

MAX_DECODING_BYTES = 150_000_000
"""Memory that decoding may take besides the file: enough for :data:`MAX_PIXELS` of 16 bits."""

MAX_FILE_MB = 50
"""Of one upload, on a page and through the REST interface."""

MAX_UPLOADS = 100
"""Uploads that are read at once; where several models are asked, so many fewer."""

MAX_KEPT_BYTES = 100 * 2**20
"""Of one visitor's uploads: larger ones do not stay. A request to the REST interface may have as many."""

MAX_READS = 50_000
"""How often a file may be read from. Real ones have a few hundred parts; ten million take a minute to go through."""


class Bounded:
    """An open file that may be read from so many times; then it raises ValueError, as damaged files do."""

    def __init__(self, file: BinaryIO, reads: int = MAX_READS) -> None:
        self._file = file
        self._reads_left = reads

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("the file has too many parts")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def check_size(width: int, height: int, name: str, bytes_per_pixel: int = 1, fixed_bytes: int = 0) -> None:
    """Raises RadiographError for an image of too many pixels, or that takes too much memory to decode.

    ``bytes_per_pixel``: that decoding takes; ``fixed_bytes``: that it takes whatever the image's size is.
    """
    allowed = min(MAX_PIXELS, (MAX_DECODING_BYTES - fixed_bytes) // bytes_per_pixel)
    if allowed < MIN_PIXELS_LEFT:
        raise RadiographError(f"{name} takes too much memory to decode with this compression; save it as a PNG.")
    if width * height > allowed:
        compression = "" if allowed == MAX_PIXELS else " with this compression"
        raise RadiographError(
            f"{name} must have at most {allowed // 10**6} million pixels{compression}. "
            f"Received: {width} x {height}; reduce it first."
        )
    # A side is still unbounded: 40 million x 1 px has few pixels.
    if max(width, height) > MAX_SIDE:
        raise RadiographError(f"{name} must have at most {MAX_SIDE:,} px a side. Received: {width} x {height}.")
