"""Features of many images in two dimensions, and the images that are most alike by them."""

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.training.backbone.features import Features

COMPONENTS = 50
"""Principal components that t-SNE works on: what its authors advise against noise, and for speed."""

PERPLEXITY = 30.0
"""About how many neighbors count for t-SNE; fewer where there are few images."""

MIN_IMAGES = 4

MAX_TSNE_IMAGES = 10_000
"""More take minutes."""

# One visitor's t-SNE keeps a core busy for seconds.
_one_at_a_time = Lock()


@dataclass(frozen=True)
class Projection:
    """Images on a plane."""

    points: NDArray[np.float32]
    """(N, 2)."""
    explained: tuple[float, float] | None
    """The share of the variance along each axis of PCA, 0 to 1; None for t-SNE, whose axes mean nothing."""


def project_pca(features: Features) -> Projection:
    """The two directions in which the features (N, F) vary most.

    Raises DatasetError where there are too few images.
    """
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    _check_count(len(features))
    # The seed is of the solver, which is randomized for large inputs: the same features give the same map.
    pca = PCA(2, random_state=0)
    with threadpool_limits(1):
        points = pca.fit_transform(features).astype(np.float32)
    first, second = (float(share) for share in pca.explained_variance_ratio_)
    return Projection(points, (first, second))


def project_tsne(features: Features, seed: int) -> Projection:
    """An arrangement in which images with like features are neighbors; one at a time in this process.

    After van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008. Distances between groups and the sizes
    of groups mean little, and another seed gives another arrangement.

    Raises DatasetError where there are too few or too many images.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(features)
    _check_count(count, MAX_TSNE_IMAGES)
    components = min(COMPONENTS, count, features.shape[1])
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    # On one core: where other programs are at work, several threads spend their time waiting for each other, and what
    # took seconds took minutes.
    with _one_at_a_time, threadpool_limits(1):
        reduced = PCA(components, random_state=0).fit_transform(features)
        # Not from the components, by which every seed would give the same arrangement: that it could be another one
        # is what a class has to see.
        tsne = TSNE(2, perplexity=perplexity, random_state=seed, init="random")
        points = tsne.fit_transform(reduced).astype(np.float32)
    return Projection(points, None)


def most_alike(features: Features, place: int, count: int) -> list[tuple[int, float]]:
    """The places of the images that are most similar to one, itself left out, and their cosine similarities."""
    lengths = np.linalg.norm(features, axis=1)
    lengths[lengths == 0] = 1
    similarity = (features @ features[place]) / (lengths * lengths[place])
    order = np.argsort(-similarity, kind="stable")
    others = order[order != place][:count]
    return [(int(each), float(similarity[each])) for each in others]


def _check_count(count: int, most: int | None = None) -> None:
    if count < MIN_IMAGES:
        raise DatasetError(f"A map needs at least {MIN_IMAGES} images. Received: {count}; add images to the data set.")
    if most is not None and count > most:
        raise DatasetError(f"t-SNE takes at most {most:,} images. Received: {count:,}; PCA takes them all.")
