"""The served model; with ``report``."""

import io
import json
import shutil
import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.special import logit

from fracture.errors import ModelError, RadiographError
from fracture.imaging.radiograph import Radiograph, fit, read
from fracture.inference.classifier import Classifier, load_classifier
from fracture.inference.litert import Graph
from fracture.inference.report import rows, write_csv
from fracture.registry.adjustments import Adjustments
from fracture.registry.model_folder import ModelFolder, file_hashes, model_folder, read_card
from tests.registry.test_adjustments import familiarity, recalibration


def image(seed=0, shape=(90, 60)) -> Radiograph:
    return Radiograph(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), "PNG")


@pytest.fixture
def classifier(homes, make_model):
    make_model("m")
    return load_classifier("m")


def test_view_takes_the_graph_of_its_caller_each_time(classifier):
    """A caller who asks many models keeps few graphs in memory; the answers are the same."""
    folder = model_folder("m")
    loaded = []

    def load_graph() -> Graph:
        loaded.append(Graph(folder.served_model.read_bytes()))
        return loaded[-1]

    other = Classifier(folder, None, load_graph)
    before = len(loaded)
    assert other.view("a", image()).logits == classifier.view("a", image()).logits
    other.view("b", image())
    assert len(loaded) == before + 2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_view_of_nothing_to_see_is_refused(classifier, level):
    """A picture that is nearly black, white or flat gets no answer, even with a marker on it."""
    pixels = np.full((90, 60), level, np.uint8)
    pixels[3:10, 3:10] = 255 - level
    for ask in (classifier.view, classifier.first_pass):
        with pytest.raises(RadiographError, match="must show something"):
            ask("view.png", Radiograph(pixels, "PNG"))


def test_classify_answers_with_the_models_labels(classifier):
    """The label is the model's word for the side of the threshold; at the threshold itself it is positive."""
    answer = classifier.classify([("a", image())])
    assert answer.labels == ("normal", "abnormal")
    assert 0 < answer.probability < 1
    views = [replace(view, known=True) for view in answer.views]
    assert classifier.answer(views, threshold=answer.probability).label == "abnormal"
    assert classifier.answer(views, threshold=answer.probability + 1e-6).label == "normal"


def test_classify_several_views_averages_them_and_keeps_each(classifier):
    """Several files are one study: the mean, with every view's own figure."""
    images = [(str(seed), image(seed)) for seed in range(3)]
    alone = [classifier.classify([each]).probability for each in images]
    study = classifier.classify(images)
    assert [view.probability for view in study.views] == pytest.approx(alone)
    assert [view.name for view in study.views] == ["0", "1", "2"]
    assert study.probability == pytest.approx(np.mean([view.probability for view in study.counted]))


def test_view_averages_the_image_and_its_mirror_image(classifier):
    """The mean of their logits counts, and each side's probability is kept."""
    picture = image()
    turned = replace(picture, pixels=picture.pixels[:, ::-1].copy())
    straight, mirrored = classifier.view("a", picture), classifier.view("b", turned)
    assert straight.probability == pytest.approx(mirrored.probability, abs=1e-6)
    assert straight.logits == pytest.approx(mirrored.logits[::-1], abs=1e-5)
    assert min(straight.by_side) <= straight.probability <= max(straight.by_side)
    assert np.allclose(straight.heat, mirrored.heat[:, ::-1], atol=1e-5)


