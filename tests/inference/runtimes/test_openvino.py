"""OpenVINO runs graphs in integers, and answers as LiteRT does. Its own tests are skipped where it is not installed."""

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.imaging.radiograph import fit
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph, fastest_graph
from fracture.inference.prediction import probability_of
from fracture.inference.runtimes.openvino import OPENVINO, in_integers, installed
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import bundled_model, model_folder, read_card

needs_openvino = pytest.mark.skipif(
    not installed(), reason="OpenVINO is not installed: pip install 'fracture[openvino]'"
)


@pytest.fixture(scope="module")
def graphs():
    """The bundled model's graph on both runtimes, and its card."""
    folder = bundled_model()
    content = folder.served_model.read_bytes()
    return Graph(content, 1), Graph(content, 2, runtime=OPENVINO), read_card(folder)


@needs_openvino
def test_openvino_answers_as_litert(graphs):
    """On synthetic radiographs and noise: probability, embedding and heat map, straight and mirrored."""
    litert, openvino, card = graphs
    noise = np.random.default_rng(0).integers(0, 256, (litert.size, litert.size), np.uint8)
    images = [fit(generate_sample(seed, views=1)[0].pixels, litert.size, card.input.fit) for seed in range(3)]
    for pixels in [*images, noise]:
        expected = litert.run_all(pixels, pixels[:, ::-1])
        found = openvino.run_all(pixels, pixels[:, ::-1])
        for one, other in zip(expected, found, strict=True):
            assert probability_of(other.logit, card.temperature) == pytest.approx(
                probability_of(one.logit, card.temperature), abs=0.02
            )
            distance = np.linalg.norm(other.embedding - one.embedding) / np.linalg.norm(one.embedding)
            assert distance < 0.03
            assert (one.places is None) == (other.places is None)
        heat = [heat_map(*outputs, litert.size) for outputs in (expected, found)]
        assert np.corrcoef(heat[0].ravel(), heat[1].ravel())[0, 1] > 0.99


@needs_openvino
def test_openvino_gives_each_caller_its_own_outputs(graphs):
    """Outputs of two images at once are those of each alone; a later call overwrites nothing."""
    _, openvino, _ = graphs
    images = np.random.default_rng(1).integers(0, 256, (6, openvino.size, openvino.size), np.uint8)
    together = openvino.run_all(*images)
    alone = [openvino(image) for image in images]
    for one, other in zip(together, alone, strict=True):
        assert one.logit == pytest.approx(other.logit, abs=1e-5)
        np.testing.assert_allclose(one.cam, other.cam, atol=1e-4)


def test_in_integers_tells_the_shipped_graphs_apart():
    """The bundled model's computes in integers; the humerus model's has its weights alone in 8 bits."""
    assert in_integers(bundled_model().served_model.read_bytes())
    assert not in_integers(model_folder("mura-humerus").served_model.read_bytes())


@pytest.mark.parametrize("kept", [8, 100, 1000])
def test_in_integers_refuses_a_graph_that_was_cut_short(kept):
    """In the words of a sentence, whichever offset leads behind its end."""
    content = bundled_model().served_model.read_bytes()

    with pytest.raises(ValueError, match=r"a damaged LiteRT file\."):
        in_integers(content[:kept])


def test_fastest_graph_of_a_damaged_file_says_so(monkeypatch):
    """Where OpenVINO is installed, too, a visitor reads a sentence."""
    monkeypatch.setattr("fracture.inference.runtimes.choice.installed", lambda: True)
    content = bundled_model().served_model.read_bytes()
    with pytest.raises(ModelError, match=r"The served graph cannot be loaded: a damaged LiteRT file\."):
        fastest_graph(content[:1000])
