"""The bundled model's backbone for another head, without TensorFlow; with ``head_slot``."""

import contextlib

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from fracture.inference.litert import Graph
from fracture.registry.dynamic_range import dynamic_range_graph
from fracture.registry.model_folder import bundled_model
from fracture.training.backbone.network import build_network
from fracture.training.backbone.network import describe_network as describe_keras
from fracture.training.config import TrainConfig
from fracture.training.export.bundled_backbone import bundled_graph, describe_graph
from fracture.training.export.head_slot import place_head
from fracture.training.weights import find_weights

SIZES = (75, 150, 224, 299, 427)


def image(size):
    return np.random.default_rng(size).integers(0, 256, (size, size), np.uint8)


@pytest.fixture(scope="module")
def head():
    return np.random.default_rng(1).normal(0, 0.1, 2049).astype(np.float32)


@pytest.fixture(scope="module")
def bundled():
    """The features of the bundled model's graph with activations in floating point, at its own size or another."""
    interpreter = Interpreter(model_content=dynamic_range_graph(bundled_model()), num_threads=2)
    run = interpreter.get_signature_runner()
    features, entry = run.get_output_details()["features"]["index"], run.get_input_details()["image"]["index"]

    def see(pixels):
        interpreter.resize_tensor_input(entry, (1, *pixels.shape, 1))
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry, pixels[None, :, :, None])
        with contextlib.suppress(RuntimeError):  # its places, which come after the features, know one size alone
            interpreter.invoke()
        return interpreter.get_tensor(features)[0]

    return see


@pytest.mark.parametrize("size", SIZES)
def test_bundled_graph_has_the_features_of_the_bundled_model(bundled, head, size):
    """To the last bit, at any size: only operators of the bundled model's own outputs are removed."""
    graph = Graph(place_head(bundled_graph(size), head))
    assert graph.size == size and not graph.shows_places
    out = graph(image(size))
    assert np.array_equal(out.features, bundled(image(size))) and out.features.std() > 0
    assert out.embedding is out.features and out.features.shape == (2048,)


@pytest.mark.parametrize("size", [75, 150])
def test_place_head_answers_as_that_head(head, size):
    """The logit is the head's of the features, and the mean of the map plus the bias."""
    out = Graph(place_head(bundled_graph(size), head))(image(size))
    assert out.logit == pytest.approx(out.features @ head[:-1] + head[-1], abs=1e-4)
    assert out.logit == pytest.approx(out.cam.mean() + head[-1], abs=1e-4)


@pytest.mark.slow
def test_describe_bundled_graph_equals_the_keras_network():
    """The same layers, parameters and blocks, although batch normalization is folded into its convolutions."""
    config = TrainConfig(data="any", name="any", weights="none", image_size=150)
    assert describe_graph(bundled_graph(150)) == describe_keras(build_network(config, find_weights(config)))


def test_place_head_without_marks_is_refused(head):
    """A graph that has a head already has no marks."""
    graph = place_head(bundled_graph(75), head)
    with pytest.raises(RuntimeError, match=r"each mark of the head once\. Found: 0"):
        place_head(graph, head)
