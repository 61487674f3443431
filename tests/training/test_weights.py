"""Where weights come from."""

import json

import pytest

from fracture.errors import WeightsError
from fracture.training.config import TrainConfig
from fracture.training.weights import file_sha256, find_weights


def find(weights, **chosen):
    return find_weights(TrainConfig(data="x", name="m", weights=str(weights), **chosen))


def test_find_weights_file_with_json_reads_its_description(tmp_path):
    """The JSON beside a weights file has its pixel range, its source and its license."""
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    (tmp_path / "net.json").write_text(
        json.dumps({"input_range": [0, 1], "licence": "MIT", "sha256": file_sha256(file)})
    )
    found = find(file)
    assert (found.input_range, found.licence, found.sha256) == ((0.0, 1.0), "MIT", file_sha256(file))


def test_find_weights_file_without_range_is_refused_unless_given(tmp_path):
    """A wrong pixel range would only make the answers worse, so it is never guessed."""
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    with pytest.raises(WeightsError, match="pixel range"):
        find(file)
    assert find(file, input_range=(-1.0, 1.0)).input_range == (-1.0, 1.0)


@pytest.mark.parametrize(
    "said", ["{", "[]", '{"sha256": "other"}', '{"input_range": [0]}', '{"input_range": [0, 1], "licence": 5}']
)
def test_find_weights_file_with_wrong_json_is_refused(tmp_path, said):
    """Damaged JSON, or the checksum of another file, is an error."""
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    (tmp_path / "net.json").write_text(said)
    with pytest.raises(WeightsError, match="net"):
        find(file)


@pytest.mark.parametrize("source", ["bundled", "somewhere/else.weights.h5", "model.keras"])
def test_find_weights_unavailable_source_names_the_others(homes, monkeypatch, source):
    """Nothing is replaced silently: the error names every other source."""
    monkeypatch.setattr("fracture.paths.PROJECT", homes / "installed without models")
    with pytest.raises(WeightsError, match=r"imagenet .* bundled .* none .* \.weights\.h5"):
        find(source)


def test_find_weights_range_of_a_named_source_is_refused():
    """The range of a named source is known; another one would be ignored."""
    with pytest.raises(WeightsError, match="input_range is for a weights file"):
        find("none", input_range=(0.0, 1.0))


def test_find_weights_random_has_an_identity_by_seed():
    """Features of random weights may be shared only between equal seeds."""
    assert find("none", seed=1).identity != find("none", seed=2).identity


@pytest.mark.full
@pytest.mark.parametrize("answer", [404, 200])
def test_build_network_without_imagenet_is_one_sentence(homes, monkeypatch, httpserver_port, answer):
    """Keras's own client, sent to a server that refuses, or sends something else: one sentence."""
    from fracture.training.backbone import network

    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(homes))
    module = pytest.importorskip("keras.src.applications.inception_v3")
    monkeypatch.setattr(module, "WEIGHTS_PATH_NO_TOP", f"http://127.0.0.1:{httpserver_port}/{answer}/weights.h5")
    chosen = TrainConfig(data="x", name="m", weights="imagenet", image_size=75)
    with pytest.raises(
        WeightsError,
        match=r"^The ImageNet weights could not be fetched from the internet\. Sources: imagenet .*bundled",
    ):
        network.build_network(chosen, find_weights(chosen))
