"""Whether a picture is a radiograph: the check's file, its answers, and the one that comes with the project."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC

from fracture.data.dataset import scan
from fracture.errors import ModelError
from fracture.imaging.radiograph import Radiograph, fit, load, read
from fracture.imaging.texture import MEASURES, measure_texture
from fracture.inference.litert import Graph
from fracture.inference.ood import prepare
from fracture.inference.radiograph_check import (
    COLOR_COST,
    FARTHEST,
    RadiographCheck,
    TextureMachine,
    load_radiograph_check,
)
from fracture.registry.model_folder import bundled_model, read_card
from tests.support.film_changes import CHANGES, change
from tests.support.not_radiographs import CHEST, LEGS, dicom, pictures

VALUES = 12


def drawn_texture_machine() -> TextureMachine:
    rng = np.random.default_rng(3)
    return TextureMachine(
        mean=np.zeros(MEASURES, np.float32),
        scale=np.ones(MEASURES, np.float32),
        vectors=rng.normal(size=(5, MEASURES)).astype(np.float16).astype(np.float32),
        weights=np.linspace(-1, 1, 5).astype(np.float32),
        bias=0.1,
        gamma=0.3,
    )


def drawn_check(**changed) -> RadiographCheck:
    weights = np.linspace(-1, 1, VALUES).astype(np.float32)
    values = {"weights": weights, "bias": 0.25, "texture": drawn_texture_machine(), "threshold": 0.5, "counts": (7, 9)}
    return RadiographCheck(**values | changed)


def drawn_pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (90, 60), np.uint8)


def drawn_image(color: float = 0.0) -> Radiograph:
    return Radiograph(drawn_pixels(), "PNG", color=color)


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


def test_score_is_the_logit_plus_the_decision_of_the_texture():
    """The logit is the prepared embedding times the weights plus the bias; the decision is a sum of kernels."""
    check, texture = drawn_check(), drawn_texture_machine()
    embedding = np.random.default_rng(0).random(VALUES).astype(np.float32)
    logit = float(prepare(embedding[None])[0] @ check.weights + 0.25)
    place = np.clip(measure_texture(drawn_pixels()), -FARTHEST, FARTHEST)
    kernel = [np.exp(-0.3 * np.mean((vector - place) ** 2)) for vector in texture.vectors]
    decision = float(np.dot(kernel, texture.weights) + 0.1)
    assert check.score(embedding, drawn_image()) == pytest.approx(logit + decision, abs=1e-5)


def test_score_color_counts_against_a_picture():
    """Each percent of color takes a hundredth of COLOR_COST off the score."""
    embedding = np.ones(VALUES, np.float32)
    gray = drawn_check().score(embedding, drawn_image())
    assert drawn_check().score(embedding, drawn_image(color=0.04)) == pytest.approx(gray - 0.04 * COLOR_COST)


def test_decisions_agree_with_scikit_learn():
    """A machine with the support vectors of scikit-learn's SVC gives its decision values."""
    rng = np.random.default_rng(0)
    textures = rng.normal(size=(60, MEASURES)).astype(np.float32)
    svc = SVC(gamma=0.3 / MEASURES).fit(textures, textures[:, 0] > 0)
    machine = replace(
        drawn_texture_machine(),
        vectors=svc.support_vectors_.astype(np.float32),
        weights=svc.dual_coef_[0].astype(np.float32),
        bias=float(svc.intercept_[0]),
    )
    np.testing.assert_allclose(machine.decisions(textures), svc.decision_function(textures), atol=1e-4)


def test_is_radiograph_at_the_threshold_is_true_below_it_false():
    """The threshold itself still counts as a radiograph."""
    embedding = np.ones(VALUES, np.float32)
    score = drawn_check().score(embedding, drawn_image())
    assert drawn_check(threshold=score).is_radiograph(embedding, drawn_image())
    assert not drawn_check(threshold=score + 1e-6).is_radiograph(embedding, drawn_image())


def test_is_radiograph_nan_is_false():
    """What can't be computed is not called a radiograph."""
    embedding = np.full(VALUES, np.nan, np.float32)
    assert drawn_check(threshold=-1e9).is_radiograph(embedding, drawn_image()) is False


def test_scores_embedding_of_another_size_is_an_error():
    """The sentence says how many values are needed and how many came."""
    with pytest.raises(ModelError, match=f"needs embeddings of {VALUES} values. Received: 5"):
        drawn_check().score(np.ones(5, np.float32), drawn_image())


def test_load_saved_check_is_the_same(saved):
    """Both machines, threshold, counts and source come back from the file."""
    loaded, check = load_radiograph_check(saved), drawn_check(source="python -m somebody")
    embedding = np.ones(VALUES, np.float32)
    assert loaded.score(embedding, drawn_image()) == check.score(embedding, drawn_image())
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
        ({"weights": np.ones((2, 2), np.float32)}, "shapes of weights"),
        ({"vectors": np.ones((5, 3), np.float16)}, "shapes of vectors"),
        ({"scale": np.zeros(MEASURES, np.float32)}, "above 0"),
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


def bundled_scores(check: RadiographCheck, images) -> np.ndarray:
    """By the bundled check, with the bundled model's graph, (N,)."""
    folder = bundled_model()
    graph = Graph(folder.served_model.read_bytes())
    how = read_card(folder).input.fit
    scores = []
    for pixels in images:
        whole = np.ascontiguousarray(pixels)
        scores.append(check.score(graph(fit(whole, graph.size, how)).embedding, Radiograph(whole, "PNG")))
    return np.array(scores)


def test_bundled_check_films_of_pydicom_are_radiographs():
    """A chest film and a lower leg of other hospitals, neither of them in the fit, are radiographs."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    films = bundled_scores(check, (read(dicom(name), name).pixels for name in (CHEST, LEGS[0])))
    assert (films >= check.threshold).all()


def test_bundled_check_is_small():
    """Less than 1 MB, and it says what it was fitted to."""
    path = bundled_model().radiograph_check
    assert path.stat().st_size < 1_000_000
    assert "benchmarks.radiograph_check" in load_radiograph_check(path).source


@pytest.mark.slow
def test_bundled_check_most_other_pictures_are_none():
    """Nineteen in twenty of the documents, charts, drawings, screens and photographs that the fit has not seen."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    kinds = ("document", "chart", "drawing", "screen", "blank", "photograph")
    others = bundled_scores(check, (picture.pixels for picture in pictures() if picture.kind in kinds))
    assert (others < check.threshold).mean() > 0.95


@pytest.mark.slow
def test_bundled_check_changed_validation_radiographs_are_radiographs(fracatlas):
    """Inverted, bordered, marked, cropped or photographed: at most 1 in 50 of what the fit has not seen is refused."""
    check = load_radiograph_check(bundled_model().radiograph_check)
    table = scan(fracatlas).table
    paths = table[table["split"] == "valid"]["path"].sample(50, random_state=1)
    names = list(CHANGES)
    changed = (change(load(Path(path)).pixels, names[seed % len(names)], 900 + seed) for seed, path in enumerate(paths))
    assert (bundled_scores(check, changed) < check.threshold).sum() <= 1
