"""The app as a host of public demos starts it; ``benchmarks.deployment`` does so in a fresh environment."""

import sys

from benchmarks.deployment import PROMISED, classify, clone, first_page, memory, tensorflow, train


def test_demo_keeps_to_its_memory(browser, tmp_path, monkeypatch):
    """A public demo answers and trains a head within the promised memory, and loads no TensorFlow."""
    monkeypatch.setenv("HOME", str(tmp_path))
    app = clone(tmp_path / "app")
    with first_page(app, sys.executable, browser) as (page, process, _):
        classify(page, tmp_path / "view.png")
        assert memory(process) < PROMISED["after one classification, MB"]
        assert tensorflow(process) == "absent"
        peak, seen = train(page, process, patients=12)
    assert peak < PROMISED["with a head training beside it, MB"]
    assert seen == "absent"
