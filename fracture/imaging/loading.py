"""Image files -> fitted pixels, decoded on all cores a few images ahead of the caller."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RadiographError
from fracture.imaging.radiograph import fit, load
from fracture.paths import sanitize_name

IMAGES_AHEAD = 64
"""Images that are decoded while the caller works; this bounds memory, however many files there are."""

_log = logging.getLogger(__name__)


def decode(paths: Sequence[str], size: int, how: str) -> Iterator[NDArray[np.uint8] | None]:
    """Decode and fit image files in their order.

    Args:
        paths: of the files.
        size: side of the square in px.
        how: ``stretch`` or ``letterbox``, see :func:`fracture.imaging.radiograph.fit`.

    Yields:
        (size, size) uint8 of each file; None where it can't be read, which the log says.
    """
    pool = ThreadPoolExecutor(thread_name_prefix="decode")
    waiting: deque[Future[NDArray[np.uint8] | None]] = deque()
    try:
        for path in paths:
            waiting.append(pool.submit(_decode, path, size, how))
            if len(waiting) > IMAGES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # The caller may have left early: what nobody takes need not be decoded.
        pool.shutdown(cancel_futures=True)


def _decode(path: str, size: int, how: str) -> NDArray[np.uint8] | None:
    try:
        return fit(load(Path(path)).pixels, size, how)
    except RadiographError:
        _log.info("%s can't be read and is left out", sanitize_name(Path(path).name))
        return None
