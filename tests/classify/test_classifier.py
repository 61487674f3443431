"""The served model."""

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from fracture.classify.classifier import load_classifier
from fracture.classify.report import rows, write_csv
from fracture.data.radiograph import Radiograph, fit, read
from fracture.errors import ModelError


def image(seed=0, shape=(90, 60)) -> Radiograph:
    return Radiograph(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), "PNG")


@pytest.fixture
def classifier(homes, make_model):
    make_model("m")
    return load_classifier("m")


def test_the_answer_is_in_the_models_own_words(classifier):
    """The label is the model's word for the side of the threshold; at the threshold itself it is positive."""
    answer = classifier.classify([("a", image())])
    assert answer.labels == ("normal", "abnormal")
    assert 0 < answer.probability < 1
    assert classifier.classify([("a", image())], threshold=answer.probability).label == "abnormal"
    assert classifier.classify([("a", image())], threshold=answer.probability + 1e-6).label == "normal"


def test_a_study_is_the_mean_of_its_views_and_keeps_each(classifier):
    """Several files are one study: the mean, with every view's own figure."""
    images = [(str(seed), image(seed)) for seed in range(3)]
    alone = [classifier.classify([each]).probability for each in images]
    study = classifier.classify(images)
    assert study.probability == pytest.approx(np.mean(alone))
    assert [view.probability for view in study.views] == pytest.approx(alone)
    assert [view.name for view in study.views] == ["0", "1", "2"]


def test_the_heat_map_is_exact(classifier):
    """The mean of the class-activation map plus the head's bias is the logit: nothing is invented."""
    views = [classifier.view("x", image(seed)) for seed in range(3)]
    logits = [np.log(view.probability / (1 - view.probability)) for view in views]
    bias = [logit - view.cam.mean() for logit, view in zip(logits, views, strict=True)]
    assert bias == pytest.approx([bias[0]] * 3, abs=1e-3)
    assert classifier.heat(views[0], 60, 90).shape == (90, 60)


def test_threads_share_one_classifier_without_mixing_answers(classifier):
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
def test_a_damaged_graph_is_one_sentence(homes, make_model, damage):
    """A served graph that is missing or broken is a ModelError."""
    folder = make_model("m")
    if damage is None:
        folder.served_model.unlink()
    else:
        folder.served_model.write_bytes(damage)
    with pytest.raises(ModelError, match=r"graph|finished"):
        load_classifier("m")


def test_a_card_that_lacks_something_is_one_sentence(homes, make_model):
    """A card without labels cannot be used, and says so."""
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
    assert written[0] == "kind,study,image,probability,threshold,label,model"
    assert len(written) == 4


@pytest.mark.full
def test_it_answers_as_the_keras_model_does(homes, trained):
    """Bytes to probability, through the one preprocessing, agrees with the trained Keras model to its 8-bit weights."""
    import keras

    classifier = load_classifier(trained.name, trained.path.parent)
    card = classifier.card
    low, high = card["input"]["pixel_range"]
    model = keras.models.load_model(trained.keras_model, compile=False, safe_mode=True)
    file = io.BytesIO()
    Image.fromarray(image(7).pixels).save(file, "PNG")
    picture = read(file.getvalue())
    square = fit(picture.pixels, card["input"]["size"], card["input"]["fit"])
    fed = np.repeat(square[None, :, :, None], 3, axis=-1) / 255 * (high - low) + low
    expected = float(model.predict(fed, verbose=0)[0, 0])
    assert classifier.view("x", picture).probability == pytest.approx(expected, abs=0.02)
