"""The cached features of a run, on which heads are trained: chosen by a visitor, opened once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import streamlit as st

from fracture.app.shared import dataset_cache
from fracture.app.shared.widgets import link, show_errors
from fracture.estimate import Estimate
from fracture.evaluation.metrics import area, rates
from fracture.experiments.learning_curve import random_group_subset
from fracture.experiments.workbench import Bench, open_bench, runs_with_features
from fracture.registry.validation import OperatingPoint
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import Head
from fracture.training.runs import queue
from fracture.training.runs.queue import Run


def with_bench(run: Run | None, experiment: Callable[[Run, Bench], None]) -> None:
    """Do an experiment on the features of a run; a hint where there is no run, a message where it is not possible."""
    if run is None:
        st.info(
            "Experiments need the cached features of a head-only run, and there is none yet. Train a head first; it "
            "takes about a minute.",
            icon=":material/model_training:",
        )
        link("train", "Train a head", ":material/arrow_forward:")
        return
    with show_errors():
        experiment(run, bench_of(run))


def choose_bench() -> Run | None:
    """A picker for the runs whose features can be used again; None where there is none."""
    known = {run.name: run for run in runs_with_features(queue.runs())}
    if not known:
        return None
    name = st.selectbox(
        "Features of run",
        list(known),
        key="features",
        persist_state="session",
        help="The run that extracted the features. It determines the data set, the image size and the backbone.",
    )
    return known.get(name)


def bench_of(run: Run) -> Bench:
    """The images and cached features of a run.

    Raises:
        FractureError: the data, the weights or the features are gone.
    """
    config = TrainConfig.from_json({**run.config, "name": run.name})
    return replace(_bench(_features_of(run), run), config=config)


def _features_of(run: Run) -> str:
    """Equal for runs with the same features: the runs of a whole class share one bench in memory."""
    names = ["data", "also", "body_part", "weights", "input_range", "image_size", "fit"]
    if run.config.get("weights") == "none":  # random ones, which depend on the seed
        names.append("seed")
    settings = [run.config.get(name) for name in names]
    folders = (run.config["data"], *run.config.get("also", ()))
    decided = [dataset_cache.decided_at(Path(each)) for each in folders]
    return json.dumps([settings, decided])


# Streamlit leaves parameters with an underscore out of the key: another run may have the same features.
@st.cache_resource(max_entries=4, ttl="1h", show_spinner="Reading the features")
def _bench(features: str, _run: Run) -> Bench:  # noqa: ARG001  part of the key
    return open_bench(_run)


@dataclass(frozen=True)
class Trial:
    """A head that was trained in the playground, with its validation metrics."""

    config: TrainConfig
    groups: int
    """Patients or groups in its training images."""
    images: int
    """Training images."""
    head: Head
    auc: Estimate
    half: OperatingPoint
    """accuracy, sensitivity and specificity at a threshold of one half."""
    seconds: float
    """Duration of its training."""

    @property
    def settings(self) -> dict[str, object]:
        """The settings that the playground's widgets change."""
        names = ("learning_rate", "dropout", "l2", "class_weight", "epochs")
        chosen = {name: getattr(self.config, name) for name in names}
        return {**chosen, "patients": self.groups, "seed": self.config.seed}


def trial_of(run: Run, bench: Bench, config: TrainConfig, groups: int) -> Trial:
    """The head of these settings, trained when it is needed for the first time. Raises RunError."""
    return _trial(_features_of(run), config, groups, bench)


@st.cache_resource(max_entries=300, show_spinner=False)
def _trial(key: str, config: TrainConfig, groups: int, _bench: Bench) -> Trial:  # noqa: ARG001
    rows = random_group_subset(_bench, groups)
    validation = _bench.validation
    started = perf_counter()
    head = _bench.fit(rows, validation, config)
    seconds = perf_counter() - started
    features, label = _bench.part(validation)
    predictions = _bench.table[validation].assign(probability=head(features))
    auc = area(label, predictions["probability"].to_numpy(), predictions["group"])
    return Trial(config, groups, int(rows.sum()), head, auc, rates(predictions, 0.5), seconds)