def test_view_probability_is_calibrated_by_the_cards_temperature(homes, make_model):
    """The temperature divides the logit."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    views = []
    for temperature in (1.0, 4.0):
        folder.card.write_text(json.dumps({**card, "temperature": temperature}))
        views.append(load_classifier("m").view("x", image()))
    mean = sum(views[0].logits) / 2
    assert views[0].probability == pytest.approx(1 / (1 + np.exp(-mean)))
    assert views[1].probability == pytest.approx(1 / (1 + np.exp(-mean / 4)))


SURE = {"half": 0.5, "balanced": 0.999, "high_sensitivity": 0.999, "high_specificity": 0.9995}
"""Thresholds that no image of noise reaches."""


@pytest.fixture
def measured(homes, make_model):
    """Loads the model with a card that says below which logit the mirror image is not run."""
    folder = make_model("m")
    card = {**json.loads(folder.card.read_text()), "temperature": 1.0, "thresholds": SURE}

    def load_measured(straight_below: float, adjustments: Adjustments | None = None):
        recorded = {"straight_below": straight_below, "limit": float(logit(0.999)), "images": 600, "data": "drawn"}
        folder.card.write_text(json.dumps({**card, "mirrored_pass": recorded}))
        return load_classifier("m", adjustments=adjustments)

    return load_measured


def test_complete_without_a_measurement_runs_the_mirror_image(classifier):
    """Cards of earlier versions say nothing about it: the answer is that of both passes."""
    assert classifier.card.mirrored_pass is None
    view = classifier.view("a", image())
    completed = classifier.first_pass("a", image()).view
    assert completed.logits == view.logits and completed.probability == view.probability
    assert np.array_equal(completed.heat, view.heat) and np.array_equal(completed.embedding, view.embedding)


def test_complete_of_a_settled_image_leaves_the_mirror_image_out(measured):
    """Below the measured logit the answer and the heat map are of the image alone; from it on, of both."""
    straight = measured(0.0).view("a", image()).logits[0]
    settled = measured(straight + 1e-3).first_pass("a", image()).view
    assert settled.logits == (straight,)
    assert settled.by_side == (settled.probability,) == pytest.approx((1 / (1 + np.exp(-straight)),))
    both = measured(straight).first_pass("a", image()).view
    assert both.logits[0] == straight and len(both.logits) == 2
    assert not np.allclose(settled.heat, both.heat)
    turned = replace(image(), pixels=image().pixels[:, ::-1].copy())
    other = measured(1e6).first_pass("a", turned).view
    assert np.allclose((settled.heat + other.heat[:, ::-1]) / 2, both.heat, atol=1e-5)


def test_complete_for_a_lower_threshold_than_measured_runs_the_mirror_image(measured):
    """A measurement holds for its own limit and for higher ones."""
    model = measured(1e6)
    first = model.first_pass("a", image())
    passes = {threshold: len(model.complete(first, threshold).logits) for threshold in (None, 0.9995, 0.999, 0.5)}
    assert passes == {None: 1, 0.9995: 1, 0.999: 1, 0.5: 2}


def test_complete_of_a_recalibrated_model_runs_the_mirror_image_below_lower_limits(measured):
    """Recalibration may lower the limit, as a temperature or a threshold."""
    card = measured(1e6).card
    lower = Adjustments(model_sha256="", recalibration=recalibration(card, temperature=0.5))
    assert len(measured(1e6, lower).first_pass("a", image()).view.logits) == 2


def test_complete_of_no_radiograph_leaves_the_mirror_image_out(classifier):
    """It gets no answer from any model; a copy that is marked shares the answer that was computed already."""
    first = classifier.first_pass("a", image())
    view = replace(first, radiograph=False).view
    assert len(view.logits) == 1 and view.radiograph is False
    marked = replace(first, radiograph=True)
    assert marked.view.radiograph is True and marked.view.heat is first.view.heat


def test_view_runs_the_mirror_image_whatever_the_card_says(measured):
    """Metrics are measured on both passes."""
    assert len(measured(1e6).view("a", image()).logits) == 2


def test_rows_of_a_settled_image_have_no_spread(measured):
    """One pass gives one probability."""
    model = measured(1e6)
    view = model.first_pass("a", image()).view
    (row,) = rows("s", model.answer([replace(view, known=True)]), "m")
    assert row["lowest"] == row["probability"] == row["highest"] and row["answer"] == "normal"


def test_view_heat_map_is_exact(homes, make_model):
    """The mean of the class-activation map plus the head's bias is the logit: nothing is invented."""
    graph = Graph(make_model("m").served_model.read_bytes())
    outputs = [graph(fit(image(seed).pixels, graph.size, "stretch")) for seed in range(3)]
    bias = [output.logit - output.cam.mean() for output in outputs]
    assert bias == pytest.approx([bias[0]] * 3, abs=1e-3)


@pytest.mark.full
def test_view_with_another_head_has_another_heat_map(homes, keras_trained):
    """The check of Adebayo et al., NeurIPS 2018: a map that stayed the same would not show what the head learned."""
    folder = ModelFolder(shutil.copytree(keras_trained.path, homes / "models" / "m"))
    picture = image()
    before = load_classifier("m").view("x", picture).heat
    head = trained_head(folder)
    content = folder.served_model.read_bytes()
    random = np.random.default_rng(0).permutation(head).astype("<f4")
    assert content.count(head.tobytes()) == 2  # for the logit and for the map
    folder.served_model.write_bytes(content.replace(head.tobytes(), random.tobytes()))
    update_checksums(folder)
    after = load_classifier("m").view("x", picture).heat
    assert not np.allclose(before, after, rtol=0.1)


def update_checksums(folder) -> None:
    """Write the sums of the files that are there now into the card."""
    folder.card.write_text(json.dumps({**json.loads(folder.card.read_text()), "files": file_hashes(folder)}))


