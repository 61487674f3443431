"""What the tests of the pages share."""

import pytest


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """The classify page offers the same two synthetic studies in every test: they are drawn once."""
    monkeypatch.setattr("fracture.app.phantoms.sample_numbers", lambda: [123456, 123457])
