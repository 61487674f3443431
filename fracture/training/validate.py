"""A trained network -> its outputs for all images, and an evaluation of these."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from fracture.data.splits import choosing_rows
from fracture.evaluation.calibration import fit_temperature
from fracture.evaluation.localization import Heat
from fracture.evaluation.metrics import evaluate
from fracture.evaluation.ood_fit import fit_ood_detector
from fracture.evaluation.region_fit import fit_regions, needs_places
from fracture.evaluation.thresholds import operating_points
from fracture.imaging.loading import decode
from fracture.imaging.radiograph import Radiograph, fit, frame, unfit
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph
from fracture.inference.ood import OodDetector
from fracture.inference.regions.candidates import mean_places
from fracture.registry.card import Regions, Served
from fracture.registry.validation import Level
from fracture.training.config import TrainConfig
from fracture.training.events import CountedStep, Emit
from fracture.training.finetune.margins import COLLIMATE_EVERY, embed_collimated
from fracture.training.learner import Trained

Values = NDArray[np.float64]

IMAGES_COMPARED = 16
"""Validation images on which the served graph is compared with the trained head, where only that was trained."""


class ModelOutputs(NamedTuple):
    """Outputs of the network for N images; NaN or zero where it was not run."""

    logits: Values
    """(N, 2): of the validation and selection images, and of their mirror images."""
    embedding: NDArray[np.float32]
    """(N, F), by which images are compared: of all that could be read."""
    collimated_rows: NDArray[np.int64]
    """(C,): training images that were embedded again between white margins."""
    collimated_embedding: NDArray[np.float32]
    """(C, F), of those."""
    places: dict[int, Values]
    """The mean place map (h, w) by row, of the images of the first data set that
    :func:`fracture.evaluation.region_fit.needs_places` names; empty where the network was not trained on boxes."""


def run_model(trained: Trained, served: Graph, table: pd.DataFrame, config: TrainConfig, emit: Emit) -> ModelOutputs:
    """The outputs for all images: from their features where the backbone is frozen, else from the served graph."""
    if trained.features is not None and trained.mirrored is not None:
        return _run_head(trained.head, trained.features, trained.mirrored)
    assert trained.pixels is not None
    logits, embedding, places = _run_graph(trained.pixels, trained.readable, served, table, emit)
    # Without margins in training, images between margins are out of distribution.
    if config.augmentation != "full":
        no_rows = np.zeros(0, np.int64)
        return ModelOutputs(logits, embedding, no_rows, embedding[no_rows], places)
    in_training = (table["split"] == "train").to_numpy()
    collimated = np.flatnonzero(trained.readable & in_training)[::COLLIMATE_EVERY]
    step = CountedStep(emit, "evaluate", "Running the model on images between white margins", len(collimated))
    collimated_embedding = embed_collimated(
        served, trained.pixels, table, collimated, config.fit, on_progress=step.reach
    )
    return ModelOutputs(logits, embedding, collimated, collimated_embedding, places)


def _run_head(head: NDArray[np.float32], features: NDArray[np.float32], mirrored: NDArray[np.float32]) -> ModelOutputs:
    logits = np.stack([_logit(head, features), _logit(head, mirrored)], axis=1)
    no_rows = np.zeros(0, np.int64)
    return ModelOutputs(logits, features, no_rows, features[no_rows], {})


def _logit(head: NDArray[np.float32], features: NDArray[np.float32]) -> Values:
    logits: Values = (features @ head[:-1, None] + head[-1])[:, 0].astype(np.float64)
    return logits


def _run_graph(
    pixels: NDArray[np.uint8], readable: NDArray[np.bool_], served: Graph, table: pd.DataFrame, emit: Emit
) -> tuple[Values, NDArray[np.float32], dict[int, Values]]:
    """Logits (N, 2), embeddings (N, F), and place maps by row."""
    logits = np.full((len(table), 2), np.nan)
    embedding = np.zeros((len(table), served.embedding_size), np.float32)
    averaged = choosing_rows(table) | (table["split"] == "valid").to_numpy()
    places: dict[int, Values] = {}
    in_first = (table["data"] == table["data"].iloc[0]).to_numpy()
    mapped = needs_places(table).to_numpy() & in_first & served.shows_places
    rows = np.flatnonzero(readable)
    step = CountedStep(emit, "evaluate", "Running the model on all images", len(rows))
    for done, row in enumerate(rows, start=1):
        image = pixels[row]
        output = served(image)
        logits[row, 0] = output.logit
        embedding[row] = output.embedding
        # Logits of training images are not used; the others get the mean with the mirror image, as in the app.
        if averaged[row] or mapped[row]:
            mirrored = served(image[:, ::-1])
            logits[row, 1] = mirrored.logit
            if mapped[row]:
                places[int(row)] = mean_places(output, mirrored, served.size)
        step.reach(done)
    return logits, embedding, places


@dataclass(frozen=True)
class EvaluationResult:
    """Metrics of a model, and what the card needs for its answers."""

    predictions: pd.DataFrame
    """As :func:`fracture.registry.model_folder.read_predictions` has them."""
    own: pd.DataFrame
    """Those of the first data set."""
    temperature: float
    thresholds: dict[str, float]
    metrics: dict[str, Level]
    """On the validation part of the first data set."""
    metrics_by_data: dict[str, dict[str, Level]]
    """Where there are several data sets: the metrics of each at the same thresholds, the first one's first."""
    ood_detector: OodDetector


