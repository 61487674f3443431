"""What a run chooses and measures: temperature, thresholds, candidate regions; and which place maps are kept."""

import numpy as np
import pandas as pd
import pytest

from fracture.data.splits import hold_out
from fracture.inference.litert import Output
from fracture.training.config import TrainConfig
from fracture.training.validate import ModelOutputs, _run_graph, evaluate_outputs, measure_regions

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


IMAGES = 400


@pytest.fixture
def table() -> pd.DataFrame:
    """Patients with two images each; a quarter of them validate."""
    number = np.arange(IMAGES)
    group = [f"p{each}" for each in number // 2]
    split = np.where(number < IMAGES * 3 // 4, "train", "valid")
    names = [f"i{each}" for each in number]
    table = pd.DataFrame({"image_id": names, "group": group, "study": group, "split": split, "label": number // 2 % 2})
    return table.assign(data="first", body_part="ARM", sha256="")


@pytest.fixture
def random_outputs(table) -> ModelOutputs:
    """Of a model that is right more often than not."""
    random = np.random.default_rng(0)
    logit = 2.0 * table["label"].to_numpy() - 1 + random.normal(0, 2, IMAGES)
    embedding = random.normal(0, 1, (IMAGES, 8)).astype(np.float32)
    no_rows = np.zeros(0, np.int64)
    return ModelOutputs(np.stack([logit, logit], axis=1), embedding, no_rows, embedding[no_rows], {})


def chosen(outputs, table):
    result = evaluate_outputs(outputs, table, np.ones(len(table), np.bool_))
    return (result.temperature, result.thresholds, result.ood_detector.threshold), result.metrics["image"]


def with_validation_changed(outputs, table):
    """Other labels, logits and features for the validation images alone."""
    in_validation = (table["split"] == "valid").to_numpy()
    label = table["label"].mask(in_validation, 1 - table["label"])
    logits = np.where(in_validation[:, None], outputs.logits / 3, outputs.logits)
    embedding = np.where(in_validation[:, None], outputs.embedding * 5, outputs.embedding)
    return outputs._replace(logits=logits, embedding=embedding), table.assign(label=label)


def test_evaluate_outputs_with_selection_does_not_choose_on_the_validation_images(random_outputs, table):
    """Whatever the validation images say: temperature, thresholds and the limit of familiarity stay."""
    held = hold_out(table, 0.2, seed=0)
    before, metrics = chosen(random_outputs, held)
    after, changed_metrics = chosen(*with_validation_changed(random_outputs, held))
    assert before == after
    assert metrics["auc"] != changed_metrics["auc"]
    assert metrics["count"] == (table["split"] == "valid").sum(), "the metrics are of the official part"


def test_evaluate_outputs_without_selection_chooses_on_the_validation_images(random_outputs, table):
    """As the reference experiment does: all three depend on them."""
    before, _ = chosen(random_outputs, table)
    after, _ = chosen(*with_validation_changed(random_outputs, table))
    assert all(first != second for first, second in zip(before, after, strict=True))
