"""The form of a new run: the settings that everybody chooses, and the advanced ones folded away."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, job_status
from fracture.app.shared.state import policy, press_lock, proposed_name, submissions
from fracture.app.shared.widgets import escape_markdown, left_out
from fracture.app.train.cost import show_cost
from fracture.data.checks.table import groups_unknown
from fracture.data.dataset import Dataset
from fracture.data.labels.choice import ANSWERS
from fracture.errors import ConfigError, PublicError
from fracture.files import JsonObject
from fracture.registry.model_folder import free_name
from fracture.training import imagenet
from fracture.training.config import LITE, PRESETS, WEIGHT_SOURCES, TrainConfig, field_title, used_in
from fracture.training.runs import queue

PIXEL_RANGES = {"As the weights specify": None, "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
INPUT_STEPS = {
    "learning_rate": 1e-4,
    "weight_decay": 1e-5,
    "l2": 1e-5,
    "dropout": 0.05,
    "averaging": 0.001,
    "selection": 0.05,
}
NO_IMAGENET = (
    ":material/cloud_off: The ImageNet weights are not on this machine, and their server does not answer: "
    "the form proposes bundled instead."
)
PRESET_LABELS = {
    "reference": "Head only: about a minute",
    "fine-tune": "Fine-tuning: minutes to hours",
}


def training_form(data: str) -> None:
    """The settings of a run on a data set, and the button that starts it."""
    job = job_status.follow_job(data)
    if not job_status.images_ready(job):
        return
    offered = _offered_weights()
    if not offered:
        return
    dataset = dataset_cache.cached_dataset(data, job_status.version(job))
    parts = sorted(dataset.table["body_part"].unique())
    form = submissions().number
    preset = _choose_preset()
    with st.container(border=True):
        left, right = st.columns(2)
        with left:
            name, proposed = _choose_name(data, form)
        with right:
            weights = _choose_weights(offered, preset)
        advanced = st.expander("Advanced settings", icon=":material/tune:", key=f"advanced {form}")
        with advanced, st.grid(3):
            chosen = _choose_advanced(data, parts, preset)
        _show_doubts(dataset)
        settings = {"data": data, "weights": weights, **PRESETS[preset], **chosen}
        # Aligned at the top, so that the button stays where it is when the line beside it comes.
        with st.container(horizontal=True, vertical_alignment="top"):
            pressed = _start_button(form, waiting=job is not None and job.active)
            estimate = st.empty()
        _explain_limits()
        if pressed:
            _start(form, TrainConfig(name=name, **settings), unique_name=proposed)
        with estimate.container(), suppress(ConfigError):  # the start will say what is wrong
            show_cost(dataset, TrainConfig(name="estimate", **settings))


def _start(form: int, config: TrainConfig, *, unique_name: bool) -> None:
    submitted, visitor = submissions(), policy()
    with press_lock():
        if submitted.number == form:
            submitted.newest = queue.start(config, visitor, unique_name=unique_name).name
            submitted.number += 1
    st.rerun()


def _show_doubts(dataset: Dataset) -> None:
    """What may make the results of a run look too good, or turn them around, before it starts."""
    if groups_unknown(dataset.table):
        st.warning(
            "No patient is known here: images of one patient may be on both sides of the split, and results look too "
            "good.",
            icon=":material/group_off:",
        )
    strong = [each for each in dataset_cache.known_associations(dataset) if each.is_strong]
    if strong:
        sentence = strong[0].sentence(dataset.label_names[1])
        st.warning(escape_markdown(f"{sentence} The network may learn this shortcut."), icon=":material/alt_route:")
    for mapping in dataset.label_mappings:
        if mapping.origin == ANSWERS:
            st.warning(escape_markdown(mapping.describe()), icon=":material/swap_horiz:")


def offer_other_weights(run: queue.Run) -> None:
    """A button that starts the run again, with weights that come with the project and under the next free name."""
    offered = demo.offered_weights() if demo.is_public() else ["bundled", LITE]
    others = [each for each in offered if each != run.config.get("weights")]
    if not others:
        return
    form = submissions().number
    if st.button(f"Restart with {others[0]}", icon=":material/restart_alt:", key=f"restart {run.name} {form}"):
        config = TrainConfig.from_json(run.config).changed(weights=others[0], input_range=None)
        _start(form, config, unique_name=True)


def _offered_weights() -> Sequence[str]:
    """Named weights; none, with a message, where a public demo's machine is too small for any."""
    if not demo.is_public():
        return WEIGHT_SOURCES
    try:
        return demo.offered_weights()
    except PublicError as error:
        st.info(str(error), icon=":material/public:")
        return ()


