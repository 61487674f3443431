"""What the tests of the pages share."""

import pytest

from fracture.app.shared.features import material
from fracture.app.train import cost
from fracture.training.cost import Speed


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """The classify page offers the same two synthetic studies in every test: they are drawn once."""
    monkeypatch.setattr("fracture.app.classify.samples.sample_numbers", lambda: [123456, 123457])


@pytest.fixture(autouse=True)
def imagenet_is_there(monkeypatch):
    """Whether the tests' machine has an internet makes no difference: the server of the ImageNet weights answers."""
    monkeypatch.setattr("fracture.training.imagenet.available", lambda *_: True)


@pytest.fixture(autouse=True)
def known_machine(monkeypatch):
    """Whatever machine the tests run on, the form estimates the same; measuring takes seconds."""
    cost._measure.clear()
    cost._measured.clear()
    monkeypatch.setattr(cost, "machine_speed", lambda: Speed(pass_seconds=0.02, rate=47e9))


@pytest.fixture(autouse=True)
def no_clearing(monkeypatch):
    """Where Keras is loaded, Streamlit clears its session after each run of a page, which takes up to a second.

    Other tests load it into this process; a server never does.
    """
    monkeypatch.setattr("streamlit.runtime.scriptrunner.script_runner._clean_problem_modules", lambda: None)


@pytest.fixture(autouse=True)
def fresh_benches():
    """Each test is a server of its own: what another one has read of the same data is forgotten."""
    material._bench.clear()
