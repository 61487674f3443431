"""What a model knows, from its file to its answers."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.evaluation.ood_fit import fit_ood_detector
from fracture.inference.ood import OOD_FILE, OodDetector, load_ood_detector, prepare

FEATURES, DIMENSIONS, IMAGES = 40, 4, 30


def cloud(images: int, seed: int) -> np.ndarray:
    """Features that vary in a few directions, as a network's do: (images, FEATURES), none negative."""
    directions = np.random.default_rng(0).random((DIMENSIONS, FEATURES))
    rng = np.random.default_rng(seed)
    return (rng.random((images, DIMENSIONS)) @ directions + 0.05 * rng.random((images, FEATURES))).astype(np.float32)


def known(**changed) -> OodDetector:
    """Fitted by hand to the cloud."""
    prepared = prepare(cloud(IMAGES, 1))
    mean = prepared.mean(axis=0)
    basis = np.linalg.svd(prepared - mean, full_matrices=False)[2][:DIMENSIONS].T
    along = (prepared - mean) @ basis
    ids = tuple(f"train/sub/é{row}.png" for row in range(IMAGES))
    values = {"unit": 0.02, "threshold": 3.0, "validation": (10, 1), **changed}
    return OodDetector(mean, basis, along.std(axis=0), along / along.std(axis=0), ids, **values)


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / OOD_FILE
    known().save(path)
    return path


def rewrite(path: Path, **changed) -> None:
    """The same file with other values; None leaves one out."""
    with np.load(path) as file:
        values = {**file, **changed}
    np.savez_compressed(path, **{name: value for name, value in values.items() if value is not None})


def test_load_ood_detector_answers_as_the_saved_one(saved):
    """Rounding to 16 bits changes distances by less than a hundredth, and names not at all."""
    before, after = known(), load_ood_detector(saved)
    new = cloud(20, 2)
    np.testing.assert_allclose(after.distances(new), before.distances(new), rtol=0.01)
    assert after.image_ids == before.image_ids
    assert after.describe() == before.describe()
    assert [name for name, _ in after.nearest(new[0])] == [name for name, _ in before.nearest(new[0])]


def test_load_ood_detector_keeps_body_parts_and_reads_files_without_them(tmp_path, saved):
    """Folders of earlier versions recorded none."""
    parts = tuple(f"part {row % 4}" for row in range(IMAGES))
    path = tmp_path / "parts.npz"
    known(parts=parts).save(path)
    assert load_ood_detector(path).parts == parts and load_ood_detector(saved).parts == ()
    nearest = dict(load_ood_detector(path).nearest_parts(cloud(1, 2)[0], 5))
    assert sum(nearest.values()) == 5
    known(parts=parts[:3]).save(path)
    with pytest.raises(ModelError, match="body part for each image"):
        load_ood_detector(path)


def test_trained_on_goes_by_files_or_in_older_folders_by_names(saved):
    """The SHA-256 of each training image's file comes back; a file without them is still read."""
    digests = ("", *(f"{row:064x}" for row in range(1, IMAGES)))
    names = known().image_ids
    older = load_ood_detector(saved)
    assert older.sha256 == ()
    assert older.trained_on(["other", names[3]], [digests[2], "f" * 64]).tolist() == [False, True]

    known(sha256=digests).save(saved)
    newer = load_ood_detector(saved)
    assert newer.sha256 == digests
    assert newer.trained_on(["other", names[3], names[0]], [digests[2], "f" * 64, ""]).tolist() == [True, False, False]


@pytest.mark.parametrize("digests", [np.zeros((IMAGES, 32), np.float32), np.zeros((IMAGES - 1, 32), np.uint8)])
def test_load_ood_detector_with_damaged_digests_is_one_sentence(saved, digests):
    """Digests of another type or number are damage."""
    rewrite(saved, sha256=digests)
    with pytest.raises(ModelError, match="is damaged"):
        load_ood_detector(saved)


def test_describe_has_method_threshold_and_share_refused():
    """With the numbers of images."""
    said = known().describe()
    assert said["threshold"] == 3.0
    assert said["training_images"] == IMAGES
    assert (said["validation_images"], said["validation_refused"], said["share_refused"]) == (10, 1, 0.1)
    assert known(validation=(0, 0)).describe()["share_refused"] is None


def test_nearest_to_a_training_image_is_itself():
    """With a similarity of 1; the others come in order."""
    features = cloud(IMAGES, 1)
    for row in (0, 7, 29):
        (name, likeness), *others = known().nearest(features[row], 4)
        assert name == f"train/sub/é{row}.png"
        assert likeness == pytest.approx(1, abs=1e-5)
        assert sorted(others, key=lambda each: -each[1]) == others
    assert len(known().nearest(features[0], 1000)) == IMAGES


