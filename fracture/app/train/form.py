"""The form of a new run: a card for what trains, a name, the weights, and the button that starts it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, job_status, state
from fracture.app.shared.state import policy, press_lock, proposed_name, submissions
from fracture.app.shared.widgets import escape_markdown
from fracture.app.train.cost import show_cost, show_time, time_place
from fracture.app.train.presets import CUSTOM, choose_card
from fracture.app.train.settings import choose_mode, choose_settings
from fracture.data.checks.table import groups_unknown
from fracture.data.dataset import Dataset
from fracture.data.labels.choice import ANSWERS
from fracture.errors import ConfigError, PublicError
from fracture.files import JsonObject
from fracture.registry.model_folder import free_name
from fracture.training import imagenet
from fracture.training.config import LITE, PRESETS, WEIGHT_SOURCES, TrainConfig
from fracture.training.runs import queue

NO_IMAGENET = (
    ":material/cloud_off: The ImageNet weights are not on this machine, and their server does not answer: "
    "the form proposes bundled instead."
)


@dataclass(frozen=True)
class _FirstChoices:
    """What every run needs, beside the button that starts it."""

    name: str
    proposed: bool
    """Whether the name is the one that the form proposed."""
    preset: str
    """That gives mode and defaults."""
    weights: str
    pressed: bool
    """Whether the run is to start."""


def training_form(data: str) -> None:
    """The settings of a run on a data set, and the button that starts it."""
    job = job_status.follow_job(data)
    if not job_status.images_ready(job):
        return
    offered = _offered_weights()
    if not offered:
        return
    dataset = dataset_cache.cached_dataset(data, job_status.version(job))
    settings: JsonObject = {"data": data, "body_part": _choose_data_part(dataset, data)}
    card, times = choose_card()
    first = _choose_first(data, card, offered, waiting=job is not None and job.active)
    settings["weights"] = first.weights
    cost = time_place()
    _show_hints(dataset, offered, first)
    chosen = choose_settings(first.preset) if card == CUSTOM else {}
    if first.pressed:
        config = TrainConfig(name=first.name, **settings, **PRESETS[first.preset] | chosen)
        _start(submissions().number, config, unique_name=first.proposed)
    with cost, suppress(ConfigError):  # the start will say what is wrong
        config = TrainConfig(name="estimate", **settings, **PRESETS[first.preset] | chosen)
        show_cost(dataset, config, with_time=card == CUSTOM)
    for preset, place in times.items():
        with place, suppress(ConfigError):
            show_time(dataset, _preset_config(preset, settings))


def _preset_config(preset: str, settings: JsonObject) -> TrainConfig:
    """A preset as it would run here; fine-tuning not with weights that are for heads alone."""
    if PRESETS[preset].get("mode") == "fine-tune" and settings["weights"] == LITE:
        settings = {**settings, "weights": "bundled"}
    return TrainConfig(name="estimate", **settings, **PRESETS[preset])


def _choose_data_part(dataset: Dataset, data: str) -> str | None:
    """What the data set has, in a line, and the body part to train on where there are several."""
    table = dataset.table
    share = (table["label"] == 1).mean()
    label = escape_markdown(dataset.label_names[1])
    st.caption(f"{len(table):,} images · {table['study'].nunique():,} studies · {share:.0%} {label}")
    parts = sorted(table["body_part"].unique())
    if len(parts) < 2:
        return None
    chosen: str | None = st.selectbox(
        "Body part", parts, index=None, placeholder="All", key=f"body part {data}", persist_state="session"
    )
    return chosen


def _choose_first(data: str, card: str, offered: Sequence[str], *, waiting: bool) -> _FirstChoices:
    """Name, weights and the button in one row; with the card *Custom* what trains, too."""
    form = submissions().number
    widths = (3, 2, 3, 2) if card == CUSTOM else (3, 3, 2)
    places = iter(st.columns(widths, vertical_alignment="bottom"))
    with next(places):
        name, proposed = _choose_name(data, form)
    preset = card
    if card == CUSTOM:
        with next(places):
            preset = choose_mode()
    with next(places):
        weights = _choose_weights(offered, preset)
    with next(places):
        pressed = _start_button(form, waiting=waiting)
    return _FirstChoices(name, proposed, preset, weights, pressed)


def _show_hints(dataset: Dataset, offered: Sequence[str], first: _FirstChoices) -> None:
    """Which weights are missing, doubts on the data, and the limits of a public demo."""
    default = _default_weights(_offered_for(offered, first.preset))
    if default not in offered[:1] and first.weights in ("imagenet", default):
        st.caption(NO_IMAGENET)
    _show_doubts(dataset)
    _explain_limits()


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
    offered = _offered_for(offered, preset)
    default = _default_weights(offered)
    # Chosen for a head before: a picker that takes typed paths would keep it.
    unusable = LITE not in offered and state.WEIGHTS.get() == LITE
    if unusable:
        state.WEIGHTS.set(default)
    file = "" if demo.is_public() else " Or type the path of a .weights.h5 file."
    chosen = st.selectbox(
        "Pre-trained weights",
        offered,
        0 if unusable else offered.index(default),
        accept_new_options=not demo.is_public(),
        key=state.WEIGHTS.key,
        persist_state="session",
        help="imagenet: downloaded once from the internet. bundled: the model that comes with the project. "
        "bundled-8bit: the same in 8 bits, for head-only runs; needs no TensorFlow and a quarter of the memory. "
        f"none: random weights.{file}",
    )
    return chosen or ""


def _offered_for(offered: Sequence[str], preset: str) -> Sequence[str]:
    """Without the weights that are for heads alone, where more than the head trains."""
    return [each for each in offered if each != LITE] if preset == "fine-tune" else offered


def _default_weights(offered: Sequence[str]) -> str:
    missing = offered[0] == "imagenet" and not imagenet.available()
    return "bundled" if missing else offered[0]


def _start_button(form: int, *, waiting: bool) -> bool:
    """Whether it was pressed."""
    return st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=waiting,
        key=f"start {form}",
        width="stretch",
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
