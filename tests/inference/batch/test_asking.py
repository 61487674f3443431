"""Which models a request asks."""

import pytest

from fracture.errors import ModelError
from fracture.inference.batch.asking import AUTOMATIC, models_to_ask


def test_named_model_is_asked_alone(make_model):
    """A model of another name is not."""
    make_model("m")
    make_model("n")
    assert [each.name for each in models_to_ask("m")] == ["m"]


@pytest.mark.parametrize("name", [None, AUTOMATIC])
def test_without_shipped_models_the_default_is_asked(make_model, name):
    """The sentence says which one."""
    make_model("m")
    said = []
    assert [each.name for each in models_to_ask(name, on_default=said.append)] == ["m"]
    assert len(said) == 1 and said[0].startswith("Using m")


def test_no_model_is_a_sentence(homes):
    """It says how to get one."""
    with pytest.raises(ModelError, match="There is no model yet"):
        models_to_ask(None)
