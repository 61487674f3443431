"""The maps inside a network, from an interpreter of one's own."""

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.imaging.radiograph import fit, load
from fracture.inference.inside.head import WeightedMaps
from fracture.inference.inside.maps import look_inside, strongest
from fracture.inference.inside.structure import BLOCKS, CHANNELS, LAST, STEM, read_structure
from fracture.inference.litert import Graph
from fracture.paths import PROJECT
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.sample_radiographs import sample_radiographs

SHIPPED = ("fracatlas", "mura-humerus")


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request) -> ModelFolder:
    """Each of the models that come with the project: one in integers and taught by boxes, one without both."""
    return ModelFolder(PROJECT / "models" / request.param)


def test_logit_inside_is_the_served_one_to_the_last_bit(shipped):
    """The same kernels run, whichever maps are kept; so do the features, which are the means of the last maps."""
    content = shipped.served_model.read_bytes()
    graph = Graph(content, interpreters=1)
    structure = read_structure(content)
    for sample in sample_radiographs()[::6]:
        pixels = fit(load(sample.path).pixels, graph.size, read_card(shipped).input.fit)
        served = graph(pixels)
        inside = look_inside(content, structure, pixels, BLOCKS)
        assert inside.logit == served.logit
        head = WeightedMaps(inside.maps[LAST], structure.weights, structure.bias, inside.logit)
        # Sums of 2,048 numbers in another order: they differ in the last bits of 32.
        np.testing.assert_allclose(head.features, served.features, atol=1e-5)
        np.testing.assert_allclose(head.activation_map(), served.cam, atol=1e-4)
        assert head.bias + served.cam.mean() + head.cells == pytest.approx(served.logit, abs=1e-4)
        assert (abs(head.cells) < 1e-4) == (served.places is None)


def test_blocks_of_a_trained_head_are_all_found(trained):
    """A head of the app's own run has the same blocks, from the stem to mixed10, each half as large as some before."""
    content = trained.served_model.read_bytes()
    size = Graph(content, interpreters=1).size
    pixels = np.random.default_rng(0).integers(0, 256, (size, size), np.uint8)
    maps = look_inside(content, read_structure(content), pixels, BLOCKS).maps
    assert tuple(maps[name].shape[2] for name in BLOCKS[len(STEM) :]) == CHANNELS
    sides = [maps[name].shape[0] for name in BLOCKS]
    assert sides == sorted(sides, reverse=True) and sides[0] > 4 * sides[-1]
    assert all(each.min() >= 0 for each in maps.values())


def test_unknown_block_is_refused_with_the_known_ones(trained):
    """The error names what may be asked for."""
    content = trained.served_model.read_bytes()
    with pytest.raises(ModelError, match=r"blocks must be of conv1.*mixed10\. Received: mixed11"):
        look_inside(content, read_structure(content), np.zeros((75, 75), np.uint8), ["mixed11"])


def test_strongest_channels_come_in_the_order_of_their_means():
    """With their maps, channels first."""
    maps = np.zeros((2, 3, 4), np.float32)
    maps[..., 2] = 1
    maps[0, 0, 1] = 3
    found = strongest(maps, 2)
    assert found.channels == [2, 1] and found.means == [1.0, 0.5] and found.total == 4
    assert found.maps.shape == (2, 2, 3) and found.maps[1, 0, 0] == 3
