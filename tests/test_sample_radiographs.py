"""The real radiographs that come with the app."""

import pandas as pd

from fracture import demo, sample_radiographs
from fracture.imaging.radiograph import load
from fracture.registry.model_folder import bundled_model, read_predictions


def test_samples_are_small_labeled_and_readable():
    """There are 24 of both labels in less than 2 MB, each readable, with boxes inside where it is fractured."""
    samples = sample_radiographs.sample_radiographs()
    assert len(samples) == 24
    assert sum(each.path.stat().st_size for each in samples) < 2e6
    assert {each.label for each in samples} == {"fractured", "not fractured"}
    for each in samples:
        height, width = load(each.path).pixels.shape
        assert each.aspect == width / height
        assert bool(each.boxes) == (each.label == "fractured")
        assert all(x >= 0 and x + w <= 1 and y >= 0 and y + h <= 1 for x, y, w, h in each.boxes)


def test_first_sample_is_among_them_and_fractured():
    """A new visitor sees a fracture."""
    by_name = {each.name: each for each in sample_radiographs.sample_radiographs()}
    assert by_name[sample_radiographs.FIRST].label == "fractured"


def test_samples_are_of_the_validation_part():
    """The bundled model was validated on each of them, not trained."""
    validated = read_predictions(bundled_model())
    names = pd.Series([each.name for each in sample_radiographs.sample_radiographs()])
    assert names.isin(validated["image_id"]).all()


def test_samples_are_there_in_a_public_demo(monkeypatch):
    """Their folder is none that a visitor typed."""
    monkeypatch.setenv(demo.VARIABLE, "1")
    sample_radiographs.sample_radiographs.cache_clear()
    assert len(sample_radiographs.sample_radiographs()) == 24


def test_samples_left_out_are_none(monkeypatch, tmp_path):
    """A deployment may leave the folder out."""
    monkeypatch.setattr(sample_radiographs, "FOLDER", tmp_path / "gone")
    sample_radiographs.sample_radiographs.cache_clear()
    assert sample_radiographs.sample_radiographs() == ()
    sample_radiographs.sample_radiographs.cache_clear()
