"""Fitting what a model knows."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.evaluation.ood_fit import conformal_threshold, fit_ood_detector
from fracture.inference.ood import OOD_FILE, load_ood_detector
from tests.inference.test_ood import FEATURES, cloud


def names(count: int) -> list[str]:
    return [f"image{row}" for row in range(count)]


def fitted(training: int = 300, validation: int = 400, **options):
    return fit_ood_detector(cloud(training, 1), names(training), cloud(validation, 2), dimensions=6, **options)


def test_new_radiographs_are_refused_about_as_often_as_asked_for():
    """The threshold of one part holds for another of the same kind, and the unit is the middle distance."""
    space = fitted(refused=0.05)
    fresh = space.distances(cloud(2000, 3))
    assert 0.02 < (fresh > space.threshold).mean() < 0.09
    assert np.median(fresh) == pytest.approx(1, rel=0.1)


def test_other_things_are_refused():
    """Images whose features are of another kind; the same on radiographs would be a guess."""
    rng, space = np.random.default_rng(4), fitted()
    assert not any(space.in_distribution(each) for each in (rng.random((50, FEATURES)) ** 8).astype(np.float32))
    assert np.mean([space.in_distribution(each) for each in cloud(100, 5)]) > 0.95


def test_the_card_is_told_the_share_that_was_refused():
    """Counted, not assumed."""
    space = fitted(refused=0.05)
    said, distances = space.describe(), space.distances(cloud(400, 2))
    assert said["validation_images"] == 400
    assert said["validation_refused"] == (distances > space.threshold).sum()
    assert said["share_refused"] <= 0.05


def test_the_threshold_holds_after_the_file_was_read_back(tmp_path):
    """Fitting rounds as the file does: the same validation images are refused, to the last one."""
    space = fitted(refused=0.1)
    space.save(tmp_path / OOD_FILE)
    again, validation = load_ood_detector(tmp_path / OOD_FILE), cloud(400, 2)
    np.testing.assert_array_equal(space.distances(validation), again.distances(validation))
    assert (again.distances(validation) > again.threshold).sum() == space.validation[1] > 0


@pytest.mark.parametrize(
    ("images", "refused", "rank"), [(100, 0.01, 100), (199, 0.01, 198), (99, 0.01, 99), (20, 0.01, 20), (9, 0.1, 9)]
)
def test_the_conformal_rank(images, refused, rank):
    """The ceil((M + 1)(1 - refused))-th smallest; the largest where there are too few."""
    assert conformal_threshold(np.random.default_rng(0).permutation(images) + 1.0, refused) == rank


@pytest.mark.parametrize("training", [2, 3, 5])
def test_few_images_are_enough_to_answer(tmp_path, training):
    """A lesson may be about a handful of images: fewer dimensions then."""
    space = fit_ood_detector(cloud(training, 1), names(training), cloud(2, 2))
    space.save(tmp_path / OOD_FILE)
    assert load_ood_detector(tmp_path / OOD_FILE).nearest(cloud(training, 1)[1], 1)[0][0] == "image1"
    assert space.describe()["dimensions"] < training


def test_images_that_are_all_alike_are_no_error(tmp_path):
    """Nothing varies: no division by zero, and the file can be read."""
    same = np.ones((5, FEATURES), np.float32)
    space = fit_ood_detector(same, names(5), same)
    space.save(tmp_path / OOD_FILE)
    assert load_ood_detector(tmp_path / OOD_FILE).in_distribution(same[0])


@pytest.mark.parametrize(("training", "validation"), [(1, 5), (0, 5), (5, 0)])
def test_too_few_images_are_an_error_in_words(training, validation):
    """One image has no spread; without validation images there is no threshold."""
    with pytest.raises(DatasetError, match=f"Received: {training} and {validation}"):
        fit_ood_detector(cloud(training, 1), names(training), cloud(validation, 2))


def test_the_same_images_give_the_same_file(tmp_path):
    """Nothing is drawn by chance."""
    for name in ("a.npz", "b.npz"):
        fitted().save(tmp_path / name)
    first, second = (load_ood_detector(tmp_path / name) for name in ("a.npz", "b.npz"))
    np.testing.assert_array_equal(first.places, second.places)
    assert first.threshold == second.threshold
