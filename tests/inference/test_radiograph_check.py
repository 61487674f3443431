"""Whether a picture is a radiograph: the check's file, its answers, and the one that comes with the project."""

from pathlib import Path

import numpy as np
import pytest

from fracture.data.dataset import scan
from fracture.errors import ModelError
from fracture.imaging.radiograph import fit, load, read
from fracture.inference.litert import Graph
from fracture.inference.ood import prepare
from fracture.inference.radiograph_check import RadiographCheck, load_radiograph_check
from fracture.registry.model_folder import bundled_model, read_card
from tests.support.film_changes import CHANGES, change
from tests.support.not_radiographs import CHEST, LEGS, dicom, pictures

VALUES = 12


def drawn_check(**changed) -> RadiographCheck:
    weights = np.linspace(-1, 1, VALUES).astype(np.float32)
    return RadiographCheck(**{"weights": weights, "bias": 0.25, "threshold": 0.5, "counts": (7, 9), **changed})


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / "radiograph_check.npz"
    drawn_check(source="python -m somebody").save(path)
    return path


def rewrite(path: Path, **changed) -> None:
    """The same file with some arrays replaced, or left out where None."""
    with np.load(path) as file:
        values = {name: file[name] for name in file.files} | changed
    np.savez(path, **{name: value for name, value in values.items() if value is not None})


def test_probability_is_that_of_the_logistic_function():
    """The logit is the prepared embedding times the weights plus the bias."""
    check = drawn_check()
    embedding = np.random.default_rng(0).random(VALUES).astype(np.float32)
    logit = float(prepare(embedding[None])[0] @ check.weights + 0.25)
    assert check.probability(embedding) == pytest.approx(1 / (1 + np.exp(-logit)))


def test_is_radiograph_at_the_threshold_is_true_below_it_false():
    """The threshold itself still counts as a radiograph."""
    embedding = np.ones(VALUES, np.float32)
    probability = drawn_check().probability(embedding)
    assert drawn_check(threshold=probability).is_radiograph(embedding)
    assert not drawn_check(threshold=probability + 1e-6).is_radiograph(embedding)


def test_is_radiograph_nan_is_false():
    """What can't be computed is not called a radiograph."""
    embedding = np.full(VALUES, np.nan, np.float32)
    assert drawn_check(threshold=0.0).is_radiograph(embedding) is False


def test_probabilities_embedding_of_another_size_is_an_error():
    """The sentence says how many values are needed and how many came."""
    with pytest.raises(ModelError, match=f"needs embeddings of {VALUES} values. Received: 5"):
        drawn_check().probability(np.ones(5, np.float32))


def test_load_saved_check_is_the_same(saved):
    """Weights, threshold, counts and source come back from the file."""
    loaded, check = load_radiograph_check(saved), drawn_check(source="python -m somebody")
    np.testing.assert_array_equal(loaded.weights, check.weights)
    assert (loaded.bias, loaded.threshold, loaded.counts) == (check.bias, check.threshold, check.counts)
    assert loaded.describe() == check.describe()


def test_load_missing_file_is_an_error(tmp_path):
    """A folder without the check says so."""
    with pytest.raises(ModelError, match="whether a picture is a radiograph can't be told"):
        load_radiograph_check(tmp_path / "radiograph_check.npz")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"weights": None}, "lacks weights"),
        ({"method": np.frombuffer(b"another", np.uint8)}, "of another version"),
        ({"weights": np.ones((2, 2), np.float32)}, "shapes"),
        ({"bias": np.array(np.nan)}, "no number"),
        ({"weights": np.array(["a", "b"])}, "no number"),
    ],
)
def test_load_damaged_file_is_an_error(saved, changed, words):
    """What is wrong with the file is said in one sentence."""
    rewrite(saved, **changed)
    with pytest.raises(ModelError, match=words):
        load_radiograph_check(saved)


def test_load_file_cut_short_is_an_error(saved):
    """Half a file is called damaged."""
    saved.write_bytes(saved.read_bytes()[:100])
    with pytest.raises(ModelError, match="damaged: it cannot be read"):
        load_radiograph_check(saved)


def bundled_embeddings(images) -> np.ndarray:
    """Of the bundled model's graph, (N, F)."""
    folder = bundled_model()
    graph = Graph(folder.served_model.read_bytes())
    how = read_card(folder).input.fit
    return np.stack([graph(fit(np.ascontiguousarray(pixels), graph.size, how)).embedding for pixels in images])


def test_bundled_check_films_of_pydicom_are_radiographs():
    """A chest film and a lower leg of other hospitals, neither of them in the fit, are radiographs."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    films = bundled_embeddings(read(dicom(name), name).pixels for name in (CHEST, LEGS[0]))
    assert (check.probabilities(films) >= check.threshold).all()


def test_bundled_check_is_small():
    """Less than 100 KB, and it says what it was fitted to."""
    path = bundled_model().radiograph_check
    assert path.stat().st_size < 100_000
    assert "benchmarks.radiograph_check" in load_radiograph_check(path).source


@pytest.mark.slow
def test_bundled_check_most_other_pictures_are_none():
    """Nine in ten of the documents, charts, drawings, screens and blank pictures that the fit has not seen."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    kinds = ("document", "chart", "drawing", "screen", "blank")
    others = bundled_embeddings(picture.pixels for picture in pictures() if picture.kind in kinds)
    assert (check.probabilities(others) < check.threshold).mean() > 0.9


@pytest.mark.slow
def test_bundled_check_changed_validation_radiographs_are_radiographs(fracatlas):
    """Inverted, bordered, marked, cropped or photographed: at most 1 in 50 of what the fit has not seen is refused."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    table = scan(fracatlas).table
    paths = table[table["split"] == "valid"]["path"].sample(50, random_state=1)
    names = list(CHANGES)
    changed = (change(load(Path(path)).pixels, names[seed % len(names)], 900 + seed) for seed, path in enumerate(paths))
    probabilities = check.probabilities(bundled_embeddings(changed))
    assert (probabilities < check.threshold).sum() <= 1
