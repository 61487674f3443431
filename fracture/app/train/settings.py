"""All settings of a run by hand, in four groups: each with what it does and in which direction."""

from dataclasses import Field, fields
from typing import Any

import streamlit as st

from fracture import demo
from fracture.files import JsonObject
from fracture.training.config import PRESETS, TrainConfig, field_title, used_in

PIXEL_RANGES = {"As the weights specify": None, "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
INPUT_STEPS = {
    "learning_rate": 1e-4,
    "weight_decay": 1e-5,
    "l2": 1e-5,
    "dropout": 0.05,
    "averaging": 0.001,
    "selection": 0.05,
}
GROUPS = {
    "Learning": {
        "epochs": "More of them fit the training images better, and in the end too well; time grows in proportion.",
        "learning_rate": "A higher one learns faster, and makes the loss jump where it is too high.",
        "batch_size": "Larger batches give steadier steps, fewer of them in an epoch, and need more memory.",
        "weight_decay": "More of it keeps the weights small, which reduces overfitting.",
        "averaging": "A decay nearer to 1 averages over more steps: steadier, and slower to follow.",
        "patience": "A small one saves time, and may stop before a late improvement.",
    },
    "Images": {
        "image_size": "Larger images show finer fractures.",
        "fit": "Letterbox adds a border where the image is not square.",
        "augmentation": "More of it reduces overfitting; each epoch then takes longer.",
    },
    "Network": {
        "unfreeze": "A lower block trains more of the network: slower, and it needs more images.",
        "dropout": "More of it reduces overfitting; too much of it underfits.",
        "l2": "A higher one keeps the head's weights small, against overfitting.",
        "precision": "Fewer bits save memory.",
        "strategy": "It changes the time, not what is learned.",
    },
    "Loss and selection": {
        "class_weight": "Balanced finds more of the rarer label, with more false alarms.",
        "label_smoothing": "More of it makes the model less sure of itself.",
        "box_weight": "A higher one makes heat maps fit the boxes better, at some cost to the label. Images without "
        "boxes are not affected.",
        "selection": "More of it chooses more reliably, and leaves fewer images to train on.",
        "seed": "Another one shows how much of a result is chance.",
    },
}
"""The direction of each setting; what it does stands in :class:`fracture.training.config.TrainConfig`."""


def choose_mode() -> str:
    """The preset that the settings begin with, which also says what trains."""
    if demo.is_public():
        return "reference"
    preset = st.segmented_control(
        "What trains",
        ["reference", "fine-tune"],
        default="reference",
        required=True,
        format_func={"reference": "Head", "fine-tune": "Upper blocks, too"}.__getitem__,
        key="mode",
        persist_state="session",
        help="Head: the backbone stays frozen. Upper blocks, too: fine-tuning.",
    )
    return str(preset)


def choose_settings(preset: str) -> JsonObject:
    """A tab a group; the values by their names in a :class:`TrainConfig`. The preset gives defaults and mode."""
    used = _fields_of(preset)
    chosen: JsonObject = {}
    for tab, (group, effects) in zip(st.tabs(list(GROUPS)), GROUPS.items(), strict=True):
        with tab, st.grid(2, gap="medium", key=f"settings {group}"):
            for name, effect in effects.items():
                if name in used:
                    chosen[name] = _choose_with_words(used[name], preset, effect)
            if group == "Images" and not demo.is_public():
                chosen["input_range"] = _choose_pixel_range()
    return chosen


def _choose_with_words(field: Field[Any], preset: str, effect: str) -> Any:
    """A widget, and beside it what it does and in which direction."""
    why = field.metadata["why"]
    with st.container():
        value = _choose(field, preset)
        st.caption(f"{why[0].upper()}{why[1:]}. {effect}")
    return value


def _choose_pixel_range() -> tuple[float, float] | None:
    with st.container():
        chosen = st.selectbox("Pixel range of the weights", PIXEL_RANGES, key="pixel range", persist_state="session")
        st.caption(
            "The range of pixel values that the weights were trained on. Only needed for a file without a JSON file "
            "beside it; a wrong one makes the features useless."
        )
    return PIXEL_RANGES[chosen]


def _choose(field: Field[Any], preset: str) -> Any:
    """The widget of one field, with its range."""
    title = field_title(field.name)
    key = f"{preset} {field.name}"
    limits = field.metadata
    default = PRESETS[preset].get(field.name, field.default)
    if options := limits["among"]:
        return st.selectbox(title, options, options.index(default), key=key, persist_state="session")
    # All in the type of the field: st.number_input refuses a mix of whole and other numbers.
    number: Any = field.type
    return st.number_input(
        title,
        number(limits["low"]),
        number(demo.max_value(field.name, limits["high"])),
        default,
        step=INPUT_STEPS.get(field.name),
        format="%g" if number is float else None,
        key=key,
        persist_state="session",
    )


def _fields_of(preset: str) -> dict[str, Field[Any]]:
    """The fields that the preset's mode uses."""
    mode = PRESETS[preset].get("mode", "head")
    return {field.name: field for field in fields(TrainConfig) if field.metadata and used_in(field, mode)}
