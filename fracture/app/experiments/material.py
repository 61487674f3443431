"""The features that a training has left, to try heads on: chosen by a visitor, opened once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import streamlit as st

from fracture.app.shared import dataset_cache
from fracture.app.shared.widgets import link, show_errors
from fracture.estimate import Estimate
from fracture.evaluation.metrics import area, rates
from fracture.experiments.learning_curve import of_so_many
from fracture.experiments.workbench import Bench, can_be_tried, open_bench
from fracture.registry.validation import OperatingPoint
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import Head
from fracture.training.runs import queue
from fracture.training.runs.queue import Run


def on_a_bench(experiment: Callable[[Run, Bench], None]) -> None:
    """Let a visitor choose whose features to use, and do an experiment on them; a sentence where that cannot be."""
    run = choose_bench()
    if run is not None:
        with show_errors():
            experiment(run, bench_of(run))


def choose_bench() -> Run | None:
    """A picker over the trainings whose features can be used again; a hint where there is none."""
    known = {run.name: run for run in can_be_tried(queue.runs())}
    if not known:
        st.info(
            "Heads are tried on the features that a training has computed, and none has yet. Train *a head on frozen "
            "features* first; it takes about a minute.",
            icon=":material/model_training:",
        )
        link("train", "Train a head", ":material/arrow_forward:")
        return None
    name = st.selectbox(
        "Features of", list(known), key="bench", persist_state="session",
        help="The training that has computed them: its data set, image size and pre-trained weights.",
    )  # fmt: skip
    return known.get(name)


def bench_of(run: Run) -> Bench:
    """What a training has left to try heads on.

    Raises:
        FractureError: the data, the weights or the features are gone.
    """
    config = TrainConfig.from_json({**run.config, "name": run.name})
    return replace(_bench(_features_of(run), run), config=config)


def _features_of(run: Run) -> str:
    """Equal for trainings whose features are the same: those of a whole class share one bench, not one each."""
    names = ("data", "also", "body_part", "weights", "input_range", "image_size", "fit")
    drawn = [run.config.get("seed")] if run.config.get("weights") == "none" else []  # random weights
    folders = (run.config["data"], *run.config.get("also", ()))
    decided = [dataset_cache.decided_at(Path(each)) for each in folders]
    return json.dumps([[run.config.get(name) for name in names], drawn, decided])


@st.cache_resource(max_entries=4, ttl="1h", show_spinner="Reading the features")
def _bench(features: str, _run: Run) -> Bench:  # noqa: ARG001  part of the key
    return open_bench(_run)


@dataclass(frozen=True)
class Tried:
    """A head that was tried, and how good it is on the validation part."""

    config: TrainConfig
    groups: int
    """That it has learned from."""
    images: int
    head: Head
    auc: Estimate
    half: OperatingPoint
    """accuracy, sensitivity and specificity at a probability of one half."""
    seconds: float
    """That training took."""

    @property
    def choices(self) -> dict[str, Any]:
        """Those that tell tries apart."""
        names = ("learning_rate", "dropout", "l2", "class_weight", "epochs")
        return {
            **{name: getattr(self.config, name) for name in names},
            "patients": self.groups,
            "seed": self.config.seed,
        }


def tried(run: Run, bench: Bench, config: TrainConfig, groups: int) -> Tried:
    """The head of these choices, trained when it is asked for the first time. Raises RunError."""
    return _tried(_features_of(run), config, groups, bench)


@st.cache_resource(max_entries=300, show_spinner=False)
def _tried(key: str, config: TrainConfig, groups: int, _bench: Bench) -> Tried:  # noqa: ARG001
    rows, valid = of_so_many(_bench, groups), _bench.validation
    begun = perf_counter()
    head = _bench.fit(rows, valid, config)
    seconds = perf_counter() - begun
    features, label = _bench.part(valid)
    told = _bench.table[valid].assign(probability=head(features))
    auc = area(label, told["probability"].to_numpy(), told["group"])
    return Tried(config, groups, int(rows.sum()), head, auc, rates(told, 0.5), seconds)
