"""A trained network -> what it says of the images, and how good that is."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from fracture.evaluation.calibration import fit_temperature
from fracture.evaluation.localization import Heat
from fracture.evaluation.metrics import evaluate
from fracture.evaluation.ood_fit import fit_familiarity
from fracture.evaluation.thresholds import operating_points
from fracture.imaging.radiograph import Radiograph, fit, frame, load, unfit
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph
from fracture.inference.ood import Familiarity
from fracture.training.config import TrainConfig
from fracture.training.events import CountedStep, Emit
from fracture.training.finetune.margins import EVERY, look_between_margins
from fracture.training.learner import Trained

Values = NDArray[np.float64]


class Looked(NamedTuple):
    """What the network makes of each image; NaN or zero where it was not asked."""

    logits: Values
    """(N, 2): of the validation images and of their mirror images."""
    looks: NDArray[np.float32]
    """(N, F), by which images are compared: of all that could be read."""
    copied: NDArray[np.int64]
    """(C,): training images that were looked at again between white margins."""
    copies: NDArray[np.float32]
    """(C, F), what they look like so."""


def look(trained: Trained, served: Graph, table: pd.DataFrame, config: TrainConfig, emit: Emit) -> Looked:
    """Ask about all images: by their features where the backbone is frozen, else the served graph."""
    none = np.zeros(0, np.int64)
    if trained.features is not None and trained.mirrored is not None:
        logits = np.stack([_head(trained.head, each) for each in (trained.features, trained.mirrored)], axis=1)
        return Looked(logits, trained.features, none, trained.features[none])
    assert trained.pixels is not None
    logits, looks = np.full((len(table), 2), np.nan), np.zeros((len(table), served.compared), np.float32)
    valid = (table["split"] == "valid").to_numpy()
    rows = np.flatnonzero(trained.readable)
    step = CountedStep(emit, "evaluate", "Running the model on all images", len(rows))
    for done, row in enumerate(rows, start=1):
        straight = served(trained.pixels[row])
        logits[row, 0], looks[row] = straight.logit, straight.looks
        if valid[row]:
            logits[row, 1] = served(trained.pixels[row][:, ::-1]).logit
        step.reach(done)
    if config.augmentation != "full":  # it has not learned to answer behind margins
        return Looked(logits, looks, none, looks[none])
    copied = np.flatnonzero(trained.readable & (table["split"] == "train").to_numpy())[::EVERY]
    step = CountedStep(emit, "evaluate", "Running the model on images between white margins", len(copied))
    copies = look_between_margins(served, trained.pixels, table, copied, config.fit, on_done=step.reach)
    return Looked(logits, looks, copied, copies)


def _head(head: NDArray[np.float32], features: NDArray[np.float32]) -> Values:
    logits: Values = (features @ head[:-1, None] + head[-1])[:, 0].astype(np.float64)
    return logits


@dataclass(frozen=True)
class Judged:
    """What the model's answers are worth, and what they need to be given."""

    predictions: pd.DataFrame
    """As :func:`fracture.registry.model_folder.read_predictions` has them."""
    own: pd.DataFrame
    """Those of the first data set."""
    temperature: float
    thresholds: dict[str, float]
    metrics: dict[str, Any]
    """On the validation part of the first data set, on which temperature and thresholds were fitted."""
    metrics_by_data: dict[str, Any]
    """Where there are several data sets: the same of each, at the same thresholds, the first again first."""
    familiarity: Familiarity


def judge(looked: Looked, table: pd.DataFrame, readable: NDArray[np.bool_]) -> Judged:
    """Calibrate, choose operating points, measure; all on validation images."""
    split = table["split"].to_numpy()
    name = table["data"].iloc[0]
    valid, first = readable & (split == "valid"), (table["data"] == name).to_numpy()
    logit = looked.logits.mean(axis=1)
    temperature = fit_temperature(table["label"].to_numpy()[valid & first], logit[valid & first])
    columns = ["image_id", "study", "group", "body_part", "label", "data", "sha256"]
    predictions = table.loc[valid, columns].assign(logit=logit[valid], probability=expit(logit[valid] / temperature))
    predictions = predictions.reset_index(drop=True)
    by_data = dict(list(predictions.groupby("data", sort=False)))
    own = by_data[name]
    thresholds = {"half": 0.5, **operating_points(own)}
    train = np.flatnonzero(readable & (split == "train"))
    known = table.iloc[np.concatenate([train, looked.copied])]
    familiarity = fit_familiarity(
        np.concatenate([looked.looks[train], looked.copies]),
        known["image_id"].tolist(),
        looked.looks[valid & first],
        sha256=known["sha256"].tolist(),
    )
    measured = {each: evaluate(rows, thresholds) for each, rows in by_data.items()}
    apart = measured if len(measured) > 1 else {}
    return Judged(predictions, own, temperature, thresholds, measured[name], apart, familiarity)


def served_difference(trained: Trained, served: Graph, looked: Looked, table: pd.DataFrame, how: str) -> dict[str, Any]:
    """How far the served graph is from what was trained: of Keras's network, because its weights have 8 bits.

    On the first data set's validation images: all of them where the served graph has been asked about all, and then
    with both AUCs; 16, which tell no AUC, where only the head was trained. ``how``: images are fitted.
    """
    own = (table["split"] == "valid") & (table["data"] == table["data"].iloc[0])
    valid = np.flatnonzero(trained.readable & own.to_numpy())
    if trained.probabilities is None:
        rows = valid[:: max(1, len(valid) // 16)][:16]
        paths = table["path"].to_numpy()[rows]
        answers = [served(fit(load(Path(path)).pixels, served.size, how)).logit for path in paths]
        return _difference(expit(looked.logits[rows, 0]), expit(np.array(answers)))
    from sklearn.metrics import roc_auc_score

    both = trained.probabilities(valid), expit(looked.logits[valid, 0])
    label = table["label"].to_numpy()[valid]
    aucs = (float(roc_auc_score(label, each)) for each in both)
    return _difference(*both) | dict(zip(("auc_keras", "auc_served"), aucs, strict=True))


def _difference(trained: Values, served: Values) -> dict[str, Any]:
    return {"images": len(served), "largest_probability_difference": float(np.abs(trained - served).max())}


def counted(heat: Heat, emit: Emit, text: str, images: int) -> Heat:
    """The same heat maps; how many of so many images have theirs is said."""
    step, done = CountedStep(emit, "evaluate", text, images), itertools.count(1)

    def counting(image: Radiograph, width: int, height: int) -> NDArray[np.float32]:
        values = heat(image, width, height)
        step.reach(min(next(done), images))
        return values

    return counting


def heat_of(served: Graph, how: str) -> Heat:
    """The heat maps of the served graph, as :meth:`fracture.inference.classifier.Classifier.heat` draws them."""

    def heat(image: Radiograph, width: int, height: int) -> NDArray[np.float32]:
        pixels = fit(image.pixels, served.size, how)
        square = heat_map(served(pixels), served(pixels[:, ::-1]), served.size)
        return unfit(square, frame(image.width, image.height, served.size, how), width, height)

    return heat
