"""Which studies of a job were answered before it was interrupted."""

from array import array
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


class DoneStudies:
    """Which studies were answered: 8 bytes each, a part of the SHA of their names.

    Of ten million names, two share one with a probability of 3 in a million.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        keys = array("Q", map(_key, names))
        self._keys: NDArray[np.uint64] = np.unique(np.frombuffer(keys, np.uint64)) if keys else np.empty(0, np.uint64)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: str) -> bool:
        key = np.uint64(_key(name))
        place = int(np.searchsorted(self._keys, key))
        return place < len(self._keys) and bool(self._keys[place] == key)


def _key(name: str) -> int:
    return int.from_bytes(blake2b(as_text(name).encode(), digest_size=8).digest(), "big")


def as_text(name: str) -> str:
    """A name as it is written: what is no text in it is escaped."""
    return name.encode(errors="backslashreplace").decode()
