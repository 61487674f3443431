"""The most confident errors: misclassified validation images, with heat maps and, where known, the true boxes."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.shared import dataset_cache, prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.images import show_picture
from fracture.app.shared.metrics import show_table
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data.measurements import digests
from fracture.errors import FractureError
from fracture.formatting import format_threshold
from fracture.imaging.annotations import parse_boxes
from fracture.inference.classifier import Classifier
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import ValidationResult

ERRORS_PER_PAGE = 8
_OPACITY = 0.4
MAX_SERVED_DIFFERENCE = 0.1
"""The 8-bit weights of the served graph do not explain a larger difference in probability."""

ERROR_KINDS = {"false positives": "False positives", "false negatives": "False negatives"}


def worst(predictions: pd.DataFrame, threshold: float, kind: str) -> pd.DataFrame:
    """The images on the wrong side of a threshold, most confident first; ``kind``: of :data:`ERROR_KINDS`."""
    positive = predictions["label"] == 1
    called = predictions["probability"] >= threshold
    if kind == "false positives":
        return predictions[~positive & called].sort_values("probability", ascending=False, kind="stable")
    return predictions[positive & ~called].sort_values("probability", kind="stable")


@st.fragment
@show_errors()  # inside the fragment: its caller does not see what a fragment raises
def show_misclassified(folder: ModelFolder, card: Card, result: ValidationResult) -> None:
    """The tab Errors: wrong labels that are known, and the gallery of the most confident errors."""
    _show_label_notes(folder, card, result)
    images = dataset_cache.training_images(card)
    if images.empty:
        st.caption(f"The data set *{escape_markdown(result.data)}* is not on this machine, so its images are missing.")
        return
    threshold = card.thresholds["balanced"]
    predictions = prediction_cache.scored(folder, "image", result.only)
    errors = {kind: worst(predictions, threshold, kind) for kind in ERROR_KINDS}
    default = next((kind for kind in ERROR_KINDS if len(errors[kind])), "false positives")
    kind = st.segmented_control(
        "Kind of error",
        list(ERROR_KINDS),
        default=default,
        required=True,
        label_visibility="collapsed",
        key=f"error kind {folder.version} {result.only}",
        persist_state="session",
        format_func=lambda kind: f"{ERROR_KINDS[kind]} ({len(errors[kind]):,})",
    )
    shown = _choose_page(errors[kind], f"error page {kind} {folder.version} {result.only}")
    if shown.empty:
        st.caption(f"There are none at the balanced operating point ({format_threshold(threshold)}).")
        return
    recorded = shown["sha256"] != ""
    if not recorded.all():
        st.caption(_describe_unrecorded(shown[~recorded], folder, card))
    _show_gallery(_find_files(shown[recorded], images), folder, card)


def _show_label_notes(folder: ModelFolder, card: Card, result: ValidationResult) -> None:
    """The validation studies whose labels are wrong by what their radiographs show; nothing where none is known."""
    if not card.label_notes:
        return
    shows = {note.study: note.shows for note in card.label_notes}
    studies = prediction_cache.scored(folder, "study", result.only)
    noted = studies[studies["study"].isin(list(shows))].sort_values("probability", ascending=False)
    if noted.empty:
        return
    rows = []
    for study, label, probability in zip(noted["study"], noted["label"], noted["probability"], strict=True):
        row = {
            "Study": escape_markdown(study).replace("/", "/\u200b"),  # a phone breaks the line there
            "Label in the data set": escape_markdown(card.labels[label]),
            "The radiographs show": escape_markdown(shows[study]),
            f"Probability of {escape_markdown(card.labels[1])}": f"{probability:.1%}",
        }
        rows.append(row)
    st.markdown(f"**Wrong labels:** studies whose radiographs contradict the label of the data set ({len(noted):,})")
    show_table(rows)
    st.caption("The metrics follow the data set's labels all the same.")


def _describe_unrecorded(shown: pd.DataFrame, folder: ModelFolder, card: Card) -> str:
    """The reason why images without a recorded file are not shown."""
    data = escape_markdown(card.config.get("data", "PATH"))
    return (
        f"{len(shown):,} images are not shown: the predictions do not record which files they belong to. "
        "If the files are unchanged, this command adds them: python -m fracture evaluate --model "
        f"{escape_markdown(folder.name)} --data {data}"
    )


def _choose_page(errors: pd.DataFrame, key: str) -> pd.DataFrame:
    pages = math.ceil(len(errors) / ERRORS_PER_PAGE)
    page = st.pagination(pages, key=key, persist_state="session") if pages > 1 else 1
    first = (page - 1) * ERRORS_PER_PAGE
    return errors.iloc[first : first + ERRORS_PER_PAGE]


def _find_files(shown: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The errors with the current values of the data set; ``path`` is empty where the file is gone or was replaced."""
    known = images[["image_id", "path", "label", "width", "boxes"]]
    found = shown.merge(known, "left", "image_id", suffixes=("", "_now"))
    found = found.fillna({"path": "", "boxes": ""})
    current = pd.Series(digests(found["path"].tolist()), found.index)
    unchanged = current == found["sha256"]
    return found.assign(path=found["path"].where(unchanged, ""))


