"""Features that the workers of a Dask cluster compute; skipped where the extra ``cluster`` is not installed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fracture.errors import WorkerError
from fracture.training.backbone.cluster_features import Source, lacks_weights
from fracture.training.backbone.features import FEATURES, Preparation
from fracture.training.config import TrainConfig
from fracture.training.learners import litert_learner
from fracture.training.pipeline import make_learner
from fracture.training.weights import find_weights
from tests.support.clusters import kill_a_dask_worker, start_cluster
from tests.support.drawing import draw_mura

SIZE = 75


@pytest.fixture
def config(tmp_path, homes):
    """A run on the bundled backbone."""
    data = draw_mura(tmp_path / "MURA-v1.1")
    return TrainConfig(data=str(data), name="m", weights="bundled-8bit", image_size=SIZE)


@pytest.fixture
def cluster(tmp_path, homes):
    """The address of two workers of one thread, with the same folders."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with start_cluster(folder, workers=2) as address:
        yield address


def images_of(config):
    """Paths by names, with one that is no image."""
    paths = {str(path): str(path) for path in sorted(Path(config.data).rglob("*.png"))}
    return {**paths, "none": __file__}


def compute(config, weights, images, cluster=None, on_batch=id):
    """The features of images by their names."""
    preparation = Preparation(SIZE, config.fit, weights.input_range)
    found = {}
    for names, features in make_learner(config, weights, cluster).forward(images, preparation):
        assert features.shape == (len(names), FEATURES)
        found.update(zip(names, features, strict=True))
        on_batch(names)
    return found


def same(one, other):
    """Whether both have the same images with the same features, to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_features_with_a_killed_worker_are_those_of_this_process(config, cluster):
    """``kill -9`` after the first batch; the batches of that worker are computed by the other one."""
    weights = find_weights(config)
    images = images_of(config)
    # As many batches as keep both workers at work when one is killed.
    many = {f"{number} {name}": path for number in range(12) for name, path in images.items()}
    killed = []

    def kill_once(_):
        if not killed:
            killed.append(kill_a_dask_worker(cluster))

    found = compute(config, weights, many, cluster, kill_once)
    assert killed and same(found, compute(config, weights, many))
    assert "0 none" not in found and len(found) == len(many) - 12


@pytest.mark.slow
def test_worker_without_the_weights_is_named(config, cluster):
    """Before the first batch."""
    weights = replace(find_weights(config), identity="another")
    with pytest.raises(WorkerError, match=r"Worker tcp://.* has other weights that are called 'bundled-8bit'"):
        compute(config, weights, images_of(config), cluster)


@pytest.mark.full
def test_features_of_keras_on_a_cluster_are_those_of_this_process(config, tmp_path):
    """The worker has one thread, which may round differently."""
    config = replace(config, weights="bundled")
    weights = find_weights(config)
    images = dict(list(images_of(config).items())[:3])
    with start_cluster(tmp_path, workers=1) as address:
        found = compute(config, weights, images, address)
    alone = compute(config, weights, images)
    assert found.keys() == alone.keys() == images.keys()
    for name, features in alone.items():
        np.testing.assert_allclose(found[name], features, rtol=1e-4, atol=1e-5)


def test_lacks_weights_compares_what_is_there(config):
    """By the hash, and a source that is missing is a sentence."""
    source = Source(litert_learner.load_backbone, config, find_weights(config).identity)
    assert lacks_weights(source) == ""
    assert "has other weights" in lacks_weights(replace(source, identity="another"))
    missing = replace(config, weights="/no/such.weights.h5")
    assert "has no weights '/no/such.weights.h5'" in lacks_weights(replace(source, config=missing))
