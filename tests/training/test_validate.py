"""What is kept of a network's place maps, and the candidate regions that come of them."""

import numpy as np
import pandas as pd
import pytest

from fracture.inference.litert import Output
from fracture.training.config import TrainConfig
from fracture.training.validate import ModelOutputs, _run_graph, measure_regions

SIZE = 427


class Bright:
    """A graph whose place map has a peak where the fitted image is brightest."""

    size = SIZE
    embedding_size = 4

    def __init__(self, *, shows_places: bool) -> None:
        self.shows_places = shows_places
        self.calls = 0

    def __call__(self, pixels: np.ndarray) -> Output:
        self.calls += 1
        nothing = np.zeros(4, np.float32)
        centers = 21 + 16 * np.arange(25)
        cells = pixels[np.ix_(centers, centers)].astype(np.float32) / 255
        return Output(0.0, nothing, np.zeros((2, 2), np.float32), nothing, cells * 8 - 6 if self.shows_places else None)


def data_set(images: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    """Positive images with a bright cell and a box around it, every third one negative and black; two data sets."""
    random = np.random.default_rng(0)
    pixels = np.zeros((images, SIZE, SIZE), np.uint8)
    rows = []
    for number in range(images):
        boxes = ""
        if number % 3:
            row, column = random.integers(3, 22, 2)
            pixels[number, 16 * row + 13 : 16 * row + 29, 16 * column + 13 : 16 * column + 29] = 200
            boxes = f"{16 * column + 5} {16 * row + 5} 33 33"
        else:
            pixels[number] = random.integers(0, 30, (SIZE, SIZE), np.uint8)
        rows.append(
            {
                "split": "valid" if number % 4 == 0 else "train",
                "label": int(bool(number % 3)),
                "boxes": boxes,
                "width": SIZE,
                "height": SIZE,
                "group": f"g{number}",
                "data": "second" if number >= images - 6 else "first",
            }
        )
    return pd.DataFrame(rows), pixels


def outputs(served: Bright, table: pd.DataFrame, pixels: np.ndarray, readable: np.ndarray) -> ModelOutputs:
    logits, embedding, places = _run_graph(pixels, readable, served, table, lambda *_, **__: None)
    no_rows = np.zeros(0, np.int64)
    return ModelOutputs(logits, embedding, no_rows, embedding[no_rows], places)


CONFIG = TrainConfig(data="d", name="m", image_size=SIZE, fit="letterbox")


def test_regions_of_a_run_are_fitted_on_its_first_data_set():
    """Only readable images of that set get a place map: those of training with a box, and those of validation."""
    table, pixels = data_set()
    readable = np.ones(len(table), bool)
    readable[4] = False
    result = outputs(Bright(shows_places=True), table, pixels, readable)
    assert 4 not in result.places and max(result.places) < 54
    assert not any(table["label"][row] == 0 and table["split"][row] == "train" for row in result.places)
    regions = measure_regions(result, table, Bright(shows_places=True), CONFIG)
    assert regions is not None
    assert regions.free_response["images"] == 13, "of 14 validation images one can't be read"
    assert regions.free_response["by_center"]["0.1"]["value"] == 1
    assert regions.free_response["map50"]["value"] == pytest.approx(1)


def test_regions_of_a_network_without_place_maps_are_none():
    """A network that was not trained on boxes is run on mirror images of validation images alone, as before."""
    table, pixels = data_set(24)
    served = Bright(shows_places=False)
    result = outputs(served, table, pixels, np.ones(24, bool))
    assert result.places == {}
    assert served.calls == 24 + int((table["split"] == "valid").sum())
    assert measure_regions(result, table, served, CONFIG) is None
