"""LiteRT as a runtime."""

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.inference.litert import fastest_graph
from fracture.inference.runtimes import choice
from fracture.inference.runtimes.litert import LITERT


def test_litert_names_shapes_and_outputs_alike(trained):
    """What it says of its outputs is what it gives."""
    runner = LITERT.load(trained.served_model.read_bytes(), 1, 1)()
    shape = runner.get_input_details()["image"]["shape"]
    out = runner(image=np.zeros(shape, np.uint8))
    assert {name: values.shape for name, values in out.items()} == {
        name: tuple(details["shape"]) for name, details in runner.get_output_details().items()
    }


@pytest.mark.parametrize("installed", [False, True])
def test_bytes_that_are_no_graph_are_one_sentence(monkeypatch, installed):
    """Whether a runtime was to be chosen or not."""
    monkeypatch.setattr(choice, "installed", lambda: installed)
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    with pytest.raises(ModelError, match="The served graph cannot be loaded"):
        fastest_graph(b"no graph")
