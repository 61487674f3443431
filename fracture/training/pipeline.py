"""The whole training pipeline, from a folder of radiographs to a trained model. Read this first.

>>> from fracture.training.config import TrainConfig
>>> from fracture.training.pipeline import run
>>> config = TrainConfig(data="data/humerus", name="first", weights="imagenet")
>>> card = run(config, emit=lambda kind, **values: print(kind, values))  # doctest: +SKIP
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from fracture.data.checks import check
from fracture.data.checks.table import groups_unknown
from fracture.data.combine import load_combined
from fracture.data.dataset import Dataset, fingerprint
from fracture.data.measurements import digests
from fracture.data.splits import SELECTION, hold_out, without_hold_out
from fracture.errors import DatasetError, RunError
from fracture.evaluation.localization import COMPARED_IMAGES, compare_shuffled, images_with_boxes, localize
from fracture.files import JsonObject, atomic_write
from fracture.inference.litert import Graph
from fracture.registry.edit import replace_model, staging_folder
from fracture.registry.model_folder import ModelFolder, file_hashes, model_folder
from fracture.registry.validation import Localization
from fracture.training.checkpoint import Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.events import Emit
from fracture.training.learner import Learner, Trained
from fracture.training.model_card import describe_data, describe_model, describe_training
from fracture.training.tensorboard import TensorBoardWriter
from fracture.training.validate import (
    evaluate_outputs,
    heat_maps_of,
    measure_regions,
    report_progress,
    run_model,
    served_difference,
)
from fracture.training.weights import BUNDLED_SOURCES, Weights, check_available, find_weights, seen_by_bundled


def _never() -> bool:
    return False


def run(
    config: TrainConfig,
    emit: Emit,
    should_stop: Callable[[], bool] = _never,
    *,
    resume: bool = False,
    cluster: str | None = None,
) -> JsonObject:
    """Train one model and save it in the models folder.

    Args:
        config: every setting of the run.
        emit: receives the events that :mod:`fracture.training.events` lists.
        should_stop: asked between batches and epochs. Once an epoch is done, stopping keeps the best model so far.
        resume: continue from the checkpoint of an interrupted or stopped run, if there is one; its model is replaced
            at the end.
        cluster: the address of a Dask scheduler, whose workers compute the features of a frozen backbone.

    Returns:
        The model's card, as saved in ``card.json``.

    Raises:
        FractureError: something that the user can fix, in a sentence.
        Cancelled: stopped before the first epoch was done; only the features computed so far are in the cache.
    """
    watch = _StopWatch()
    folder = _own_folder(config.name, resume=resume)
    emit = TensorBoardWriter(emit, folder.tensorboard)

    # Before the images are read, which takes minutes: weights that are not available end the run at once.
    weights = find_weights(config)
    check_available(weights)
    dataset = _read_data(config, emit)
    table = dataset.table
    config = _without_places(config, dataset)
    emit("weights", source=weights.source, sha256=weights.sha256)
    watch.lap("data")

    emit("step", stage="read", text="Building the network")
    learner = make_learner(config, weights, cluster)
    emit("network", **learner.describe())
    watch.lap("network")

    # Epochs on other images or weights could not be compared: a checkpoint is of these alone.
    checkpointer = Checkpointer(folder.checkpoint, {"data set": fingerprint(dataset), "weights": weights.identity})
    if not resume:
        checkpointer.delete()
    trained = learner.train(
        table,
        lambda rows: _check_labels(dataset, rows),
        emit=emit,
        should_stop=should_stop,
        checkpointer=checkpointer,
    )
    watch.lap("training")

    emit("step", stage="evaluate", text="Converting the model")
    graph = learner.served()
    served = Graph(graph)
    watch.lap("export")

    # What is measured is the served graph, which the app runs, and not the Keras model.
    outputs = run_model(trained, served, table, config, emit)
    result = evaluate_outputs(outputs, table, trained.readable)
    emit("evaluation", metrics=result.metrics)
    emit("step", stage="evaluate", text="Comparing the converted model with the trained one")
    difference = served_difference(trained, served, outputs, table, config.fit)
    watch.lap("evaluation")

    called = result.own.assign(found=result.own["probability"] >= result.thresholds["balanced"])
    evaluated = table.merge(called[["image_id", "found"]], on="image_id")
    localization = _measure_heat_maps(evaluated, served, learner, config, emit)
    regions = measure_regions(outputs, table, served, config)
    watch.lap("localisation")

    emit("step", stage="save", text="Saving the model")
    # The model of the run before stays whole until the new files are.
    with staging_folder(folder) as aside:
        learner.save(aside)
        _save_files(aside, trained, graph, result.predictions)
        result.ood_detector.save(aside.familiarity)
    watch.lap("saving")

    card = {
        **describe_model(config, dataset, weights),
        "data": describe_data(dataset, readable=trained.readable, selection=config.selection),
        **describe_training(trained.fit, selection=config.selection, regions=regions is not None),
        "thresholds": result.thresholds,
        "temperature": result.temperature,
        "metrics": result.metrics,
        "metrics_by_data": result.metrics_by_data,
        "localisation": localization,
        "regions": regions.to_json() if regions else None,
        "familiarity": result.ood_detector.describe(),
        "files": file_hashes(aside),
        "served": difference.to_json(),
        "seconds": watch.laps,
    }
    replace_model(aside, folder, card)
    # A stopped run can be resumed, a finished one can't.
    if not trained.fit.stopped:
        checkpointer.delete()
    emit("end", state=card["state"], seconds=watch.laps["total"])
    return card


def _measure_heat_maps(
    table: pd.DataFrame, served: Graph, learner: Learner, config: TrainConfig, emit: Emit
) -> Localization | None:
    """How often the heat maps point into known boxes, and how often those of a head with shuffled weights do."""
    images = len(images_with_boxes(table))
    if not images:
        return None
    heat = heat_maps_of(served, config.fit)
    measured = localize(table, report_progress(heat, emit, "Evaluating the heat maps", images))
    if measured:
        shuffled = heat_maps_of(Graph(learner.shuffled()), config.fit)
        # The correlation needs the maps of some images once more.
        total = images + min(images, COMPARED_IMAGES)
        shuffled = report_progress(shuffled, emit, "Evaluating heat maps of a shuffled head", total)
        measured["shuffled_head"] = compare_shuffled(table, heat, shuffled)
    return measured


def make_learner(config: TrainConfig, weights: Weights, cluster: str | None = None) -> Learner:
    """A learner by the weights; only one that needs TensorFlow imports it.

    ``cluster``: the address of a Dask scheduler, whose workers compute features; None computes them in this process.
    """
    if weights.without_keras:
        from fracture.training.learners.litert_learner import LiteLearner

        return LiteLearner(config, weights, cluster)
    from fracture.training.learners.keras_learner import KerasLearner

    return KerasLearner(config, weights, cluster)


def _own_folder(name: str, *, resume: bool) -> ModelFolder:
    folder = model_folder(name)
    if folder.card.exists() and not resume:
        raise RunError(f"There is a model called {name!r} already. Choose another name, or delete it first.")
    folder.path.mkdir(parents=True, exist_ok=True)
    return folder


def _read_data(config: TrainConfig, emit: Emit) -> Dataset:
    """The images of a run, with those that it holds out of the training part in the split :data:`SELECTION`."""
    emit("step", stage="read", text="Reading the data set")
    dataset = load_combined(config.data, config.also, config.body_part)
    dataset = replace(dataset, table=hold_out(dataset.table, config.selection, config.seed))
    table = dataset.table
    _check_labels(dataset, table)
    # Before training: the card must name the files that were trained on, even if they change meanwhile.
    dataset = replace(dataset, table=table.assign(sha256=digests(table["path"].tolist())))
    # The checks know only the splits that a data set has on disk.
    as_on_disk = replace(dataset, table=without_hold_out(dataset.table))
    problems = [problem.message for problem in check(as_on_disk, read_files=False)]
    emit(
        "data",
        images=len(table),
        training=int((table["split"] == "train").sum()),
        validation=int((table["split"] == "valid").sum()),
        selection=int((table["split"] == SELECTION).sum()),
        positives=int(table["label"].sum()),
        label_names=list(dataset.label_names),
        synthetic=dataset.synthetic,
        problems=[*problems, *_warnings(config, dataset)],
    )
    return dataset


def _without_places(config: TrainConfig, dataset: Dataset) -> TrainConfig:
    """The config without the output for places, where no training image has a box to train it on."""
    if _has_boxes(dataset).any():
        return config
    return replace(config, box_weight=0.0)


def _has_boxes(dataset: Dataset) -> "pd.Series[bool]":
    """Which images are positive training images with boxes."""
    table = dataset.table
    return (table["split"] == "train") & (table["label"] == 1) & (table["boxes"] != "")


def _warnings(config: TrainConfig, dataset: Dataset) -> Iterator[str]:
    """Sentences about problems of training on these data with this config."""
    yield from filter(None, (mapping.describe() for mapping in dataset.label_mappings))
    if groups_unknown(dataset.table):
        yield "No patient is known: images of one patient may be on both sides of the split (data leakage)."
    if dataset.excluded or dataset.relabelled:
        yield f"By decision, {dataset.excluded:,} images are left out and {dataset.relabelled:,} have another label."
    if config.teaches_places and not _has_boxes(dataset).any():
        yield "No training image has a box: the network is not trained to localize."
    if config.weights in BUNDLED_SOURCES:
        yield from _leakage(dataset.table)


def _leakage(table: pd.DataFrame) -> Iterator[str]:
    """Sentences about images that the bundled weights were trained on, and that are to choose or to measure."""
    consequences = {
        "valid": ("validation", "the metrics will be too good"),
        SELECTION: ("selection", "the epoch, the temperature and the thresholds will fit images that are too easy"),
    }
    for split, (name, consequence) in consequences.items():
        rows = table[table["split"] == split]
        seen = int(seen_by_bundled(rows).sum()) if len(rows) else 0
        if seen:
            yield (
                f"{seen:,} of {len(rows):,} {name} images are among those that the bundled weights were trained on: "
                f"{consequence} (data leakage)."
            )


def _check_labels(dataset: Dataset, table: pd.DataFrame) -> None:
    """Raise where a part does not have both labels; ``table``: the rows that can be used.

    Of several data sets the first one's validation part alone decides the metrics.
    """
    in_first = table["data"] == dataset.table["data"].iloc[0]
    labels_of = {
        "train": table.loc[table["split"] == "train", "label"],
        "valid": table.loc[(table["split"] == "valid") & in_first, "label"],
    }
    # Where nothing is held out, the validation part chooses, and is checked already.
    held_out = dataset.table["split"] == SELECTION
    if held_out.any():
        labels_of[SELECTION] = table.loc[table["split"] == SELECTION, "label"]
    all_parts = "both parts, train and valid" if len(labels_of) == 2 else "all parts, train, valid and selection"
    for split, labels in labels_of.items():
        if labels.nunique() < 2:
            negative, positive = dataset.label_names
            positives = int(labels.sum())
            raise DatasetError(
                f"Training needs images of both labels in {all_parts}. Part {split} of {dataset.root} "
                f"has {len(labels) - positives} {negative} and {positives} {positive} that can be read."
            )


def _save_files(folder: ModelFolder, trained: Trained, graph: bytes, predictions: pd.DataFrame) -> None:
    atomic_write(folder.served_model, lambda part: part.write_bytes(graph))
    history = json.dumps(trained.fit.history)
    atomic_write(folder.history, lambda part: part.write_text(history))
    atomic_write(folder.predictions, lambda part: predictions.to_csv(part, index=False))


class _StopWatch:
    """Seconds taken by each stage, and in total."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = self._started
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round(now - self._last, 2)
        self.laps["total"] = round(now - self._started, 2)
        self._last = now
