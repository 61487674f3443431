"""The bundled model's graph as version 0.1.0 served it."""

import hashlib
import shutil

import pytest

from fracture.errors import ModelError
from fracture.registry.dynamic_range import dynamic_range_graph, dynamic_range_sha256
from fracture.registry.model_folder import ModelFolder, bundled_model

VERSION_0_1 = "37748ee42b7c41c54c859ac57597df50a294e6a946c93804fd4d44964520a164"
"""What the card of version 0.1.0 says of ``model.tflite``."""


def test_the_graph_is_that_of_version_0_1_to_the_last_byte():
    """Runs and cached features know the weights ``bundled-8bit`` by this hash."""
    graph = dynamic_range_graph(bundled_model())
    assert hashlib.sha256(graph).hexdigest() == dynamic_range_sha256(bundled_model()) == VERSION_0_1
    assert graph != bundled_model().served_model.read_bytes()


def test_the_difference_of_another_graph_is_refused(tmp_path):
    """A sentence names both files."""
    shutil.copy(bundled_model().dynamic_range, tmp_path)
    (tmp_path / "model.tflite").write_bytes(b"another graph")
    with pytest.raises(ModelError, match=r"dynamic_range\.npz is not of the model\.tflite beside it"):
        dynamic_range_graph(ModelFolder(tmp_path))


@pytest.mark.parametrize("content", [None, b"no arrays"])
def test_a_difference_that_cannot_be_read_is_one_sentence(tmp_path, content):
    """It is missing, or damaged."""
    if content is not None:
        (tmp_path / "dynamic_range.npz").write_bytes(content)
    with pytest.raises(ModelError, match="missing or damaged"):
        dynamic_range_sha256(ModelFolder(tmp_path))
