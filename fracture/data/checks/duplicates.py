"""Duplicates and near-duplicates: files with the same bytes, and images with nearly the same perceptual hash.

Duplicates count double within one split, and are a data leakage across two. Views of one study are meant to be similar
and are left alone, unless they are the same file.

The hash is that of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, by ImageHash. An
image is compared as it is, mirrored, and with black and white exchanged. How good the limit
:data:`MAX_HASH_DISTANCE` is was measured on the 3,202 images of FracAtlas (5 million pairs, 103 of them listed as
near-duplicates in its column ``dup_group``): all 103 are found, and one pair more, which is the same image cut
differently. The nearest pair of different patients differs in 30 bits, the nearest mirrored one in 30, the nearest
negative in 74; the nearest two of 159 phantoms in 32. Of copies of 250 of these images, found were all that were
reduced, saved as JPEG of quality 30, or made darker, 93 to 96 % of those with a gamma of 0.7 or 1.4, 81 % of those that
lost 1 % at each side, 58 % of those turned by 1° and none of those turned by 3°. A hundred times as many pairs, as in
the whole of MURA, will hold some that are similar by chance.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.checks.appearance import seem_blank
from fracture.data.checks.problem import Problem, number
from fracture.data.checks.table import differ_within
from fracture.imaging.statistics import HASH_SIDE

MAX_HASH_DISTANCE = 24
"""Bits of 256 in which two hashes of the same picture may differ."""

_HASH_BITS = HASH_SIDE**2

# The tiles in which pairs are compared: 2 MB, which stay in the processor's cache.
_TILE_ROWS = 64
_TILE_COLUMNS = 4096

Hashes = NDArray[np.uint64]
"""Hashes in words of 64 bits: (4, N), the words of one hash below each other."""

Pairs = NDArray[np.int64]
"""(2, P) places of two images each."""

_WHY_LEAKAGE = "A network that memorized the image in one split knows the answer in the other: results look too good."
_WHY_CONTRADICTION = "One of the two labels must be wrong; the network is trained and evaluated on both."
_WHY_REPEATED = "An image that is there twice counts twice, in training and in every metric."


def check_duplicates(images: pd.DataFrame) -> Iterator[Problem]:
    """All problems with duplicates; ``images``: those of a data set, with their measurements."""
    yield from _identical(images[images["sha256"] != ""])
    yield from _similar(images)


def _identical(images: pd.DataFrame) -> Iterator[Problem]:
    """Files that are the same byte by byte."""
    copies = images[images.duplicated("sha256", keep=False)]
    across = differ_within(copies, "sha256", "split")
    contradicting = differ_within(copies, "sha256", "label")
    said = "in different splits are copies of each other; keep one of each."
    yield from _problem(copies[across], "sha256", "copies", "error", said=said, why=_WHY_LEAKAGE)
    said = "are identical files with contradicting labels; decide which label is right."
    yield from _problem(copies[contradicting], "sha256", "contradiction", "error", said=said, why=_WHY_CONTRADICTION)
    said = "of the same split are copies of each other; keep one of each."
    yield from _problem(copies[~across & ~contradicting], "sha256", "repeated", "note", said=said, why=_WHY_REPEATED)


def _similar(images: pd.DataFrame) -> Iterator[Problem]:
    """Near-duplicates: similar images in different files and of different studies; and the copies of these files."""
    with_content = images[images["readable"] & ~seem_blank(images)]
    cluster = clusters(list(with_content["phash"]), list(with_content["phash_mirrored"]))
    clustered = with_content.assign(cluster=cluster)
    several_studies = differ_within(clustered, "cluster", "study")
    several_files = differ_within(clustered, "cluster", "sha256")
    similar = clustered[several_studies & several_files]
    several_splits = differ_within(similar, "cluster", "split")
    contradicting = differ_within(similar, "cluster", "label")
    # Where the images are of one group, the check of the table has reported the data leakage.
    across = several_splits & differ_within(similar, "cluster", "group")
    same = "perhaps mirrored or inverted; if they are the same image,"
    said = f"in different splits look the same, {same} keep one of each."
    yield from _problem(similar[across], "cluster", "near copies", "warning", said=said, why=_WHY_LEAKAGE)
    said = f"look the same as another with the opposite label, {same} decide which label is right."
    yield from _problem(
        similar[contradicting], "cluster", "near contradiction", "warning", said=said, why=_WHY_CONTRADICTION
    )
    said = f"of the same split look the same as another, {same} keep one of each."
    rest = similar[~several_splits & ~contradicting]
    yield from _problem(rest, "cluster", "near repeated", "note", said=said, why=_WHY_REPEATED)


def _problem(images: pd.DataFrame, key: str, kind: str, severity: str, *, said: str, why: str) -> Iterator[Problem]:
    """The problem of these images, duplicates by ``key``; nothing where there are none."""
    if not images.empty:
        ids = _side_by_side(images, key)
        yield Problem(kind, severity, f"{number(ids, 'image')} {said}", why, ids)


def _side_by_side(images: pd.DataFrame, key: str) -> tuple[str, ...]:
    """Image ids with duplicates side by side, in the order in which the table has the first of each."""
    place = images.groupby(key, sort=False).ngroup()
    return tuple(images.loc[place.sort_values(kind="stable").index, "image_id"])


def clusters(hashes: Sequence[str], mirrored: Sequence[str]) -> NDArray[np.int32]:
    """The number of a cluster for each image (N,): equal for near-duplicates, directly or by way of others.

    All pairs are compared: 40,561 images take a few seconds, and 50 MB.
    """
    unique, index = np.unique(_parse_hashes(hashes), axis=0, return_inverse=True)  # (U, 4): many copies are one
    # It is enough to mirror one image of a pair.
    of_mirror_image = np.empty_like(unique)
    of_mirror_image[index] = _parse_hashes(mirrored)
    # (4, U): the same word of all hashes lies together.
    straight = np.ascontiguousarray(unique.T)
    flipped = np.ascontiguousarray(of_mirror_image.T)
    count = len(unique)
    pairs = np.empty((2, 0), np.int64)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tiles = range(0, count, _TILE_ROWS)
        for found in pool.map(lambda start: _similar_pairs(straight, flipped, start), tiles):
            pairs = np.concatenate([pairs, found], axis=1)
            # Where nearly all images are similar, pairs would fill the memory: one for each image says the same.
            if pairs.shape[1] > 20 * count:
                numbers = _connected(pairs, count)
                first_of_cluster = np.unique(numbers, return_index=True)[1]
                pairs = np.stack([first_of_cluster[numbers], np.arange(count)])
    return _connected(pairs, count)[index]


def _connected(pairs: Pairs, count: int) -> NDArray[np.int32]:
    """The number of the connected component for each of so many images; pairs (2, P) are the edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(pairs.shape[1], np.bool_), tuple(pairs)), shape=(count, count))
    numbers: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return numbers


