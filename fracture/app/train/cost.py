"""How long the run of the form will take on this machine, and how much memory: on the cards and beside the button."""

import logging
from contextlib import suppress
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture import demo
from fracture.app.shared import dataset_cache
from fracture.data.dataset import Dataset
from fracture.data.decisions import apply_decisions
from fracture.errors import FractureError, RunError
from fracture.formatting import format_rough_duration
from fracture.training.config import TrainConfig
from fracture.training.cost import Cost, Speed, estimate_cost, machine_speed
from fracture.training.weights import find_weights

_log = logging.getLogger(__name__)


def show_cost(dataset: Dataset, config: TrainConfig, *, with_time: bool = True) -> None:
    """The line, without the time where a card has it.

    Empty where the machine can't be measured, or where the run's start will say what is wrong.
    """
    cost = _cost(dataset, config)
    if cost is None:
        st.empty()  # in the place of the word that it is being estimated
        return
    warning = cost.warning(demo.machine_memory_mb() * 2**20)
    usual = ":material/timer:" if with_time else ":material/memory:"
    icon = ":material/warning:" if warning else usual
    st.caption(f"{icon} {cost.sentence if with_time else cost.memory_sentence} {warning}")


def show_time(dataset: Dataset, config: TrainConfig) -> None:
    """The time alone, on a card; a dash where it can't be estimated, so that the cards keep their height."""
    cost = _cost(dataset, config)
    words = f"About {format_rough_duration(cost.seconds)} here" if cost else "—"
    st.markdown(f":material/timer: **{words}**")


def time_place() -> DeltaGenerator:
    """A place for an estimate that comes at the end of the page; it says so while the machine is measured.

    Once the machine is known it is a plain container: a placeholder would blink in each run of the page.
    """
    if _measured():
        return st.container()
    place = st.empty()
    place.caption("Estimating …")
    return place


def _cost(dataset: Dataset, config: TrainConfig) -> Cost | None:
    speed = _speed()
    if speed is None:
        return None
    with suppress(FractureError):
        cost = _estimate(dataset, f"{dataset.version} {dataset_cache.decided_at(dataset.root)}", config, speed)
        if demo.is_public():
            cost = replace(cost, seconds=min(cost.seconds, demo.LIMITS.max_run_seconds))
        return cost
    return None


@st.cache_resource
def _measured() -> list[Speed | None]:
    """Empty until the machine was measured."""
    return []


# Asked again after a while: a machine that was too busy to be measured may be idle then.
@st.cache_data(ttl="5m", show_spinner=False)
def _measure() -> Speed | None:
    """The machine's speed; None where it can't be measured."""
    try:
        return machine_speed()
    except RunError as error:
        _log.warning("%s", error)
        return None


def _speed() -> Speed | None:
    """The machine's speed, which is kept; None where it can't be measured now."""
    measured = _measured()
    if not measured or measured[0] is None:
        measured[:] = [_measure()]
    return measured[0]


# Counted again after a while, since runs add to the cache of features.
@st.cache_data(max_entries=16, ttl="30s", show_spinner=False)
def _estimate(_dataset: Dataset, version: str, config: TrainConfig, _speed: Speed) -> Cost:  # noqa: ARG001  part of the key
    table = apply_decisions(_dataset).table
    if config.body_part:
        table = table[table["body_part"] == config.body_part]
    return estimate_cost(table, config, find_weights(config), _speed)
