"""Features in two dimensions."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.experiments import projection
from fracture.experiments.projection import most_alike, project_pca, project_tsne

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def groups() -> tuple[np.ndarray, np.ndarray]:
    """Features of three groups of twenty images, and the group of each."""
    of = np.repeat(np.arange(3), 20)
    middles = RNG.normal(0, 5, (3, 40))
    return (middles[of] + RNG.normal(0, 1, (60, 40))).astype(np.float32), of


def neighbors_in_group(points: np.ndarray, of: np.ndarray) -> float:
    """The share of images whose nearest one is of their own group."""
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((of[distance.argmin(axis=1)] == of).mean())


def test_pca_says_how_much_variance_it_explains():
    """Of features with two directions that vary, all of it; the larger comes first."""
    features = np.zeros((50, 6), np.float32)
    features[:, 2] = RNG.normal(0, 3, 50)
    features[:, 4] = RNG.normal(0, 1, 50)
    found = project_pca(features)
    first, second = found.explained
    assert first > second and first + second == pytest.approx(1, abs=1e-5)
    assert abs(np.corrcoef(found.points[:, 0], features[:, 2])[0, 1]) > 0.99


def test_tsne_keeps_groups_together_and_its_seed(groups):
    """The same seed gives the same arrangement, another one another; each keeps neighbors."""
    features, of = groups
    first, again, other = (project_tsne(features, seed).points for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.allclose(first, other)
    assert neighbors_in_group(first, of) > 0.95
    assert project_tsne(features, 0).explained is None


def test_most_alike_are_of_the_same_group_without_the_image_itself(groups):
    """The most similar first; a copy of an image is as similar as can be."""
    features, of = groups
    features = features.copy()
    features[7] = 2 * features[3]
    found = most_alike(features, 3, 5)
    assert found[0] == (7, pytest.approx(1, abs=1e-5))
    assert 3 not in [place for place, _ in found]
    assert all(of[place] == of[3] for place, _ in found)
    assert [similarity for _, similarity in found] == sorted((each for _, each in found), reverse=True)


def test_too_few_or_too_many_images_are_an_error_in_a_sentence(monkeypatch):
    """It names the limit, what came, and what to do."""
    with pytest.raises(DatasetError, match=r"at least 4 images\. Received: 3; add images"):
        project_pca(np.zeros((3, 5), np.float32))
    monkeypatch.setattr(projection, "MAX_TSNE_IMAGES", 10)
    with pytest.raises(DatasetError, match=r"at most 10 images\. Received: 11; PCA takes them all"):
        project_tsne(np.zeros((11, 5), np.float32), 0)
