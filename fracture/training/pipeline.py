"""The whole way, from a folder of radiographs to a trained model. Read this first.

>>> from fracture.training.config import TrainConfig
>>> from fracture.training.pipeline import run
>>> config = TrainConfig(data="data/humerus", name="first", weights="imagenet")
>>> card = run(config, emit=lambda kind, **said: print(kind, said))  # doctest: +SKIP
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from fracture.data.checks import check
from fracture.data.combine import load_combined
from fracture.data.dataset import Dataset, fingerprint
from fracture.data.measurements import digests
from fracture.errors import DatasetError, RunError
from fracture.evaluation.localization import ALIKE, compare_shuffled, images_with_boxes, localise
from fracture.files import atomic_write
from fracture.inference.litert import Graph
from fracture.registry.model_folder import ModelFolder, model_folder
from fracture.registry.replacing import replace_model, saved_aside
from fracture.registry.sums import sums
from fracture.training.checkpoint import Memory
from fracture.training.config import TrainConfig
from fracture.training.events import Emit
from fracture.training.learner import Learner, Trained
from fracture.training.model_card import describe_data, describe_model, describe_training
from fracture.training.tensorboard import Curves
from fracture.training.validate import counted, heat_of, judge, look, served_difference
from fracture.training.weights import BUNDLED, Weights, check_available, find_weights, seen_by_bundled


def _never() -> bool:
    return False


def run(
    config: TrainConfig, emit: Emit, should_stop: Callable[[], bool] = _never, *, resume: bool = False
) -> dict[str, Any]:
    """Train one model and save it in the models folder.

    Args:
        config: every choice.
        emit: called with what happens, as :mod:`fracture.training.events` lists it.
        should_stop: asked between batches and epochs. Once an epoch is done, stopping keeps the best model so far.
        resume: go on where this training was interrupted or stopped, if it was; a model that it left is replaced
            when it ends again.

    Returns:
        The model's card, as saved in ``card.json``.

    Raises:
        FractureError: something that the user can put right, in a sentence.
        Cancelled: stopped before the first epoch was done; nothing is saved but the features computed so far.
    """
    watch = _StopWatch()
    folder = _own_folder(config.name, resume=resume)
    emit = Curves(emit, folder.tensorboard)

    weights = find_weights(config)
    check_available(weights)
    dataset = _read_data(config, emit)
    table, config = dataset.table, _without_places(config, dataset)
    emit("weights", source=weights.source, sha256=weights.sha256)
    watch.lap("data")

    emit("step", stage="read", text="Building the network")
    learner = _learner(config, weights)
    emit("network", **learner.describe())
    watch.lap("network")

    memory = Memory(folder.checkpoint, {"data set": fingerprint(dataset), "weights": weights.identity})
    if not resume:
        memory.forget()
    trained = learner.train(
        table, lambda rows: _check_labels(dataset, rows), emit=emit, should_stop=should_stop, memory=memory
    )
    watch.lap("training")

    emit("step", stage="evaluate", text="Converting the model")
    graph = learner.served()
    served = Graph(graph)
    watch.lap("export")

    looked = look(trained, served, table, config, emit)
    judged = judge(looked, table, trained.readable)
    emit("evaluation", metrics=judged.metrics)
    emit("step", stage="evaluate", text="Comparing the converted model with the trained one")
    difference = served_difference(trained, served, looked, table, config.fit)
    watch.lap("evaluation")

    called = judged.own.assign(found=judged.own["probability"] >= judged.thresholds["balanced"])
    looked_for = table.merge(called[["image_id", "found"]], on="image_id")
    localisation = _measure_heat(looked_for, served, learner, config, emit)
    watch.lap("localisation")

    emit("step", stage="save", text="Saving the model")
    with saved_aside(folder) as aside:
        learner.save(aside)
        _save_files(aside, trained, graph, judged.predictions)
        judged.familiarity.save(aside.familiarity)
    watch.lap("saving")

    card = {
        **describe_model(config, dataset, weights),
        "data": describe_data(dataset, readable=trained.readable),
        **describe_training(trained.fit),
        "thresholds": judged.thresholds,
        "temperature": judged.temperature,
        "metrics": judged.metrics,
        "metrics_by_data": judged.metrics_by_data,
        "localisation": localisation,
        "familiarity": judged.familiarity.describe(),
        "files": sums(aside),
        "served": difference,
        "seconds": watch.laps,
    }
    replace_model(aside, folder, card)
    if not trained.fit.stopped:
        memory.forget()
    emit("end", state=card["state"], seconds=watch.laps["total"])
    return card


def _measure_heat(
    table: pd.DataFrame, served: Graph, learner: Learner, config: TrainConfig, emit: Emit
) -> dict[str, Any] | None:
    """How often the heat maps point at what is known to be there, and those of a head with shuffled weights."""
    images = len(images_with_boxes(table))
    if not images:
        return None
    heat = heat_of(served, config.fit)
    measured = localise(table, counted(heat, emit, "Evaluating the heat maps", images))
    if measured:
        shuffled = heat_of(Graph(learner.shuffled()), config.fit)
        again = counted(shuffled, emit, "Evaluating heat maps of a shuffled head", images + min(images, ALIKE))
        measured["shuffled_head"] = compare_shuffled(table, heat, again)
    return measured


def _learner(config: TrainConfig, weights: Weights) -> Learner:
    """Only what needs TensorFlow loads it."""
    if weights.without_keras:
        from fracture.training.learners.litert_learner import LiteLearner

        return LiteLearner(config, weights)
    from fracture.training.learners.keras_learner import KerasLearner

    return KerasLearner(config, weights)


def _own_folder(name: str, *, resume: bool) -> ModelFolder:
    folder = model_folder(name)
    if folder.card.exists() and not resume:
        raise RunError(f"There is a model called {name!r} already. Choose another name, or delete it first.")
    folder.path.mkdir(parents=True, exist_ok=True)
    return folder


def _read_data(config: TrainConfig, emit: Emit) -> Dataset:
    emit("step", stage="read", text="Reading the data set")
    dataset = load_combined(config.data, config.also, config.body_part)
    table = dataset.table
    _check_labels(dataset, table)
    # Before anything is learned from them: what is recorded is what was there then.
    dataset = replace(dataset, table=table.assign(sha256=digests(table["path"].tolist())))
    emit(
        "data",
        images=len(table),
        training=int((table["split"] == "train").sum()),
        validation=int((table["split"] == "valid").sum()),
        positives=int(table["label"].sum()),
        label_names=list(dataset.label_names),
        synthetic=dataset.synthetic,
        problems=[problem.message for problem in check(dataset, read_files=False)] + list(_warnings(config, dataset)),
    )
    return dataset


def _without_places(config: TrainConfig, dataset: Dataset) -> TrainConfig:
    """Where no box says where anything is, the network is given no part that claims to know."""
    return config if _boxed(dataset).any() else replace(config, box_weight=0.0)


def _boxed(dataset: Dataset) -> "pd.Series[bool]":
    table = dataset.table
    return (table["split"] == "train") & (table["label"] == 1) & (table["boxes"] != "")


def _warnings(config: TrainConfig, dataset: Dataset) -> Iterator[str]:
    """What is to be known of training on these data in this way."""
    if dataset.excluded or dataset.relabelled:
        yield f"By decision, {dataset.excluded:,} images are left out and {dataset.relabelled:,} have another label."
    if config.teaches_places and not _boxed(dataset).any():
        yield "No training image has a box around what is to be found: what each place shows is not taught."
    valid = dataset.table[dataset.table["split"] == "valid"]
    if config.weights in BUNDLED and (seen := seen_by_bundled(valid).sum()):
        yield (
            f"{seen:,} of {len(valid):,} validation images are among those that the bundled weights were trained on: "
            "the figures will flatter the model."
        )


def _check_labels(dataset: Dataset, table: pd.DataFrame) -> None:
    """Raise where one of the parts has not both labels; ``table``: the rows that can be used.

    It is the first data set's validation part by which everything is judged.
    """
    judged = table[(table["split"] == "valid") & (table["data"] == dataset.table["data"].iloc[0])]
    for split, rows in (("train", table[table["split"] == "train"]), ("valid", judged)):
        labels = rows["label"]
        if labels.nunique() < 2:
            (negative, positive), positives = dataset.label_names, int(labels.sum())
            raise DatasetError(
                f"Training needs images of both labels in both parts, train and valid. Part {split} of {dataset.root} "
                f"has {len(labels) - positives} {negative} and {positives} {positive} that can be read."
            )


def _save_files(folder: ModelFolder, trained: Trained, graph: bytes, predictions: pd.DataFrame) -> None:
    atomic_write(folder.served_model, lambda part: part.write_bytes(graph))
    atomic_write(folder.history, lambda part: part.write_text(json.dumps(trained.fit.history)))
    atomic_write(folder.predictions, lambda part: predictions.to_csv(part, index=False))


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
