"""The config of a run."""

import pytest

from fracture.errors import ConfigError
from fracture.training.config import PRESETS, TrainConfig


def config(**chosen) -> TrainConfig:
    return TrainConfig(**{"data": "somewhere", "name": "model", **chosen})


def test_preset_reference_is_the_reference_experiment():
    """The preset is the published experiment to the letter."""
    reference = config(**PRESETS["reference"])
    assert (reference.image_size, reference.batch_size, reference.epochs) == (150, 16, 30)
    assert (reference.dropout, reference.l2, reference.learning_rate) == (0.3, 1e-4, 1e-3)
    assert reference.selection == 0.0, "the reference chose its epoch on the validation images"
    assert (reference.mode, reference.weights, reference.fit) == ("head", "imagenet", "stretch")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"image_size": 40}, "image_size must be 75 to 1024. Received: 40"),
        ({"image_size": 150.5}, "image_size must be a whole number"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"dropout": 0.99}, "dropout must be 0 to 0.95. Received: 0.99"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"l2": float("nan")}, "l2 must be 0 to 1. Received: nan"),
        ({"selection": 0.5}, "selection must be 0 to 0.4. Received: 0.5"),
        ({"selection": 0.01}, "selection must be 0, or 0.05 to 0.4. Received: 0.01"),
        ({"fit": "crop"}, "fit must be stretch or letterbox. Received: 'crop'"),
        ({"mode": "all"}, "mode must be head or fine-tune. Received: 'all'"),
        ({"input_range": (0.0, 0.0)}, "input_range must be two numbers, the lower first"),
        ({"input_range": (float("nan"), 1.0)}, "input_range must be two numbers"),
        ({"name": "../escape"}, "name must be 1 to 64 letters"),
        ({"name": ""}, "name must be 1 to 64 letters"),
        ({"name": ".hidden"}, "name must be 1 to 64 letters"),
    ],
)
def test_config_out_of_range_names_the_range_and_the_value(chosen, words):
    """The error says what is allowed, and what was received."""
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        config(**chosen)


def test_config_to_json_and_back_is_the_same():
    """The config in the status file gives the same run again."""
    chosen = config(input_range=(0.0, 1.0), body_part="XR_HUMERUS", epochs=3)
    assert TrainConfig.from_json(chosen.to_json()) == chosen


def test_config_from_json_names_unknown_and_missing_fields():
    """A config from a file that this version does not understand is refused by name."""
    with pytest.raises(ConfigError, match="Received: colour"):
        TrainConfig.from_json({"data": "x", "name": "y", "colour": 1})
    with pytest.raises(ConfigError, match="needs name"):
        TrainConfig.from_json({"data": "x"})
