"""Clusters of perceptual hashes; the problems that are made of them are tested in ``test_checks.py``."""

import numpy as np
import pytest

from fracture.data.checks import duplicates
from fracture.data.checks.duplicates import MAX_HASH_DISTANCE, clusters


def hashes(bits: np.ndarray) -> list[str]:
    """(N, 256) -> N hashes."""
    return [row.tobytes().hex() for row in np.packbits(bits, axis=1)]


def flip(bits: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    changed = bits.copy()
    changed[random.choice(256, count, replace=False)] ^= 1
    return changed


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def bits(random):
    """Hashes of 300 images that have nothing to do with each other, (300, 256)."""
    return random.integers(0, 2, (300, 256), dtype=np.uint8)


def apart(found: np.ndarray) -> int:
    return len(set(found.tolist()))


@pytest.mark.parametrize(
    ("count", "joined"), [(0, True), (1, True), (MAX_HASH_DISTANCE, True), (MAX_HASH_DISTANCE + 1, False)]
)
def test_clusters_join_up_to_the_maximum_hash_distance(bits, random, count, joined):
    """Hashes that differ in as many bits as allowed are always joined, in one more never."""
    for row in range(0, 100, 2):
        bits[row + 1] = flip(bits[row], count, random)
    found = clusters(hashes(bits), hashes(bits[::-1] ^ random.integers(0, 2, bits.shape, dtype=np.uint8)))
    assert (found[0:100:2] == found[1:100:2]).tolist() == [joined] * 50
    assert apart(found) == (250 if joined else 300)


def test_clusters_join_mirror_images_and_negatives(bits, random):
    """An image is a duplicate of its mirror image and of its negative, whichever comes first."""
    mirrored = random.integers(0, 2, bits.shape, dtype=np.uint8)
    bits[1], mirrored[1] = flip(mirrored[0], 5, random), flip(bits[0], 5, random)
    bits[3] = flip(1 - bits[2], 5, random)
    bits[5] = 1 - bits[4]
    found = clusters(hashes(bits), hashes(mirrored))
    assert found[0] == found[1] and found[2] == found[3] and found[4] == found[5]
    assert apart(found) == 297


def test_clusters_do_not_depend_on_tiles(bits, random, monkeypatch):
    """Pairs are found in whichever tile of comparisons they fall."""
    bits[200:] = [flip(row, random.integers(0, MAX_HASH_DISTANCE), random) for row in bits[:100]]
    bits = random.permutation(bits)
    mirrored = hashes(random.integers(0, 2, bits.shape, dtype=np.uint8))
    whole = clusters(hashes(bits), mirrored)
    monkeypatch.setattr(duplicates, "_TILE_ROWS", 7)
    monkeypatch.setattr(duplicates, "_TILE_COLUMNS", 31)
    assert clusters(hashes(bits), mirrored).tolist() == whole.tolist()
    assert apart(whole) == 200


def test_clusters_of_many_copies_are_one(bits):
    """An image that is there a thousand times costs no more than once."""
    many = hashes(np.repeat(bits[:3], 1000, axis=0))
    found = clusters(many, hashes(np.repeat(bits[3:6], 1000, axis=0)))
    assert apart(found) == 3
    assert apart(found[:1000]) == 1


def test_clusters_of_a_thousand_similar_images_are_one(bits, random, monkeypatch):
    """That all pairs of a thousand are similar takes no more memory than one pair for each."""
    monkeypatch.setattr(duplicates, "_TILE_ROWS", 16)
    close = np.stack([flip(bits[0], 8, random) for _ in range(1000)] + [bits[1]])
    found = clusters(hashes(close), hashes(1 - close))
    assert apart(found) == 2
    assert (found == found[0]).sum() == 1000


def test_clusters_of_no_images_are_empty():
    """An empty data set is no error."""
    assert clusters([], []).tolist() == []
