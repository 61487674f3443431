"""The texture of an image: what its numbers depend on, and what they don't."""

import numpy as np
import pytest

from fracture.imaging.texture import MEASURES, measure_texture


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize("shape", [(300, 200), (64, 64), (1, 900), (900, 3), (1, 1)])
def test_measure_texture_any_shape_is_finite(shape):
    """Images of any size and aspect give the same count of numbers, none of them infinite or NaN."""
    texture = measure_texture(noise(*shape))
    assert texture.shape == (MEASURES,)
    assert texture.dtype == np.float32
    assert np.isfinite(texture).all()


def test_measure_texture_blank_image_has_no_edges():
    """All of a blank image is flat at each scale, and no direction rules it."""
    edges = measure_texture(np.full((100, 100), 90, np.uint8))[:50].reshape(5, 10)
    np.testing.assert_array_equal(edges[:, 8], 1)
    np.testing.assert_array_equal(edges[:, :8], 0)


def test_measure_texture_stripes_have_one_direction():
    """Upright stripes have upright edges alone, and are coherent; noise has edges of all directions."""
    stripes = np.tile(np.repeat([60, 180], 16).astype(np.uint8), (256, 8))
    upright, coherence = measure_texture(stripes)[[4, 7]]
    assert upright == pytest.approx(1)
    assert coherence > 0.95
    of_noise = measure_texture(noise(256, 256))[[4, 7]]
    assert of_noise[0] < 0.3
    assert of_noise[1] < 0.5


def test_measure_texture_patterns_are_shares():
    """The squares of the ten numbers of each radius add up to 1."""
    patterns = measure_texture(noise(256, 256))[50:80].reshape(3, 10)
    np.testing.assert_allclose(np.square(patterns).sum(axis=1), 1, rtol=1e-5)


def test_measure_texture_larger_image_is_about_the_same():
    """An image is reduced first: its size in px tells little."""
    small = np.clip(np.add.outer(np.arange(256) / 4, np.arange(256) / 3), 0, 255).astype(np.uint8)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_allclose(measure_texture(large), measure_texture(small), atol=0.1)