def test_nearest_names_an_image_embedded_twice_once():
    """With the similarity of the nearest one, and it is counted once."""
    features = cloud(IMAGES, 1)
    ids = [f"{row % 20}.png" for row in range(IMAGES)]
    space = fit_ood_detector(features, ids, cloud(10, 2), dimensions=4)
    found = space.nearest(features[25], 100)
    assert found[0] == ("5.png", pytest.approx(1, abs=1e-5))
    assert len(found) == 20 == space.describe()["training_images"]


def test_distance_of_other_features_is_larger():
    """Other directions, a constant and zeros are all farther than anything of the cloud."""
    space, rng = known(), np.random.default_rng(3)
    strange = np.stack([rng.random(FEATURES) ** 8, np.ones(FEATURES), np.zeros(FEATURES), np.eye(FEATURES)[0]])
    assert space.distances(strange.astype(np.float32)).min() > space.distances(cloud(50, 4)).max()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_in_distribution_with_nan_is_false(value):
    """A comparison with NaN is false, and must not be taken for a yes."""
    features = cloud(1, 5)[0]
    assert known().in_distribution(features)
    features[3] = value
    with np.errstate(invalid="ignore"):
        assert not known().in_distribution(features)


def test_distance_with_features_of_another_model_is_refused():
    """A distance between features of different lengths does not exist."""
    with pytest.raises(ModelError, match=r"another model.*40 features.*Received: 39"):
        known().distance(cloud(1, 1)[0, 1:])


@pytest.mark.parametrize("kept", [0, 1, 100, 1500, -30])
def test_load_ood_detector_cut_short_is_one_sentence(saved, kept):
    """Wherever it was cut."""
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"familiarity\.npz is damaged: it cannot be read"):
        load_ood_detector(saved)


def test_load_ood_detector_with_flipped_bytes_is_one_sentence(saved):
    """A zip has checksums."""
    data = bytearray(saved.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(byte ^ 0xFF for byte in data[middle : middle + 40])
    saved.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="is damaged"):
        load_ood_detector(saved)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"basis": None, "unit": None}, "it lacks basis, unit"),
        ({"method": np.frombuffer(b"older", np.uint8)}, "of another version"),
        ({"mean": np.full(FEATURES, np.nan)}, "no number"),
        ({"places": np.full((IMAGES, DIMENSIONS), "x")}, "no number"),
        ({"mean": np.zeros(FEATURES - 1)}, "shapes of mean"),
        ({"places": np.zeros((IMAGES + 1, DIMENSIONS))}, "shapes of places"),
        ({"threshold": np.zeros(1), "counts": np.zeros(3, int)}, "shapes of counts, threshold"),
        ({"basis": np.zeros(FEATURES)}, "shapes of"),
        ({"scale": np.zeros(DIMENSIONS)}, "above 0"),
        ({"unit": np.float64(-1)}, "above 0"),
        ({"image_ids": np.array([255, 254], np.uint8)}, "no text"),
        ({"image_ids": np.array([{}], object)}, "cannot be read"),
    ],
)
def test_load_ood_detector_with_other_content_is_one_sentence(saved, changed, words):
    """Every array is checked, and nothing in the file is run."""
    rewrite(saved, **changed)
    with pytest.raises(ModelError, match=words):
        load_ood_detector(saved)


def test_load_ood_detector_without_a_file_is_one_sentence(tmp_path):
    """The error says what the model can't tell."""
    with pytest.raises(ModelError, match="whether an image is out of"):
        load_ood_detector(tmp_path / OOD_FILE)


def test_ood_detector_of_3000_images_is_small_and_fast(tmp_path):
    """Below 1.5 MB with long names; below 5 ms (10 on a busy machine) for a distance and the nearest."""
    rng = np.random.default_rng(6)
    arrays = (rng.random(2048), rng.standard_normal((2048, 64)) / 45, rng.random(64) + 0.5, rng.random((3000, 64)))
    ids = tuple(f"train/XR_HUMERUS/patient{row:05}/study1_negative/image1.png" for row in range(3000))
    space = OodDetector(*(each.astype(np.float32) for each in arrays), ids)
    space.save(tmp_path / OOD_FILE)
    assert (tmp_path / OOD_FILE).stat().st_size < 1_500_000
    features, seconds = rng.random(2048).astype(np.float32), []
    for _ in range(20):
        started = time.perf_counter()
        space.distance(features)
        space.nearest(features, 5)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.010


def test_ood_imported_needs_numpy_only():
    """It imports neither TensorFlow nor scikit-learn."""
    heavy = {"tensorflow", "keras", "sklearn", "scipy"}
    code = f"import sys, fracture.inference.ood; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
