"""Every model's card: what it was trained on, how, and how good it is."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.widgets import (
    as_text,
    choose_model,
    duration,
    errors_in_words,
    in_words,
    no_model_hint,
    offer_delete,
    show_chart,
)
from fracture.classify.classifier import NOTICE
from fracture.classify.store import ModelFolder, read_card, read_predictions, write_zip

POINTS = {"half": "0.5", "balanced": "balanced"}


def figures(card: dict[str, Any]) -> None:
    """Each metric at each threshold, by image and by study, with its interval."""
    rows = []
    for level, values in card["metrics"].items():
        for name, point in values["points"].items():
            shown = {key.capitalize(): in_words(point[key]) for key in ("accuracy", "sensitivity", "specificity")}
            threshold = f"{point['threshold']:.2f} ({POINTS[name]})" if name != "half" else "0.50"
            rows.append({"By": level, "Number": values["count"], "Threshold": threshold, **shown})
    st.dataframe(rows, hide_index=True)
    image = card["metrics"]["image"]
    auc = image["auc"]
    interval = "" if auc["low"] is None else f" ({auc['low']:.3f} to {auc['high']:.3f})"
    st.caption(
        f"AUC by image {auc['value']:.3f}{interval}. In brackets 95 % intervals, by "
        f"bootstrap over {image['groups']} patients or groups. The balanced threshold and the kept "
        f"epoch ({card['kept_epoch']} of {card['epochs_done']}) were chosen on the same validation images, which "
        "flatters the figures a little."
    )


def localisation(card: dict[str, Any]) -> None:
    """Whether heat maps point at what is known to be there, and never without what chance alone would reach."""
    found = card.get("localisation")  # None where nothing is known; older cards lack it
    if not found:
        return
    st.subheader("Where its heat maps point")
    left, right = st.columns(2)
    with left:
        against_chance("Peak inside the box", found["pointing"])
    with right:
        against_chance("Heat inside the mask", found["mass"])
    st.caption(" ".join(pointing_in_words(found, as_text(card["labels"][1]))))


def against_chance(name: str, share: dict[str, Any]) -> None:
    """One figure, its interval, and what a map that knows nothing would reach."""
    if share["value"] is None:
        st.metric(name, "not defined")
        return
    interval = "" if share["low"] is None else f"{share['low'] * 100:.1f} to {share['high']:.1%}; "
    beside = f"{interval}chance {share['chance']:.1%}"
    st.metric(name, f"{share['value']:.1%}", beside, delta_color="off", delta_arrow="off")


def pointing_in_words(found: dict[str, Any], positive: str) -> Iterator[str]:
    pointing, mass, images = found["pointing"], found["mass"], f"{found['images']:,}"
    drawn_from = f" (drawn from {found['known']:,})" if found["known"] > found["images"] else ""
    yield (
        f"Of {images} {positive} validation images with known truth{drawn_from}, of {found['groups']:,} patients or "
        f"groups, the peak of the heat map lies inside the box in {in_words(pointing)}; "
        f"a random point would in {pointing['chance']:.1%}, the middle of the image in {pointing['centre']:.1%}."
    )
    if mass["value"] is not None:
        yield (
            f"Of the heat that speaks for {positive}, {in_words(mass, 1)} lies inside the mask of what is there; "
            f"spread evenly over the image it would be {mass['chance']:.1%}."
        )
    if found["flat"]:
        yield f"{found['flat']:,} of the maps are the same everywhere: they point nowhere, and count as misses."
    if found["silent"]:
        yield f"{found['silent']:,} of the maps speak for {positive} nowhere and have no such heat."
    if (pointing["low"] or 0) <= max(pointing["chance"], pointing["centre"]):
        yield "That is not shown to be better than chance and the image's middle: do not read these maps as places."


def plots(card: dict[str, Any], predictions: pd.DataFrame) -> None:
    labels = (card["labels"][0], card["labels"][1])
    point = st.segmented_control("Threshold", list(POINTS), default="balanced", required=True, format_func=POINTS.get)
    at = card["metrics"]["image"]["points"][point]
    left, right = st.columns(2)
    with left:
        show_chart(charts.confusion(at["confusion"], labels), "confusion", "Confusion matrix of the validation images")
    with right:
        curve = charts.roc(predictions["label"].to_numpy(), predictions["probability"].to_numpy(), at["threshold"])
        show_chart(curve, "roc", "ROC curve of the validation images")


def about(card: dict[str, Any]) -> None:
    data, weights, served = card["data"], card["weights"], card["served"]
    kind = f"{'synthetic, ' if data.get('synthetic') else ''}layout {data['layout']}"
    st.markdown(
        f"- **Says** *{card['labels'][0]}* or *{card['labels'][1]}*.\n"
        f"- **Data** {data['name']} ({kind}): {data['training_images']:,} training and "
        f"{data['validation_images']:,} validation images; {len(data['unreadable'])} could not be read.\n"
        f"- **Backbone** {card['backbone']}, frozen; weights: {weights['origin']} (licence {weights['licence']}).\n"
        f"- **Input** {card['input']['size']} × {card['input']['size']} px, {card['input']['fit']}.\n"
        f"- **Took** {duration(card['seconds']['total'])}, {card['epochs_done']} epochs; state {card['state']}.\n"
        f"- **Served graph** (8-bit weights) differs from the Keras model by at most "
        f"{served['largest_probability_difference']:.3f} in probability on {served['images']} validation images."
    )
    with st.expander("The whole card", icon=":material/data_object:"):
        st.json(card, expanded=1)


def zipped(folder: ModelFolder) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "model.zip"
        write_zip(folder, target)
        return target.read_bytes()


st.title("Models")
folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
with errors_in_words():
    card = read_card(folder)
    about(card)
    st.subheader("How good it is")
    figures(card)
    plots(card, read_predictions(folder))
    localisation(card)
with st.container(horizontal=True):
    st.download_button(
        "Download (zip)", lambda: zipped(folder), f"{folder.name}.zip", "application/zip",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    offer_delete(folder)
st.caption(NOTICE)