def _parse_hashes(hashes: Sequence[str]) -> Hashes:
    """Hexadecimal hashes -> (N, 4)."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, _HASH_BITS // 64)


def _similar_pairs(straight: Hashes, flipped: Hashes, start: int) -> Pairs:
    """The pairs (2, P) of the rows from ``start`` on with rows after them; hashes are (4, U).

    Hashes that are similar in all their words are so in the first two, which few others are: the rest is compared of
    those only.
    """
    rows = straight[:2, start : start + _TILE_ROWS, None]  # (2, R, 1)
    found = []
    for column in range(start, straight.shape[1], _TILE_COLUMNS):
        ahead = slice(column, column + _TILE_COLUMNS)
        candidates = _similar_hashes(rows, straight[:2, None, ahead])  # (R, C)
        candidates |= _similar_hashes(rows, flipped[:2, None, ahead])
        first, second = np.argwhere(candidates).T + np.array([[start], [column]])
        similar = _similar_hashes(straight[:, first], straight[:, second])
        similar |= _similar_hashes(straight[:, first], flipped[:, second])
        found.append(np.stack([first, second])[:, similar])
    return np.concatenate(found, axis=1)


def _similar_hashes(some: Hashes, others: Hashes) -> NDArray[np.bool_]:
    """Whether hashes of W words (W, ...) are similar, or one is that of the other's negative: all their bits differ."""
    distance = np.bitwise_count(some[0] ^ others[0])
    for word in range(1, len(some)):
        # In 8 bits, a distance of 256 becomes 0: that is the exact negative, and as similar.
        distance = distance + np.bitwise_count(some[word] ^ others[word])
    similar: NDArray[np.bool_] = (distance <= MAX_HASH_DISTANCE) | (distance >= 64 * len(some) - MAX_HASH_DISTANCE)
    return similar