def _choose_preset() -> str:
    if left_out("fine-tuning"):
        return "reference"
    preset = st.segmented_control(
        "Training mode",
        list(PRESET_LABELS),
        default="reference",
        required=True,
        format_func=PRESET_LABELS.__getitem__,
        key="preset",
        persist_state="session",
        help="Head only: the backbone stays frozen. Fine-tuning: the upper blocks of the backbone train, too.",
    )
    return str(preset)


def _choose_name(data: str, form: int) -> tuple[str, bool]:
    """The name, and whether it is the one that the form proposed.

    Students who open the form at the same time get the same proposal: where the first one has taken the name, the
    next one to submit it unchanged gets the next free name.
    """
    key = f"name {form} {data}"
    proposed = proposed_name(key, lambda: free_name(Path(data).name))
    name = st.text_input("Name", proposed, max_chars=64, key=key, persist_state="session")
    return name, name == proposed


def _choose_weights(offered: Sequence[str], preset: str) -> str:
    if preset == "fine-tune":
        offered = [each for each in offered if each != LITE]
    default = offered[0]
    missing = default == "imagenet" and not imagenet.available()
    if missing:
        default = "bundled"
    file = "" if demo.is_public() else " Or type the path of a .weights.h5 file."
    chosen = st.selectbox(
        "Pre-trained weights",
        offered,
        offered.index(default),
        accept_new_options=not demo.is_public(),
        key="weights",
        persist_state="session",
        help="imagenet: downloaded once from the internet. bundled: the model that comes with the project. "
        "bundled-8bit: the same in 8 bits, for head-only runs; needs no TensorFlow and a quarter of the memory. "
        f"none: random weights.{file}",
    )
    if missing and chosen in ("imagenet", default):
        st.caption(NO_IMAGENET)
    return chosen or ""


def _choose_advanced(data: str, parts: list[str], preset: str) -> JsonObject:
    """The other settings, by their names in a :class:`TrainConfig`."""
    body_part = st.selectbox(
        "Body part", parts, index=None, placeholder="All", key=f"body part {data}", persist_state="session"
    )
    pixel_range = None if demo.is_public() else _choose_pixel_range()
    chosen = {field.name: _choose(field, preset) for field in _fields_of(preset)}
    return {"body_part": body_part, "input_range": pixel_range, **chosen}


def _choose_pixel_range() -> tuple[float, float] | None:
    chosen = st.selectbox(
        "Pixel range of the weights",
        PIXEL_RANGES,
        key="pixel range",
        persist_state="session",
        help="The range of pixel values that the weights were trained on. Only needed for a file without a JSON file "
        "beside it.",
    )
    return PIXEL_RANGES[chosen]


def _fields_of(preset: str) -> list[Field[Any]]:
    """The fields that the preset's mode uses; the preset itself sets the mode."""
    mode = PRESETS[preset].get("mode", "head")
    shown_elsewhere = ("weights", "mode")
    settings = [field for field in fields(TrainConfig) if field.metadata and field.name not in shown_elsewhere]
    return [field for field in settings if used_in(field, mode)]


def _choose(field: Field[Any], preset: str) -> Any:
    """The widget of one field, with its range and its help text."""
    title = field_title(field.name)
    key = f"{preset} {field.name}"
    limits = field.metadata
    why = f"{limits['why'][0].upper()}{limits['why'][1:]}."
    default = PRESETS[preset].get(field.name, field.default)
    if options := limits["among"]:
        return st.selectbox(title, options, options.index(default), help=why, key=key, persist_state="session")
    # All in the type of the field: st.number_input refuses a mix of whole and other numbers.
    number: Any = field.type
    return st.number_input(
        title,
        number(limits["low"]),
        number(demo.max_value(field.name, limits["high"])),
        default,
        step=INPUT_STEPS.get(field.name),
        format="%g" if number is float else None,
        help=why,
        key=key,
        persist_state="session",
    )


def _start_button(form: int, *, waiting: bool) -> bool:
    """Whether it was pressed."""
    return st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=waiting,
        key=f"start {form}",
        help="Training can start when all phantoms are generated." if waiting else None,
    )


def _explain_limits() -> None:
    """What a public demo allows."""
    if demo.is_public():
        limits = demo.LIMITS
        st.caption(
            f"The public demo trains one run at a time, on at most {limits.max_images:,} images. It stops a run after "
            f"{limits.max_run_seconds / 60:.0f} minutes, keeps the best epoch, and deletes the model after "
            f"{limits.retention_seconds / 3600:.0f} hours."
        )
