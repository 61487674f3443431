"""Set up a training: what must be chosen, and the rest of a preset folded away."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, job_status
from fracture.app.shared.widgets import left_out, visitor
from fracture.errors import PublicError
from fracture.registry.model_folder import free_name
from fracture.training import imagenet
from fracture.training.config import LITE, PRESETS, WEIGHT_SOURCES, TrainConfig
from fracture.training.runs import queue

PIXEL_RANGES = {"As the weights say": None, "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
STEPS = {"learning_rate": 1e-4, "weight_decay": 1e-5, "l2": 1e-5, "dropout": 0.05, "averaging": 0.001}
NO_IMAGENET = (
    ":material/cloud_off: The ImageNet weights are not on this machine, and the server that has them does not answer: "
    "bundled is proposed instead."
)
WAYS = {
    "reference": "The head alone: about a minute",
    "fine-tune": "The upper blocks, too: minutes to hours",
}


@dataclass
class Submissions:
    """The forms that this visitor has submitted.

    The keys of the button and of the name have the form's number: a second press on a form that was submitted is that
    of a button that is gone, and starts nothing. A press may end a running script at any use of session state, but not
    between two lines that change this object.
    """

    number: int = 0
    """Of the form that is drawn; each start makes it the next one."""
    newest: str = ""
    """The run that was started last, until the page has selected it."""


def submissions() -> Submissions:
    """What this visitor has submitted."""
    found: Submissions = st.session_state.setdefault("submissions", Submissions())
    return found


def training_form(data: str) -> None:
    """The choices of a training on a data set, and the button that starts it."""
    job = job_status.follow_job(data)
    if not job_status.images_ready(job):
        return
    offered = _offered_weights()
    if not offered:
        return
    parts = sorted(dataset_cache.dataset(data, job_status.version(job)).table["body_part"].unique())
    preset = _choose_preset()
    with st.container(border=True):
        left, right = st.columns(2)
        with left:
            name, proposed = _choose_name(data)
        with right:
            weights = _choose_weights(offered, preset)
        choices = st.expander("All choices", icon=":material/tune:", key=f"all choices {submissions().number}")
        with choices, st.grid(3):
            chosen = _choose_rest(data, parts, preset)
        if _start_button(waiting=job is not None and job.active):
            config = TrainConfig(data=data, name=name, weights=weights, **{**PRESETS[preset], **chosen})
            _start(config, unique_name=proposed)


def _start(config: TrainConfig, *, unique_name: bool) -> None:
    submitted, asker = submissions(), visitor()
    run = queue.start(config, asker, unique_name=unique_name)
    submitted.newest = run.name
    submitted.number += 1
    st.rerun()


def offer_other_weights(run: queue.Run) -> None:
    """A button that starts a run anew, with weights that come with the project and under the next free name."""
    offered = demo.weights() if demo.on() else ["bundled", LITE]
    weights = next((each for each in offered if each != run.config.get("weights")), None)
    if weights is None:
        return
    key = f"start {run.name} again {submissions().number}"
    if st.button(f"Start again with {weights}", icon=":material/restart_alt:", key=key):
        config = TrainConfig.from_json(run.config).changed(weights=weights, input_range=None)
        _start(config, unique_name=True)


def _offered_weights() -> Sequence[str]:
    """By name; none where a public demo's machine is too small for any, which is said."""
    if not demo.on():
        return WEIGHT_SOURCES
    try:
        return demo.weights()
    except PublicError as error:
        st.info(str(error), icon=":material/public:")
        return ()


def _choose_preset() -> str:
    if left_out("fine-tuning"):
        return "reference"
    preset = st.segmented_control(
        "What trains", list(WAYS), default="reference", required=True, format_func=lambda way: WAYS[way], key="preset",
        persist_state="session",
    )  # fmt: skip
    return str(preset)


def _choose_name(data: str) -> tuple[str, bool]:
    """The name, and whether it is the one that the form proposed.

    A class that opens the form together is proposed one name: who leaves it as it is gets the next where it is taken.
    """
    key = f"name of training {submissions().number} on {data}"
    proposed = st.session_state.setdefault(f"{key}, proposed", free_name(Path(data).name))
    name = st.text_input("Name of the model", proposed, max_chars=64, key=key, persist_state="session")
    return name, name == proposed


def _choose_weights(offered: Sequence[str], preset: str) -> str:
    if preset == "fine-tune":
        offered = [each for each in offered if each != LITE]
    default = offered[0]
    missing = default == "imagenet" and not imagenet.available()
    if missing:
        default = "bundled"
    file = "" if demo.on() else " Or type the path of a .weights.h5 file."
    chosen = st.selectbox(
        "Pre-trained weights",
        offered,
        offered.index(default),
        accept_new_options=not demo.on(),
        key="weights",
        persist_state="session",
        help="imagenet is fetched once from the internet; bundled is the model that comes with the project; "
        "bundled-8bit is the same as it is served, for heads only: without TensorFlow, in a "
        f"quarter of the memory; none is random.{file}",
    )
    if missing and chosen in ("imagenet", default):
        st.caption(NO_IMAGENET)
    return chosen or ""


def _choose_rest(data: str, parts: list[str], preset: str) -> dict[str, Any]:
    """By the names that they have in a :class:`TrainConfig`."""
    body_part = st.selectbox(
        "Body part", parts, index=None, placeholder="All", key=f"body part of {data}", persist_state="session"
    )
    pixels = None if demo.on() else _choose_pixel_range()
    chosen = {field.name: _choice(field, preset) for field in _tuned(preset)}
    return {"body_part": body_part, "input_range": pixels, **chosen}


def _choose_pixel_range() -> tuple[float, float] | None:
    said = st.selectbox(
        "Pixel range of the weights", PIXEL_RANGES, key="range", persist_state="session",
        help="Only for a file without a JSON beside it: the pixel values that its weights were trained on.",
    )  # fmt: skip
    return PIXEL_RANGES[said]


def _tuned(preset: str) -> list[Any]:
    """The fields that the preset's mode makes use of; the mode itself comes with the preset."""
    mode = PRESETS[preset].get("mode", "head")
    known = [field for field in fields(TrainConfig) if field.metadata and field.name not in ("weights", "mode")]
    return [field for field in known if mode == "fine-tune" or not field.metadata["why"].startswith("fine-tune: ")]


def _choice(field: Any, preset: str) -> Any:
    """The widget of one choice, with its range and its reason."""
    title, limits, key = field.name.replace("_", " ").capitalize(), field.metadata, f"train {preset} {field.name}"
    default, why = PRESETS[preset].get(field.name, field.default), limits["why"].removeprefix("fine-tune: ")
    if limits["among"]:
        return st.selectbox(
            title, limits["among"], limits["among"].index(default), help=why, key=key, persist_state="session"
        )
    number = field.type
    return st.number_input(
        title, number(limits["low"]), number(demo.most(field.name, limits["high"])), default,
        step=STEPS.get(field.name), format="%g" if number is float else None,
        help=why, key=key, persist_state="session",
    )  # fmt: skip


def _start_button(waiting: bool) -> bool:
    """Whether it was pressed; in a public demo with what holds for a training there."""
    words = "Start training when all are generated" if waiting else "Start training"
    key = f"start {submissions().number}"
    pressed = st.button(words, type="primary", icon=":material/play_arrow:", disabled=waiting, key=key)
    if demo.on():
        limits = demo.LIMITS
        st.caption(
            f"One at a time, of at most {limits.images:,} images and {limits.seconds / 60:.0f} minutes: then it is "
            "stopped, and what it has learned is kept. After a day it is deleted."
        )
    return pressed
