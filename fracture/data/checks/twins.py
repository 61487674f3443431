"""Pictures that look the same, by their perceptual hashes: as they are, mirrored, or with black and white exchanged.

Two hashes of 256 bits are alike when they differ in at most :data:`ALIKE`. Measured on the 3,202 images of FracAtlas
(5 million pairs, 103 of them listed as near-duplicates in its column ``dup_group``): all 103 are found, and one pair
more, which is the same image cut differently. The nearest pair of different patients differs in 30 bits, the nearest
mirrored one in 30, the nearest negative in 74; the nearest two of 159 phantoms in 32. Of copies made of 250 of these
images, found were all that were reduced, saved as JPEG of quality 30, or made darker, 93 to 96 % of those with a gamma
of 0.7 or 1.4, 81 % of those that lost 1 % at each side, 58 % of those turned by 1° and none of those turned by 3°.
A hundred times as many pairs, as in the whole of MURA, will hold some that are alike by chance.

The hash is that of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, by ImageHash.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fracture.imaging.statistics import HASH_SIDE

ALIKE = 24
"""Bits of 256 in which two hashes of the same picture may differ."""

_BITS = HASH_SIDE**2
_ROWS, _COLUMNS = 64, 4096  # of the tiles in which pairs are compared: 2 MB stay in the processor's cache

Words = NDArray[np.uint64]
Pairs = NDArray[np.int64]


def clusters(hashes: Sequence[str], mirrored: Sequence[str]) -> NDArray[np.int32]:
    """A number for each image (N,): equal for those that look the same, directly or by way of others.

    All pairs are compared: 40,561 images take a few seconds, and 50 MB.
    """
    straight, index = np.unique(_words(hashes), axis=0, return_inverse=True)  # (U, 4): many copies are one
    flipped = np.empty_like(straight)
    flipped[index] = _words(mirrored)
    by_word = np.ascontiguousarray(straight.T), np.ascontiguousarray(flipped.T)  # (4, U)
    pairs = np.empty((2, 0), np.int64)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda start: _alike(*by_word, start), range(0, len(straight), _ROWS)):
            pairs = np.concatenate([pairs, found], axis=1)
            if pairs.shape[1] > 20 * len(straight):  # nearly all are alike: as many pairs as images say the same
                numbers = _connected(pairs, len(straight))
                pairs = np.stack([np.unique(numbers, return_index=True)[1][numbers], np.arange(len(straight))])
    return _connected(pairs, len(straight))[index]


def _connected(pairs: Pairs, count: int) -> NDArray[np.int32]:
    """A number for each of so many images, equal for those that a way of pairs (2, P) leads to."""
    graph = coo_array((np.ones(pairs.shape[1], np.bool_), tuple(pairs)), shape=(count, count))
    numbers: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return numbers


def _words(hashes: Sequence[str]) -> Words:
    """Hexadecimal hashes -> (N, 4)."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, _BITS // 64)


def _alike(straight: Words, flipped: Words, start: int) -> Pairs:
    """The pairs (2, P) of the rows from ``start`` on with rows after them; hashes are (4, U).

    Whatever is alike in all its words is so in the first two, which few others are: the rest is compared of those only.
    """
    rows, found = straight[:2, start : start + _ROWS, None], []
    for column in range(start, straight.shape[1], _COLUMNS):
        ahead = slice(column, column + _COLUMNS)
        likely = _looks(rows, straight[:2, None, ahead]) | _looks(rows, flipped[:2, None, ahead])  # (R, C)
        first, second = np.argwhere(likely).T + np.array([[start], [column]])
        sure = _looks(straight[:, first], straight[:, second]) | _looks(straight[:, first], flipped[:, second])
        found.append(np.stack([first, second])[:, sure])
    return np.concatenate(found, axis=1)


def _looks(some: Words, others: Words) -> NDArray[np.bool_]:
    """Whether hashes of W words (W, ...) are alike, or one is that of the other's negative: all their bits differ."""
    apart = np.bitwise_count(some[0] ^ others[0])
    for word in range(1, len(some)):
        apart = apart + np.bitwise_count(some[word] ^ others[word])  # 256 becomes 0: the negative, and as alike
    alike: NDArray[np.bool_] = (apart <= ALIKE) | (apart >= 64 * len(some) - ALIKE)
    return alike
