"""Train InceptionV3 on a data set and watch it learn."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import streamlit as st

from fracture.app import imports, loads, phantoms
from fracture.app.run_view import show_run
from fracture.app.widgets import choose_dataset, errors_in_words, no_dataset_hint, through_the_router
from fracture.classify.store import free_name
from fracture.learn import jobs
from fracture.learn.config import PRESETS, WEIGHT_SOURCES, TrainConfig

PIXEL_RANGES = {"As the weights say": None, "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
STEPS = {"learning_rate": 1e-4, "weight_decay": 1e-5, "l2": 1e-5, "dropout": 0.05, "averaging": 0.001}
WAYS = {
    "reference": "The head alone: about a minute",
    "fine-tune": "The upper blocks, too: minutes to hours",
}


def choice(field: Any, preset: str) -> Any:
    """The widget of one choice, with its range and its reason."""
    title, limits, key = field.name.replace("_", " ").capitalize(), field.metadata, f"train {preset} {field.name}"
    default, why = PRESETS[preset].get(field.name, field.default), limits["why"].removeprefix("fine-tune: ")
    if limits["among"]:
        return st.selectbox(
            title, limits["among"], limits["among"].index(default), help=why, key=key, persist_state="session"
        )
    number = field.type
    return st.number_input(
        title, number(limits["low"]), number(limits["high"]), default,
        step=STEPS.get(field.name), format="%g" if number is float else None,
        help=why, key=key, persist_state="session",
    )  # fmt: skip


def tuned(preset: str) -> list[Any]:
    """The fields that the preset's mode makes use of; the mode itself comes with the preset."""
    mode = PRESETS[preset].get("mode", "head")
    known = [field for field in fields(TrainConfig) if field.metadata and field.name not in ("weights", "mode")]
    return [field for field in known if mode == "fine-tune" or not field.metadata["why"].startswith("fine-tune: ")]


def new_training(data: str) -> None:
    """The choices of a TrainConfig: what must be chosen, and the rest of a preset folded away."""
    drawing = phantoms.follow(data)
    if drawing and not drawing.images:
        st.caption("The first images are being drawn.")
        return
    incoming = imports.follow_import(data)
    if incoming and (incoming.active or not incoming.progress.files):
        return  # what it brings first need not be what a training needs
    version = phantoms.version(drawing) + imports.version(incoming)
    parts = sorted(loads.dataset(data, version).table["body_part"].unique())
    preset = st.segmented_control(
        "What trains", list(WAYS), default="reference", required=True, format_func=WAYS.get, key="preset",
        persist_state="session",
    )  # fmt: skip
    with st.container(border=True):
        left, right = st.columns(2)
        started = st.session_state.get("trainings started", 0)
        key = f"name of training {started} on {data}"
        st.session_state.setdefault(key, free_name(Path(data).name))  # proposed once, then the visitor's
        name = left.text_input("Name of the model", max_chars=64, key=key, persist_state="session")
        weights = right.selectbox(
            "Pre-trained weights", WEIGHT_SOURCES, accept_new_options=True, key="weights", persist_state="session",
            help="imagenet is fetched once from the internet; bundled is the model that comes with the project; none "
            "is random. Or type the path of a .weights.h5 file.",
        )  # fmt: skip
        with st.expander("All choices", icon=":material/tune:"), st.grid(3):
            body_part = st.selectbox(
                "Body part", parts, index=None, placeholder="All", key=f"body part of {data}", persist_state="session"
            )
            pixels = st.selectbox(
                "Pixel range of the weights", PIXEL_RANGES, key="range", persist_state="session",
                help="Only for a file without a JSON beside it: the pixel values that its weights were trained on.",
            )  # fmt: skip
            chosen = {field.name: choice(field, preset) for field in tuned(preset)}
        waiting = drawing is not None and drawing.active
        words = "Start training when all is drawn" if waiting else "Start training"
        if st.button(words, type="primary", icon=":material/play_arrow:", disabled=waiting, key="start"):
            config = TrainConfig(
                data=data,
                name=name,
                weights=weights or "",
                body_part=body_part,
                input_range=PIXEL_RANGES[pixels],
                **{**PRESETS[preset], **chosen},
            )
            st.session_state["run"] = jobs.start(config).name
            st.session_state["trainings started"] = started + 1
            st.rerun()


def show_runs(known: dict[str, jobs.Run]) -> None:
    """One of the trainings that this machine knows; a link to this page with ``?run=NAME`` finds it again."""
    name = st.selectbox("Training", list(known), key="run", bind="query-params")
    if name in known:
        st.fragment(show_run, run_every=1.0 if known[name].active else None)(known[name].folder)


through_the_router("train")
st.title("Train")
with errors_in_words():
    jobs.advance()  # those that wait, where the one before them was killed
known = {run.name: run for run in sorted(jobs.runs(), key=lambda run: not run.active)}  # the one at work first
# Folded away once a training of one's own is there to be looked at, so that nothing moves when another starts or ends.
alone = all(run.folder.bundled for run in known.values())
with st.expander("Set up a training", expanded=alone, icon=":material/model_training:"), errors_in_words():
    data = choose_dataset()
    if data:
        new_training(data)
    else:
        no_dataset_hint()
if known:
    show_runs(known)
else:
    st.caption("Trainings appear here, live and afterwards.")