def _show_gallery(found: pd.DataFrame, folder: ModelFolder, card: Card) -> None:
    """Each image that is still there, all heat maps on one scale; then the names of the missing ones."""
    model = prediction_cache.classifier(folder)
    examined: dict[str, Examined] = {}
    missing = []
    with st.spinner("Running the model on the images", show_time=False):
        for _, row in found.iterrows():
            try:
                examined[row["image_id"]] = _examine(row, model)
            except FractureError:
                missing.append(escape_markdown(row["image_id"]))
    scale = full_heat(model, examined.values())
    with st.grid(4, min_column_width=150):
        for _, row in found[found["image_id"].isin(list(examined))].iterrows():
            each = examined[row["image_id"]]
            picture = heated(model, each, _OPACITY, scale, likeliest(model, each))
            with st.container():
                _show_image(row, each, picture, model.labels)
    if missing:
        st.caption(f"Missing, unreadable or replaced since the validation: {', '.join(missing)}.")
    synthetic = any(each.synthetic for each in examined.values())
    negative = escape_markdown(card.labels[0])
    doubts = "" if synthetic else f" Some *{negative}* may be wrong labels."
    point = format_threshold(card.thresholds["balanced"])
    st.caption(
        f"By image, at the balanced operating point ({point}), most confident first. {heat_in_words(model)} Yellow: "
        f"boxes of the data set.{doubts}"
    )


def _examine(row: "pd.Series[Any]", model: Classifier) -> Examined:
    if not row["path"]:
        raise FractureError(f"{row['image_id']} is no longer there.")
    return prediction_cache.examined_file(Path(row["path"]), model)


def _show_image(row: "pd.Series[Any]", examined: Examined, picture: Image.Image, labels: tuple[str, str]) -> None:
    scale = picture.width / max(row["width"], 1)
    boxed = charts.outlined(picture, parse_boxes(row["boxes"]), scale)
    show_picture(boxed, f"{row['image_id']}, with its heat map")
    positive = escape_markdown(labels[1])
    truth = escape_markdown(labels[int(row["label"])])
    st.markdown(f"**{positive} {row['probability']:.1%}**, truth: {truth}")
    details = [row["image_id"], row.get("body_part", ""), *_changes(row, examined)]
    st.caption(escape_markdown(" · ".join(each for each in details if each)))


def _changes(row: "pd.Series[Any]", examined: Examined) -> list[str]:
    """Differences from the validation."""
    changes = []
    if row["label"] != row["label_now"]:
        changes.append("label changed since")
    if abs(examined.view.probability - row["probability"]) > MAX_SERVED_DIFFERENCE:
        changes.append(f"the model now says {examined.view.probability:.1%}")
    return changes
