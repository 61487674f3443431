"""The threshold of the out-of-distribution check on one's own radiographs."""

import shutil

import numpy as np
import pytest
from PIL import Image

from fracture.data.dataset import scan
from fracture.errors import DatasetError, ModelError
from fracture.evaluation.external.familiarity import refit_familiarity
from fracture.inference.classifier import load_classifier
from tests.support.drawing import draw_limb


def draw_images(folder, count, brightness=0):
    """Limbs as in the training images, or brighter ones from another machine."""
    folder.mkdir()
    rng = np.random.default_rng(9)
    paths = []
    for number in range(count):
        pixels = draw_limb(rng, 64, positive=number % 2 == 1).astype(int) + brightness * rng.random((64, 64))
        path = folder / f"{number:03}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.fixture
def classifier(make_model):
    make_model("m")
    return load_classifier("m")


def test_refit_familiarity_admits_radiographs_of_another_machine(classifier, tmp_path):
    """Refused before, they are known with the new threshold; the farthest one is named."""
    images = draw_images(tmp_path / "mine", 60, brightness=80)
    found = refit_familiarity(classifier, images, "mine")
    fitted = found.fitted
    assert fitted.images == 60 and fitted.refused_before > 30 > 6 > fitted.refused_after
    assert fitted.threshold > fitted.threshold_before == classifier.ood_detector.threshold
    name, times = found.farthest[0]
    assert name in {path.name for path in images} and times == pytest.approx(
        fitted.threshold / fitted.threshold_before, rel=1e-3
    )


def test_refit_familiarity_counts_the_refused_among_images_that_the_threshold_was_not_chosen_on(classifier, tmp_path):
    """One picture far from all others sets the threshold, and is refused by the one that is chosen without it."""
    images = draw_images(tmp_path / "mine", 60)
    odd = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(odd).save(images[7])
    found = refit_familiarity(classifier, images, "mine")
    assert found.farthest[0][0] == images[7].name
    assert found.fitted.refused_after >= 1


def test_refit_familiarity_counts_copies_and_training_images_once_or_not(classifier, drawn, tmp_path):
    """Fifty copies of one image are one image."""
    images = draw_images(tmp_path / "mine", 49)
    copies = [shutil.copy(images[0], tmp_path / "mine" / f"copy{number}.png") for number in range(20)]
    table = scan(drawn).table
    training = [tmp_path / "mine" / name for name in map(str, range(5))]
    for path, own in zip(training, table[table["split"] == "train"]["path"], strict=False):
        shutil.copy(own, path)
    with pytest.raises(
        DatasetError, match=r"At least 50 different radiographs .* Received: 49 such ones among the 74 images"
    ):
        refit_familiarity(classifier, [*images, *copies, *training], "mine")


def test_refit_familiarity_with_unreadable_files_names_them(classifier, tmp_path):
    """They don't count."""
    images = draw_images(tmp_path / "mine", 51)
    images[0].write_bytes(b"no image")
    found = refit_familiarity(classifier, images, "mine")
    assert len(found.errors) == 1 and found.fitted.images == 50


def test_refit_familiarity_of_a_model_without_the_check_says_so(classifier):
    """There is no threshold to adjust."""
    classifier.ood_detector = None
    with pytest.raises(ModelError, match="has no out-of-distribution check"):
        refit_familiarity(classifier, [], "mine")
