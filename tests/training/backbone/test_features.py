"""Features of a frozen backbone, computed once and cached."""

import base64
import sqlite3
import zlib

import numpy as np
import pytest

from fracture.errors import Cancelled
from fracture.training.backbone import features
from fracture.training.backbone.features import FEATURES, FeatureProgress, Preparation, compute_features, feature_cache
from fracture.training.weights import Weights
from tests.support.drawing import draw_mura

WEIGHTS = Weights("none", "", "", (0.0, 1.0), "x")
PREPARATION = Preparation(75, "stretch", (0.0, 1.0))
HALF, TWO = "ab" * 32, "cd" * 32

FILE_BEFORE = "331eaa237ea03368caf8fb3d.sqlite"
"""A cache file of the version before, compressed: the features of HALF are all 0.5, those of TWO all 2."""

CONTENT_BEFORE = """
eNrt3MtKAmEYgOHvH08V2rgJV8IPJRREEV1AHnARTVpmC1cy6RiCJukYLfN6uoC27lp1B11Iy2aMIWgzuWvsfeHROSHDzOr7F15dWn3X0b3ReG
i7+liyopQUtRYRw5OS75Qn/mM/LEMOOipjfohhdsXsmq9CREREREREtKLZKpXL59Vsy7VvBk7Psd3p2JkE30alUS01q7pZKltVHRzVu/2hfevo
slUv64vG6Xmp0dJn1da+fnA67mj8daJWb+ratWXtHRrJXCWvpH/XdR4n9wNvpm/bU3e02G8HP9o+CrZi3m2t+feW8Yf0tJbNbFrzpoiIiIiI/n
fzgpGwZk/pt5C8S4uIvOS8oBbv+zkk79oTRF58w5//zRcx370PIiIiIiIiIvpL7cQsFbYkZ2zHrPVfrOMkWAcBAAAAAGDlCc8AAAAAALDEDEnR
zP+PvyIAAAAAAFhpwjMAAAAAACwxQ1IE+wSqRZep
"""


@pytest.fixture
def before(homes, monkeypatch):
    """That file, and the preprocessing by which it was computed."""
    monkeypatch.setattr(features, "PREPROCESSING_VERSION", 1)
    file = homes / "cache" / "features" / FILE_BEFORE
    file.parent.mkdir(parents=True)
    file.write_bytes(zlib.decompress(base64.b64decode(CONTENT_BEFORE)))
    return file


def test_feature_cache_of_the_version_before_is_still_hit(before):
    """The same path and table: vectors that an earlier version has computed are found, and new ones added to them."""
    with feature_cache(WEIGHTS, PREPARATION) as cache:
        known = cache.get([HALF, TWO, "ef" * 32])
        assert {image: set(vector) for image, vector in known.items()} == {HALF: {0.5}, TWO: {2.0}}
        cache.put(["ef" * 32], np.full((1, FEATURES), 3, np.float32))
    base = sqlite3.connect(before)
    assert base.execute("SELECT count(*) FROM features").fetchone()[0] == 3
    assert base.execute("PRAGMA user_version").fetchone()[0] == 0, "the version before must be able to read it"
    base.close()


def test_feature_cache_of_another_preprocessing_is_empty(before, monkeypatch):
    """Features of other pixels are not used."""
    monkeypatch.setattr(features, "PREPROCESSING_VERSION", 2)
    with feature_cache(WEIGHTS, PREPARATION) as cache:
        assert cache.get([HALF, TWO]) == {}


def test_feature_cache_of_another_preparation_is_empty(before):
    """Another size, fit, pixel range or side is another file."""
    for other in (
        Preparation(76, "stretch", (0.0, 1.0)),
        Preparation(75, "letterbox", (0.0, 1.0)),
        Preparation(75, "stretch", (-1.0, 1.0)),
        Preparation(75, "stretch", (0.0, 1.0), mirrored=True),
    ):
        with feature_cache(WEIGHTS, other) as cache:
            assert cache.get([HALF]) == {}


def test_feature_cache_asked_for_many_images_finds_all(homes):
    """SQLite limits the number of question marks in a statement, and not the number of images."""
    images = [f"{number:064x}" for number in range(1100)]
    vectors = np.arange(1100, dtype=np.float32)[:, None].repeat(FEATURES, axis=1)
    with feature_cache(WEIGHTS, PREPARATION) as cache:
        cache.put(images, vectors)
        known = cache.get(images)
    assert [known[image][0] for image in images] == list(range(1100))


class Backbone:
    """Gives each image a feature of its own, and counts the images that it gets."""

    def __init__(self):
        self.images = 0

    def __call__(self, missing, preparation):
        for image in missing:
            self.images += 1
            yield [image], np.full((1, FEATURES), self.images, np.float32)


def compute(paths, backbone, should_stop=lambda: False, emit=lambda *_, **__: None):
    progress = FeatureProgress(emit, total=len(paths))
    return compute_features(paths, backbone, WEIGHTS, PREPARATION, progress=progress, should_stop=should_stop)


@pytest.fixture
def paths(homes):
    return [str(path) for path in sorted(draw_mura(homes / "drawn", 2, 2).rglob("*.png"))]


def test_compute_features_twice_runs_the_backbone_once(paths):
    """The second time all come from the cache; a file that can't be read has no features."""
    backbone = Backbone()
    first, readable = compute([*paths, "missing.png"], backbone)
    again, _ = compute([*paths, "missing.png"], backbone)
    assert backbone.images == len(paths)
    assert readable.tolist() == [True] * len(paths) + [False]
    assert (first == again).all() and not first[-1].any()


def test_compute_features_stopped_keeps_what_was_computed(paths):
    """A run that was stopped among the features continues behind them."""
    backbone, said = Backbone(), []
    with pytest.raises(Cancelled):
        compute(paths, backbone, should_stop=lambda: backbone.images == 3)
    compute(paths, backbone, emit=lambda _, **values: said.append(values))
    assert backbone.images == len(paths)
    assert said[0]["cached"] == 3 and said[-1]["done"] == len(paths)
