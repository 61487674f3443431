"""Which runtime runs a graph."""

import numpy as np
import pytest

from fracture.errors import FractureError
from fracture.inference.litert import Graph, fastest_graph
from fracture.inference.runtimes import choice
from fracture.inference.runtimes.choice import choose_runtime
from fracture.inference.runtimes.litert import LITERT
from fracture.inference.runtimes.runner import Runtime

CONTENT = b"a graph in integers"
FLOATING = b"a graph in floating point"


class FakeRunner:
    """A runner whose passes take as long as it says, by a clock of their own."""

    def __init__(self, took: float, clock: list[float], logit: float = 0.0) -> None:
        self.took, self.clock, self.passes, self.logit = took, clock, 0, logit

    def get_input_details(self):
        return {"image": {"shape": np.array([1, 8, 8, 1])}}

    def get_output_details(self):
        return {}

    def __call__(self, *, image):
        assert image.shape == (1, 8, 8, 1) and image.dtype == np.uint8
        self.passes += 1
        self.clock[0] += self.took
        return {"logit": np.array([[self.logit]], np.float32)}


@pytest.fixture
def pretend(monkeypatch):
    """Both runtimes are fakes, whose passes take so many seconds; returns how often OpenVINO was loaded."""
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    monkeypatch.setattr(choice, "_chosen", {})
    monkeypatch.setattr(choice, "installed", lambda: True)
    monkeypatch.setattr(choice, "in_integers", lambda content: content != FLOATING)
    monkeypatch.setattr(choice, "TRIAL_SECONDS", 0.0)
    clock = [0.0]
    monkeypatch.setattr(choice.time, "process_time", lambda: clock[0])
    measured = choice._ratio
    monkeypatch.setattr(choice, "_ratio", lambda first, second: measured(first, second, lambda: clock[0]))

    def fake(litert: float, openvino: float | Exception, logit: float = 0.0) -> list[bytes]:
        loaded: list[bytes] = []

        def load_openvino(content, interpreters, threads):
            loaded.append(content)
            if isinstance(openvino, Exception):
                raise openvino
            return lambda: FakeRunner(openvino, clock, logit)

        monkeypatch.setattr(choice, "LITERT", Runtime("litert", "LiteRT", lambda *_: lambda: FakeRunner(litert, clock)))
        monkeypatch.setattr(choice, "OPENVINO", Runtime("openvino", "OpenVINO", load_openvino))
        return loaded

    return fake


@pytest.mark.parametrize(
    ("litert", "openvino", "expected"), [(0.2, 0.1, "openvino"), (0.2, 0.19, "litert"), (0.1, 0.2, "litert")]
)
def test_choose_runtime_takes_openvino_where_it_is_clearly_faster(pretend, litert, openvino, expected):
    """A tenth at least: it takes more memory."""
    pretend(litert, openvino)
    assert choose_runtime(CONTENT, 2).name == expected


def test_choose_runtime_tries_a_graph_once(pretend):
    """The result is kept for the process; another graph is tried by itself."""
    loaded = pretend(0.2, 0.1)
    assert [choose_runtime(each, 2).name for each in (CONTENT, CONTENT, b"another")] == ["openvino"] * 3
    assert loaded == [CONTENT, b"another"]


@pytest.mark.parametrize("error", [RuntimeError("unreadable"), ImportError("a library is missing"), OSError("disk")])
def test_choose_runtime_takes_litert_where_openvino_fails(pretend, caplog, error):
    """A graph that OpenVINO can't run is answered by LiteRT, and the log says why."""
    pretend(0.2, error)
    assert choose_runtime(CONTENT, 2).name == "litert"
    assert str(error) in caplog.text


@pytest.mark.parametrize("logit", [0.7, float("inf"), float("nan")])
def test_choose_runtime_takes_litert_where_openvino_answers_otherwise(pretend, caplog, logit):
    """However fast it is."""
    pretend(0.2, 0.1, logit)
    assert choose_runtime(CONTENT, 2).name == "litert"
    assert "its logit for noise" in caplog.text


@pytest.mark.parametrize("wanted", ["auto", "openvino"])
def test_choose_runtime_keeps_floating_point_on_litert(pretend, monkeypatch, wanted):
    """Whatever the variable says, and without a trial."""
    loaded = pretend(0.2, 0.1)
    monkeypatch.setenv(choice.VARIABLE, wanted)
    assert choose_runtime(FLOATING, 2).name == "litert" and loaded == []


def test_choose_runtime_without_openvino_is_litert_without_a_trial(pretend, monkeypatch):
    """As before: nothing is loaded to choose."""
    loaded = pretend(0.2, 0.1)
    monkeypatch.setattr(choice, "installed", lambda: False)
    assert choose_runtime(CONTENT, 2).name == "litert" and loaded == []


@pytest.mark.parametrize("wanted", ["litert", "openvino"])
def test_choose_runtime_takes_the_one_of_the_variable(pretend, monkeypatch, wanted):
    """Without a trial."""
    loaded = pretend(0.2, 0.1)
    monkeypatch.setenv(choice.VARIABLE, wanted)
    assert choose_runtime(CONTENT, 2).name == wanted and loaded == []


def test_choose_runtime_refuses_another_word(pretend, monkeypatch):
    """The sentence names what is allowed, and what came."""
    monkeypatch.setenv(choice.VARIABLE, "onnx")
    with pytest.raises(FractureError, match=r"must be auto, litert or openvino\. Received: onnx"):
        choose_runtime(CONTENT, 2)


def test_choose_runtime_refuses_openvino_that_is_not_installed(pretend, monkeypatch):
    """The sentence says how to install it."""
    monkeypatch.setattr(choice, "installed", lambda: False)
    monkeypatch.setenv(choice.VARIABLE, "openvino")
    with pytest.raises(FractureError, match=r"pip install 'fracture\[openvino\]'"):
        choose_runtime(CONTENT, 2)


def test_fastest_graph_answers_as_litert_where_openvino_is_missing(trained, monkeypatch):
    """The very same outputs, of the same runtime."""
    monkeypatch.setattr(choice, "installed", lambda: False)
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    content = trained.served_model.read_bytes()
    graph = fastest_graph(content)
    pixels = np.random.default_rng(0).integers(0, 256, (graph.size, graph.size), np.uint8)
    assert graph.runtime is LITERT
    assert graph(pixels).logit == Graph(content)(pixels).logit
