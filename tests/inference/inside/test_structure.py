"""What is read from the file of a served graph."""

import pytest

from fracture.errors import ModelError
from fracture.inference.inside.structure import BLOCKS, read_structure, with_outputs
from fracture.inference.litert import Graph
from tests.inference.test_litert import images


def test_structure_holds_the_head_of_the_model(trained):
    """The weight of each channel, and the bias: with the features they give the logit."""
    content = trained.served_model.read_bytes()
    structure = read_structure(content)
    graph = Graph(content, interpreters=1)
    output = graph(images(1, graph.size)[0])
    assert tuple(structure.tensors) == BLOCKS
    assert float(output.features @ structure.weights) + structure.bias == pytest.approx(output.logit, abs=1e-4)


@pytest.mark.parametrize("content", [b"", b"no graph at all", b"TFL3" * 100], ids=["empty", "text", "noise"])
def test_structure_of_other_bytes_is_an_error_in_a_sentence(content):
    """No traceback, and what to do."""
    with pytest.raises(ModelError, match="export the model again"):
        read_structure(content)


def test_graph_cut_short_is_an_error_in_a_sentence(trained):
    """As a download that broke off."""
    with pytest.raises(ModelError, match="export the model again"):
        read_structure(trained.served_model.read_bytes()[:5000])


def test_graph_with_more_outputs_answers_as_before(trained):
    """The list of outputs is longer; nothing else of the file has changed."""
    content = trained.served_model.read_bytes()
    longer = with_outputs(content, list(read_structure(content).tensors.values()))
    assert len(longer) < len(content) + 200
    image = images(1, Graph(content, interpreters=1).size)[0]
    assert Graph(longer, interpreters=1)(image).logit == Graph(content, interpreters=1)(image).logit
