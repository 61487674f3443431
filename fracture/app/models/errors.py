"""Where a model was most surely wrong: the worst validation images, with heat maps and, where known, the truth."""

from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.shared import dataset_cache, prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.images import show_picture
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, format_threshold, show_errors
from fracture.data.digests import digests
from fracture.errors import FractureError
from fracture.imaging.annotations import parse_boxes
from fracture.inference.classifier import Classifier
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import ValidationResult

PER_PAGE = 8
OPACITY = 0.4
NOTABLE = 0.1
"""A difference in probability that the 8-bit weights of the served graph do not explain."""

KINDS = {"alarms": "False positives", "missed": "False negatives"}


def worst(predictions: pd.DataFrame, threshold: float, kind: str) -> pd.DataFrame:
    """The images on the wrong side of a threshold, the surest first; ``kind``: ``alarms`` or ``missed``."""
    label, called = predictions["label"] == 1, predictions["probability"] >= threshold
    wrong = ~label & called if kind == "alarms" else label & ~called
    return predictions[wrong].sort_values("probability", ascending=kind == "missed", kind="stable")


@st.fragment
@show_errors()  # within: what a fragment raises does not reach its caller
def show_misclassified(folder: ModelFolder, card: Card, judged: ValidationResult) -> None:
    """The gallery, behind a switch: its images are looked at only when somebody asks for them."""
    st.header("Its worst errors")
    images = dataset_cache.images_of(card.document)
    if images.empty:
        st.caption(f"The data set *{escape_markdown(judged.data)}* is not on this machine: its images cannot be shown.")
        return
    if not st.toggle("Show the images it was most surely wrong about", key="errors shown"):
        return
    threshold = float(card["thresholds"]["balanced"])
    predictions = prediction_cache.scored(folder, "image", judged.only)
    errors = {kind: worst(predictions, threshold, kind) for kind in KINDS}
    first = next((kind for kind in KINDS if len(errors[kind])), "alarms")
    kind = st.segmented_control(
        "Kind of error", list(KINDS), default=first, required=True, label_visibility="collapsed",
        key=f"kind {folder.version} {judged.only}",
        format_func=lambda kind: f"{KINDS[kind]} ({len(errors[kind]):,})",
    )  # fmt: skip
    shown = _page(errors[kind], f"page of {kind} {folder.version} {judged.only}")
    if shown.empty:
        st.caption(f"There are none at the balanced operating point ({format_threshold(threshold)}).")
        return
    recorded = shown["sha256"] != ""
    if not recorded.all():
        st.caption(_unrecorded(shown[~recorded], folder, card))
    _gallery(_with_files(shown[recorded], images), folder, card)


def _unrecorded(shown: pd.DataFrame, folder: ModelFolder, card: Card) -> str:
    """Why images are not shown whose files the model's predictions do not tell."""
    data = escape_markdown(str(card.get("config", {}).get("data", "PATH")))
    return (
        f"{len(shown):,} cannot be shown: the predictions name the images, but not which files they were. "
        "If they are unchanged, this adds it: python -m fracture evaluate --model "
        f"{escape_markdown(folder.name)} --data {data}"
    )


def _page(errors: pd.DataFrame, key: str) -> pd.DataFrame:
    pages = -(-len(errors) // PER_PAGE)
    page = st.pagination(pages, key=key) if pages > 1 else 1
    return errors.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]


def _with_files(shown: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The errors with what the data sets know of them now; ``path`` is empty where the file is gone, or another one."""
    known = images[["image_id", "path", "label", "width", "boxes"]]
    found = shown.merge(known, "left", "image_id", suffixes=("", "_now")).fillna({"path": "", "boxes": ""})
    same = pd.Series(digests(found["path"].tolist()), found.index) == found["sha256"]
    return found.assign(path=found["path"].where(same, ""))


def _gallery(found: pd.DataFrame, folder: ModelFolder, card: Card) -> None:
    """Each image that is still there, all heat on one scale; a sentence on each that is not."""
    model, examined, gone = prediction_cache.classifier(folder), {}, []
    with st.spinner("Looking at the images", show_time=False):
        for _, row in found.iterrows():
            try:
                examined[row["image_id"]] = _look(row, model, folder)
            except FractureError:
                gone.append(row["image_id"])
    full = full_heat(model, examined.values())
    with st.grid(4, min_column_width=150):
        for _, row in found[found["image_id"].isin(list(examined))].iterrows():
            name = row["image_id"]
            with st.container():
                each = examined[name]
                _show(row, each, heated(model, each, OPACITY, full, likeliest(model, each)), model.labels)
    if gone:
        st.caption(
            f"No longer in the data set, not readable, or another file now: {', '.join(map(escape_markdown, gone))}."
        )
    exact = any(each.synthetic for each in examined.values())
    doubts = "" if exact else f" Some *{escape_markdown(card['labels'][0])}* may be wrong labels: look."
    point = format_threshold(card["thresholds"]["balanced"])
    st.caption(
        f"By image, at the balanced operating point ({point}), in the order of how "
        f"sure it was. {heat_in_words(model)} A yellow outline is where the data set says that something is.{doubts}"
    )


def _look(row: "pd.Series[Any]", model: Classifier, folder: ModelFolder) -> Examined:
    if not row["path"]:
        raise FractureError(f"{row['image_id']} is no longer there.")
    return prediction_cache.examined_file(row["path"], model, folder.version)


def _show(row: "pd.Series[Any]", examined: Examined, picture: Image.Image, labels: tuple[str, str]) -> None:
    boxed = charts.outlined(picture, parse_boxes(row["boxes"]), picture.width / max(row["width"], 1))
    show_picture(boxed, f"{row['image_id']}, with its heat map")
    st.markdown(
        f"**{escape_markdown(labels[1])} {row['probability']:.1%}**, truth: "
        f"{escape_markdown(labels[int(row['label'])])}"
    )
    st.caption(
        escape_markdown(" · ".join(filter(None, [row["image_id"], row.get("body_part", ""), *_changes(row, examined)])))
    )


def _changes(row: "pd.Series[Any]", examined: Examined) -> list[str]:
    """What is no longer as it was when the model was validated."""
    said = []
    if row["label"] != row["label_now"]:
        said.append("its label has been changed since")
    if abs(examined.view.probability - row["probability"]) > NOTABLE:
        said.append(f"the model now says {examined.view.probability:.1%}")
    return said
