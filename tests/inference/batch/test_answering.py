"""What a worker answers."""

import pytest
from PIL import Image

from fracture.errors import ModelError
from fracture.imaging.radiograph import load
from fracture.inference.batch.answering import AskedModel, Request, Study, answer_studies, ask, lacks_model, load_models
from fracture.inference.classifier import load_classifier
from fracture.registry.model_folder import model_folder


@pytest.fixture
def request_m(make_model):
    """A request to a model called ``m``."""
    return Request((ask(make_model("m"), None),), answer_unlike=True)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "view.png"
    Image.linear_gradient("L").save(path)
    return path


def test_answer_studies_are_those_of_the_classifier(request_m, picture):
    """A study's rows have the probability that the classifier gives; a file that can't be read is a failure."""
    bad = picture.with_name("bad.png")
    bad.write_text("hello")
    both, one, none = answer_studies(
        request_m,
        [
            Study("both", (str(picture), str(picture))),
            Study("one", (str(bad), str(picture))),
            Study("none", (str(bad),)),
        ],
    )
    expected = load_classifier("m").classify([("view", load(picture))]).probability
    assert [row["kind"] for row in both.rows] == ["image", "image", "study"]
    assert both.rows[0]["probability"] == pytest.approx(expected, abs=1e-6)
    assert [row["image"] for row in one.rows] == [str(picture)] and one.failures[0].file == str(bad)
    assert none.rows == [] and "bad.png" in none.failures[0].sentence


def test_load_models_reads_them_once(request_m):
    """The second study does not wait for the model again."""
    assert load_models(request_m)[0] is load_models(request_m)[0]


def test_lacks_model_tells_another_model_from_the_same(request_m, make_model):
    """A worker without it, or with another one of that name, says so and what to do."""
    asked = request_m.models[0]
    assert lacks_model(asked) == ""
    assert lacks_model(AskedModel("none-such", asked.sha256)).startswith("has no model 'none-such'. Copy")
    assert lacks_model(AskedModel("m", "0" * 64)).startswith("has another model that is called 'm'. Copy")


def test_ask_without_a_model_is_a_sentence(homes):
    """The name is no model's."""
    with pytest.raises(ModelError, match="no finished model called 'none-such'"):
        load_models(Request((ask(model_folder("none-such"), None),)))
