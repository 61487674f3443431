"""The features on which heads are trained, shipped ones or those of a run: chosen by a visitor, opened once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from fracture.app.shared import dataset_cache
from fracture.app.shared.features.missing import has_computed, is_computing, offer_features
from fracture.app.shared.widgets import link, show_errors
from fracture.errors import FeaturesError
from fracture.experiments.shipped.features import is_shipped, shipped_bench
from fracture.experiments.workbench import Bench, config_of, open_bench, runs_with_features
from fracture.training.runs import queue
from fracture.training.runs.queue import Run

CHOSEN_FOR_EFFECT = (
    "The synthetic set was chosen so that this effect shows; its interval does not allow for that choice."
)

SHIPPED = ""
"""In the place of a run's name: the features that ship with the app."""


@dataclass(frozen=True)
class Material:
    """The features that a visitor has chosen."""

    run: Run | None
    """The run that has extracted them; None for the shipped ones."""

    @property
    def key(self) -> str:
        """Different for other features; another run may get the name of one that was deleted."""
        return f"{self.run.name} {self.run.started}" if self.run else "shipped"

    def results_key(self, bench: Bench) -> str:
        """Different also where a decision has changed the images: results on others are not comparable."""
        return f"{self.key} {bench.fingerprint}"

    def bench(self) -> Bench:
        """The images with their features.

        Raises:
            FeaturesError: the features are no longer in the cache.
            FractureError: the data, the weights or the shipped files are gone.
        """
        return _shipped_bench() if self.run is None else bench_of(self.run)


def with_bench(material: Material | None, experiment: Callable[[Material, Bench], None]) -> None:
    """Do an experiment on the chosen features; a hint where there are none, an offer where the cache has lost them."""
    if material is None:
        st.info(
            "Experiments need the features of a head-only run, and there is none yet. Train a head first; it takes "
            "about a minute.",
            icon=":material/model_training:",
        )
        link("train", "Train a head", ":material/arrow_forward:")
        return
    with show_errors():
        # Asked first: a job writes after each batch, and an experiment on some of the images would say so of all.
        if material.run is not None and is_computing(material.run):
            offer_features(material.run, "")
            return
        try:
            bench = material.bench()
        except FeaturesError as missing:
            if material.run is not None:
                offer_features(material.run, str(missing))
            return
        if material.run is not None and not _is_complete(material.run, bench):
            offer_features(material.run, "", bench.missing)
        experiment(material, bench)


def _is_complete(run: Run, bench: Bench) -> bool:
    """Whether all images have features, or a job has tried all of them: the others can't be read."""
    return not bench.missing or has_computed(run)


def choose_material() -> Material | None:
    """A picker for the shipped features and for runs whose features can be used again; None where there are none."""
    known: dict[str, Run | None] = {SHIPPED: None} if is_shipped() else {}
    known.update({run.name: run for run in runs_with_features(queue.runs())})
    if not known:
        return None
    name = st.selectbox(
        "Features",
        list(known),
        format_func=_describe,
        key="features",
        persist_state="session",
        help="The shipped features, or those of a run. They determine the data set, the image size and the backbone.",
    )
    return Material(known[name]) if name in known else None


def _describe(name: str) -> str:
    # Reads no file: a damaged one would fail here, where no error is shown.
    return name if name != SHIPPED else "Shipped: synthetic X-rays"


@st.cache_resource(show_spinner=False)
def _shipped_bench() -> Bench:
    return shipped_bench()


def bench_of(run: Run) -> Bench:
    """The images and cached features of a run.

    Raises:
        FeaturesError: the features are no longer in the cache.
        FractureError: the data or the weights are gone.
    """
    key = features_of(run)
    bench = _bench(key, run)
    if not _is_complete(run, bench):
        _bench.clear(key, run)  # a job may add features, which the next page must see
    return replace(bench, config=config_of(run))


def features_of(run: Run) -> str:
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


def note_choice(material: Material) -> None:
    """Of the shipped features: the set was made for the effect."""
    if material.run is None:
        st.caption(CHOSEN_FOR_EFFECT)
