"""The whole way, from a folder of radiographs to a trained model. Read this first.

>>> from fracture.learn.config import TrainConfig
>>> from fracture.learn.recipe import run
>>> config = TrainConfig(data="data/humerus", name="first", weights="imagenet")
>>> card = run(config, emit=lambda kind, **said: print(kind, said))  # doctest: +SKIP
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.classify.graph import Graph
from fracture.classify.store import ModelFolder, model_folder
from fracture.data.checks import check
from fracture.data.dataset import Dataset, scan
from fracture.data.radiograph import fit, load, unfit
from fracture.errors import DatasetError, RunError
from fracture.files import write_beside, write_json
from fracture.learn.card import describe_data, describe_model, describe_training
from fracture.learn.config import TrainConfig
from fracture.learn.evaluation import balanced_threshold, evaluate
from fracture.learn.events import Emit
from fracture.learn.export import served_graph
from fracture.learn.features import Features, Preparation, compute_features
from fracture.learn.localisation import Heat, localise
from fracture.learn.network import Network, build_network, describe
from fracture.learn.training import Fit, fit_head
from fracture.learn.weights import find_weights


def _never() -> bool:
    return False


def run(config: TrainConfig, emit: Emit, should_stop: Callable[[], bool] = _never) -> dict[str, Any]:
    """Train one model and save it in the models folder.

    Args:
        config: every choice.
        emit: called with what happens, as :mod:`fracture.learn.events` lists it.
        should_stop: asked between batches and epochs. Once an epoch is done, stopping keeps the best model so far.

    Returns:
        The model's card, as saved in ``card.json``.

    Raises:
        FractureError: something that the user can put right, in a sentence.
        Stopped: stopped before the first epoch was done; nothing is saved but the features computed so far.
    """
    watch = _StopWatch()
    folder = model_folder(config.name)
    if folder.card.exists():
        raise RunError(f"There is a model called {config.name!r} already. Choose another name, or delete it first.")
    folder.path.mkdir(parents=True, exist_ok=True)

    dataset = _read_data(config, emit)
    weights = find_weights(config)
    emit("weights", source=weights.source, sha256=weights.sha256)
    watch.lap("data")

    emit("step", text="Building the network")
    network = build_network(config, weights)
    emit("network", **describe(network))
    watch.lap("network")

    view = Preparation(config.image_size, config.fit, weights.input_range)
    table = dataset.table
    features, readable = compute_features(
        table["path"].tolist(), network.backbone, weights, view, emit=emit, should_stop=should_stop
    )
    training, validation = (readable & (table["split"] == split).to_numpy() for split in ("train", "valid"))
    _check_labels(dataset, table[readable])
    watch.lap("features")

    label = table["label"].to_numpy(np.int64)
    trained = fit_head(
        network.head,
        (features[training], label[training]),
        (features[validation], label[validation]),
        config,
        emit=emit,
        should_stop=should_stop,
    )
    watch.lap("training")

    emit("step", text="Evaluating")
    predictions = _predict(network, features, table, validation)
    thresholds = {"half": 0.5, "balanced": balanced_threshold(predictions)}
    metrics = evaluate(predictions, thresholds)
    emit("evaluation", metrics=metrics)
    watch.lap("evaluation")

    emit("step", text="Saving the model")
    graph = served_graph(network, weights, view)
    served = Graph(graph)
    difference = _served_difference(served, predictions, table, config.fit)
    _save_files(folder, network, graph, trained, predictions)
    watch.lap("saving")
    localisation = localise(table[validation], _heat(served, config.fit))
    watch.lap("localisation")

    card = {
        **describe_model(config, dataset, weights),
        "data": describe_data(dataset, training=training, validation=validation, readable=readable),
        **describe_training(config, trained),
        "thresholds": thresholds,
        "metrics": metrics,
        "localisation": localisation,
        "served": difference,
        "seconds": watch.laps,
    }
    write_json(folder.card, card)  # last of all: where there is a card, the rest is whole
    emit("end", state=card["state"], seconds=watch.laps["total"])
    return card


def _read_data(config: TrainConfig, emit: Emit) -> Dataset:
    emit("step", text="Reading the data set")
    dataset = scan(config.data, config.body_part)
    table = dataset.table
    _check_labels(dataset, table)
    emit(
        "data",
        images=len(table),
        training=int((table["split"] == "train").sum()),
        validation=int((table["split"] == "valid").sum()),
        positives=int(table["label"].sum()),
        label_names=list(dataset.label_names),
        synthetic=dataset.synthetic,
        problems=[problem.message for problem in check(dataset, read_files=False)],
    )
    return dataset


def _check_labels(dataset: Dataset, table: pd.DataFrame) -> None:
    """Raise where one of the parts has not both labels; ``table``: the rows that can be used."""
    for split in ("train", "valid"):
        labels = table.loc[table["split"] == split, "label"]
        if labels.nunique() < 2:
            (negative, positive), positives = dataset.label_names, int(labels.sum())
            raise DatasetError(
                f"Training needs images of both labels in both parts, train and valid. Part {split} of {dataset.root} "
                f"has {len(labels) - positives} {negative} and {positives} {positive} that can be read."
            )


def _predict(network: Network, features: Features, table: pd.DataFrame, validation: NDArray[np.bool_]) -> pd.DataFrame:
    predictions = table.loc[validation, ["image_id", "study", "group", "label"]].reset_index(drop=True)
    probability = network.head.predict(features[validation], batch_size=1024, verbose=0)[:, 0]
    return predictions.assign(probability=probability.astype(float))


def _served_difference(served: Graph, predictions: pd.DataFrame, table: pd.DataFrame, how: str) -> dict[str, Any]:
    """How far the served graph, with its 8-bit weights, is from the Keras model on a few validation images."""
    sample = predictions.iloc[:: max(1, len(predictions) // 16)][:16].merge(table[["image_id", "path"]], on="image_id")
    differences = [
        abs(served(fit(load(Path(path)).pixels, served.size, how)).probability - probability)
        for path, probability in zip(sample["path"], sample["probability"], strict=True)
    ]
    return {"images": len(differences), "largest_probability_difference": max(differences)}


def _heat(served: Graph, how: str) -> Heat:
    """The heat maps of the served graph, as :meth:`fracture.classify.classifier.Classifier.heat` draws them."""
    return lambda image, width, height: unfit(served(fit(image.pixels, served.size, how)).cam, width, height, how)


def _save_files(folder: ModelFolder, network: Network, graph: bytes, trained: Fit, predictions: pd.DataFrame) -> None:
    write_beside(folder.keras_model, network.whole.save)
    write_beside(folder.served_model, lambda part: part.write_bytes(graph))
    write_beside(folder.history, lambda part: part.write_text(json.dumps(trained.history)))
    write_beside(folder.predictions, lambda part: predictions.to_csv(part, index=False))


class _StopWatch:
    """Seconds taken by each part of the way, and in total."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round(now - self._last, 2)
        self.laps["total"] = round(now - self._started, 2)
        self._last = now