def trained_head(folder) -> np.ndarray:
    """The head's kernel (2048,), read from the Keras model's file."""
    with h5py.File(folder.keras_model) as file:
        kernel = file.visititems(lambda _, item: item[...] if getattr(item, "shape", 0) == (2048, 1) else None)
    return kernel.ravel().astype("<f4")


def test_classifier_shared_by_threads_answers_each(classifier):
    """Concurrent callers each get the answer for their own image."""
    images = [image(seed) for seed in range(6)]
    expected = [classifier.view("x", each).probability for each in images]
    found = [[] for _ in images]

    def ask(number):
        for _ in range(5):
            found[number].append(classifier.view("x", images[number]).probability)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answers in enumerate(found):
        assert answers == pytest.approx([expected[number]] * 5)
    assert len(set(expected)) == len(expected), "the images must have different answers"


@pytest.mark.parametrize("damage", [b"", b"not a graph", None])
def test_load_classifier_with_a_damaged_graph_is_one_sentence(homes, make_model, damage):
    """A served graph that is missing or broken is a ModelError."""
    folder = make_model("m")
    if damage is None:
        folder.served_model.unlink()
    else:
        folder.served_model.write_bytes(damage)
        update_checksums(folder)
    with pytest.raises(ModelError, match=r"graph|finished"):
        load_classifier("m")


def test_load_classifier_with_an_incomplete_card_is_one_sentence(homes, make_model):
    """A card without labels can't be used."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    del card["labels"]
    folder.card.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="card of model 'm' is damaged: it lacks labels"):
        load_classifier("m")


def test_rows_and_csv(classifier, tmp_path):
    """A report has a line a view and one for the study; one view alone needs no second line."""
    answer = classifier.classify([("a.png", image(1)), ("b.png", image(2))])
    lines = rows("s1", answer, "m")
    assert [line["kind"] for line in lines] == ["image", "image", "study"]
    assert len(rows("s1", classifier.classify([("a.png", image(1))]), "m")) == 1
    write_csv(tmp_path / "out.csv", lines)
    written = (tmp_path / "out.csv").read_text().splitlines()
    old = "kind,study,image,answer,probability,lowest,highest,doubt_from,doubt_to,model,adjusted"
    assert written[0] == f"{old},status,nearest_parts,unusual"
    assert len(written) == 4


@pytest.mark.full
def test_classifier_answers_as_the_keras_model(homes, keras_trained):
    """Bytes to probability, through the one preprocessing, agrees with the trained Keras model to its 8-bit weights."""
    import keras

    classifier = load_classifier(keras_trained.name, keras_trained.path.parent)
    card = classifier.card
    low, high = card.input.pixel_range
    model = keras.models.load_model(keras_trained.keras_model, compile=False, safe_mode=True)
    file = io.BytesIO()
    Image.fromarray(image(7).pixels).save(file, "PNG")
    picture = read(file.getvalue())
    square = fit(picture.pixels, card.input.size, card.input.fit)
    fed = np.repeat(square[None, :, :, None], 3, axis=-1) / 255 * (high - low) + low
    expected = float(model.predict(fed, verbose=0)[0, 0])
    straight = classifier.view("x", picture).logits[0]
    assert 1 / (1 + np.exp(-straight)) == pytest.approx(expected, abs=0.02)


def test_view_of_a_card_without_regions_has_none(classifier):
    """Cards of earlier versions, and of models that were not trained on boxes, say nothing about candidate regions."""
    assert "regions" not in classifier.card.document or classifier.card.document["regions"] is None
    assert classifier.card.regions is None
    assert classifier.view("v", image()).regions == ()


def test_load_classifier_with_adjustments_uses_them_and_says_so(make_model):
    """The temperature and both kinds of thresholds; another version, so that caches tell the two apart."""
    folder = make_model("m")
    card = read_card(folder)
    hot = recalibration(card, temperature=10.0)
    adjustments = Adjustments(
        model_sha256="", recalibration=hot, familiarity=familiarity(threshold=1e-6, threshold_before=2.0)
    )
    plain = load_classifier("m")
    adjusted = load_classifier("m", adjustments=adjustments)
    before = plain.classify([("view", image())])
    after = adjusted.classify([("view", image())])
    assert abs(after.probability - 0.5) < abs(before.probability - 0.5)
    assert after.limits == (hot.thresholds["high_sensitivity"], hot.thresholds["high_specificity"])
    assert after.views[0].known is False
    assert after.adjusted.startswith("This model is adjusted: recalibrated on drawn") and before.adjusted == ""
    assert adjusted.version != plain.version