def evaluate_outputs(outputs: ModelOutputs, table: pd.DataFrame, readable: NDArray[np.bool_]) -> EvaluationResult:
    """Calibrate and choose operating points on the images that choose; then measure on the validation images.

    Which images choose, :func:`fracture.data.splits.choosing_rows` says.
    """
    split = table["split"].to_numpy()
    first_data = table["data"].iloc[0]
    validation = readable & (split == "valid")
    choosing = readable & choosing_rows(table)
    logit = outputs.logits.mean(axis=1)
    label = table["label"].to_numpy()
    temperature = fit_temperature(label[choosing], logit[choosing])
    predictions = _predictions(table, logit, validation, temperature)
    by_data = {str(name): rows for name, rows in predictions.groupby("data", sort=False)}
    chosen_on = _predictions(table, logit, choosing, temperature)
    # Further data sets are evaluated at the same temperature and thresholds.
    thresholds = {"half": 0.5, **operating_points(chosen_on)}
    measured = {name: evaluate(rows, thresholds) for name, rows in by_data.items()}
    return EvaluationResult(
        predictions=predictions,
        own=by_data[first_data],
        temperature=temperature,
        thresholds=thresholds,
        metrics=measured[first_data],
        metrics_by_data=measured if len(measured) > 1 else {},
        ood_detector=_fit_detector(outputs, table, readable & (split == "train"), choosing),
    )


def _predictions(table: pd.DataFrame, logit: Values, rows: NDArray[np.bool_], temperature: float) -> pd.DataFrame:
    columns = ["image_id", "study", "group", "body_part", "label", "data", "sha256"]
    predictions = table.loc[rows, columns].assign(logit=logit[rows], probability=expit(logit[rows] / temperature))
    return predictions.reset_index(drop=True)


def _fit_detector(
    outputs: ModelOutputs, table: pd.DataFrame, training: NDArray[np.bool_], choosing: NDArray[np.bool_]
) -> OodDetector:
    rows = np.concatenate([np.flatnonzero(training), outputs.collimated_rows])
    images = table.iloc[rows]
    return fit_ood_detector(
        np.concatenate([outputs.embedding[training], outputs.collimated_embedding]),
        images["image_id"].tolist(),
        outputs.embedding[choosing],
        sha256=images["sha256"].tolist(),
        parts=images["body_part"].tolist(),
    )


def measure_regions(outputs: ModelOutputs, table: pd.DataFrame, served: Graph, config: TrainConfig) -> Regions | None:
    """The candidate regions of the first data set; None where the network was not trained on boxes, or too few."""
    first = table.reset_index(drop=True)
    first = first[first["data"] == first["data"].iloc[0]]
    return fit_regions(first, outputs.places, served.size, config.fit) if outputs.places else None


def served_difference(trained: Trained, served: Graph, outputs: ModelOutputs, table: pd.DataFrame, how: str) -> Served:
    """The difference between the served graph and the trained network; Keras's has weights in 32 bits, not 8.

    On the first data set's validation images: on all, with both AUCs, where the served graph was run on all; on
    :data:`IMAGES_COMPARED`, too few for an AUC, where only the head was trained.

    Args:
        trained: the result of the learner.
        served: the graph.
        outputs: of :func:`run_model`.
        table: of all images.
        how: how images are fitted.
    """
    own = (table["split"] == "valid") & (table["data"] == table["data"].iloc[0])
    validation = np.flatnonzero(trained.readable & own.to_numpy())
    if trained.probabilities is None:
        # The rows are spread over the whole part: neighbors in the table are often of one patient.
        every = max(1, len(validation) // IMAGES_COMPARED)
        rows = validation[::every][:IMAGES_COMPARED]
        logits = _served_logits(served, table["path"].to_numpy()[rows].tolist(), how)
        answered = np.isfinite(logits)
        by_head = expit(outputs.logits[rows, 0][answered])
        return Served(
            images=len(by_head),
            largest_probability_difference=_largest_difference(by_head, expit(logits[answered])),
        )
    from sklearn.metrics import roc_auc_score

    by_keras = trained.probabilities(validation)
    by_graph = expit(outputs.logits[validation, 0])
    label = table["label"].to_numpy()[validation]
    return Served(
        images=len(by_graph),
        largest_probability_difference=_largest_difference(by_keras, by_graph),
        auc_keras=float(roc_auc_score(label, by_keras)),
        auc_served=float(roc_auc_score(label, by_graph)),
    )


def _served_logits(served: Graph, paths: Sequence[str], how: str) -> Values:
    """Logits of image files; NaN where a file can no longer be read."""
    logits = np.full(len(paths), np.nan)
    for row, pixels in enumerate(decode(paths, served.size, how)):
        if pixels is not None:
            logits[row] = served(pixels).logit
    return logits


def _largest_difference(trained: Values, served: Values) -> float:
    return float(np.abs(trained - served).max())


def report_progress(heat: Heat, emit: Emit, text: str, images: int) -> Heat:
    """The same heat maps; emits how many of so many images are done."""
    step = CountedStep(emit, "evaluate", text, images)
    count = itertools.count(1)

    def counting(image: Radiograph, width: int, height: int) -> NDArray[np.float32]:
        values = heat(image, width, height)
        step.reach(min(next(count), images))
        return values

    return counting


def heat_maps_of(served: Graph, how: str) -> Heat:
    """The heat maps of the served graph, as :meth:`fracture.inference.classifier.Classifier.heat` draws them."""

    def heat(image: Radiograph, width: int, height: int) -> NDArray[np.float32]:
        pixels = fit(image.pixels, served.size, how)
        square = heat_map(served(pixels), served(pixels[:, ::-1]), served.size)
        framed = frame(image.width, image.height, served.size, how)
        return unfit(square, framed, width, height)

    return heat
