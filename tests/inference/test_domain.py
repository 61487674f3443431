"""The domain head, on a small detector; its file, whole and damaged."""

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.evaluation.domain_fit import fit_domain_head
from fracture.evaluation.ood_fit import fit_ood_detector
from fracture.inference.domain import Domain, load_domain_head


def cloud(center: float, images: int = 60, seed: int = 0) -> np.ndarray:
    """Embeddings of 12 features, half of which lie higher by ``center``."""
    random = np.random.default_rng(seed)
    shift = np.repeat([center, 0.0], 6)
    return (5 + shift + random.random((images, 12))).astype(np.float32)


GROUPS = [f"group {number // 6}" for number in range(60)]


@pytest.fixture
def detector():
    names = [f"image{number}" for number in range(60)]
    return fit_ood_detector(cloud(0), names, cloud(0, 20, seed=1), dimensions=6)


@pytest.fixture
def head(detector):
    return fit_domain_head(detector, GROUPS, cloud(3, seed=2), GROUPS)[0]


def test_domain_tells_the_models_own_images_from_others(detector, head):
    """Images that the fit has not seen are on their side."""
    own = [head.domain(detector, each[None]) for each in cloud(0, 20, seed=3)]
    others = [head.domain(detector, each[None]) for each in cloud(3, 20, seed=4)]
    assert own.count(Domain.OWN) >= 18
    assert others == [Domain.FOREIGN] * 20


def test_domain_of_a_study_is_by_the_mean_of_its_views(detector, head):
    """One view of another kind does not disown a study."""
    views = np.concatenate([cloud(0, 20, seed=3), cloud(3, 1, seed=4)])
    assert head.domain(detector, views) is not Domain.FOREIGN


def test_domain_of_an_image_that_is_no_number_is_foreign(detector, head):
    """NaN is no model's own."""
    assert head.domain(detector, np.full((1, 12), np.nan, np.float32)) is Domain.FOREIGN


def test_load_domain_head_decides_as_what_was_saved(detector, head, tmp_path):
    """To the last digit; a model without the file has no domain head."""
    path = tmp_path / "domain.npz"
    assert load_domain_head(path, detector) is None
    head.save(path)
    found = load_domain_head(path, detector)
    places = detector.places_of(cloud(1, 9, seed=5))
    assert np.array_equal(found.decisions(places), head.decisions(places))
    assert (found.own_from, found.foreign_below, found.counts) == (head.own_from, head.foreign_below, (60, 60))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weights", np.array([1.0])),
        ("weights", np.array(["x"])),
        ("bias", np.array(np.nan)),
        ("vectors", np.ones((3, 2))),
        ("method", np.zeros(3, np.uint8)),
        ("counts", None),
    ],
)
def test_load_domain_head_of_damage_is_one_sentence(detector, head, tmp_path, key, value):
    """A file that lacks something, or is of another detector, is a ModelError."""
    path = tmp_path / "domain.npz"
    head.save(path)
    with np.load(path) as file:
        values = {name: file[name] for name in file.files if name != key}
    np.savez(path, **values, **({} if value is None else {key: value}))
    with pytest.raises(ModelError, match=r"domain\.npz is damaged"):
        load_domain_head(path, detector)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_load_domain_head_of_no_archive_is_one_sentence(detector, tmp_path, content):
    """Whatever the bytes are."""
    path = tmp_path / "domain.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_domain_head(path, detector)
