"""What a model is, in words: what it was made from, and whether its heat maps point at anything."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from fracture.app.shared.widgets import duration, escape_markdown, format_percent
from fracture.registry.card import Card
from fracture.training.config import LITE


def show_origin(card: Card) -> None:
    """What it says, of what, and from what it was made."""
    st.markdown("\n".join(f"- {line}" for line in _origin(card)))
    with st.expander("The whole card", icon=":material/data_object:"):
        st.json(card.document, expanded=1)


def _origin(card: Card) -> Iterator[str]:
    """A line a topic, as far as the card knows it."""
    negative, positive = map(escape_markdown, card["labels"])
    yield f"**Says** *{negative}* or *{positive}*."
    if data := card.get("data"):
        kind = f"{'synthetic, ' if data.get('synthetic') else ''}layout {data.get('layout', 'unknown')}"
        yield (
            f"**Data** {escape_markdown(str(data['name']))} ({kind}): {data['training_images']:,} training and "
            f"{data['validation_images']:,} validation images{_apart(data)}; "
            f"{len(data.get('unreadable', []))} could not be read{_decided(data)}."
        )
        for source in data.get("sources", []):
            name, citation, licence = (escape_markdown(source[key]) for key in ("name", "citation", "licence"))
            yield f"**{name}** {citation} (licence: {licence})."
    if weights := card.get("weights"):
        trained = "trained further" if card.get("config", {}).get("mode") == "fine-tune" else "frozen"
        yield (
            f"**Backbone** {card.get('backbone', 'unknown')}, {trained}; weights: "
            f"{escape_markdown(str(weights['origin']))} "
            f"(licence {escape_markdown(str(weights['licence']))})."
        )
    yield f"**Input** {card['input']['size']} × {card['input']['size']} px, {card['input']['fit']}."
    if card.seconds:
        yield (
            f"**Took** {duration(card.seconds.total)}, {card.get('epochs_done')} epochs; "
            f"state {card.get('state', 'unknown')}."
        )
    if served := card.get("served"):
        both = served.get("auc_keras") is not None
        aucs = f"; AUC {served['auc_served']:.4f} against {served['auc_keras']:.4f}" if both else ""
        largest, images = served["largest_probability_difference"], served["images"]
        trained = "head as it was trained" if _without_keras(card) else "Keras model"
        yield (
            f"**Served graph** (8-bit weights) differs from the {trained} by at most "
            f"{largest:.3f} in probability on {images} validation images{aucs}."
        )
    if _without_keras(card):
        yield "**No model.h5**: the head was trained without Keras, on the graph that answers."
    if command := card.get("command"):
        yield f"**Made by** `{command}`"


def _without_keras(card: Card) -> bool:
    return bool((card.get("weights") or {}).get("source") == LITE)


def _decided(data: dict[str, Any]) -> str:
    """How many images people decided about."""
    counted = {"left out": data.get("excluded"), "given another label": data.get("relabelled")}
    return "".join(f", {count:,} were {what} by decision" for what, count in counted.items() if count)


def _apart(data: dict[str, Any]) -> str:
    """How many of each data set, where there are several."""
    counted = data.get("by_data") or {}
    parts = [
        f"{escape_markdown(name)} {each.get('train', 0):,} and {each.get('valid', 0):,}"
        for name, each in counted.items()
    ]
    return f" ({', '.join(parts)})" if len(parts) > 1 else ""


def show_localisation(card: Card, data: str) -> None:
    """Whether heat maps point at what is known to be there, and never without what chance alone would reach."""
    found = card.get("localisation")  # None where nothing is known; older cards lack it
    if not found:
        return
    st.header("Where its heat maps point")
    left, right = st.columns(2)
    with left:
        _against_chance("Peak inside the box", found["pointing"])
    with right:
        _against_chance("Heat inside box or mask", found["mass"])
    st.caption(" ".join(_pointing_in_words(found, escape_markdown(card["labels"][1]), escape_markdown(data))))


def _against_chance(name: str, share: dict[str, Any]) -> None:
    """One figure, its interval, and what a map that knows nothing would reach."""
    if share["value"] is None:
        st.metric(name, "not defined")
        return
    interval = "" if share["low"] is None else f"{share['low'] * 100:.1f} to {share['high']:.1%}; "
    beside = f"{interval}chance {share['chance']:.1%}"
    st.metric(name, f"{share['value']:.1%}", beside, delta_color="off", delta_arrow="off")


def _pointing_in_words(found: dict[str, Any], positive: str, data: str) -> Iterator[str]:
    pointing, mass, images = found["pointing"], found["mass"], f"{found['images']:,}"
    drawn_from = f" (drawn from {found['known']:,})" if found["known"] > found["images"] else ""
    yield (
        f"Of {images} {positive} validation images of *{data}* with known truth{drawn_from}, of "
        f"{found['groups']:,} patients or groups, the peak of the heat map lies inside the box in "
        f"{format_percent(pointing)}; a random point would in {pointing['chance']:.1%}, the middle of the image in "
        f"{pointing['centre']:.1%}."
    )
    if called := found.get("found"):
        inside, near = called["pointing"], called["pointing"]["near"]
        yield (
            f"Of the {called['images']:,} among them that the model calls {positive} at its balanced point, it is "
            f"{format_percent(inside)}, and {format_percent(near)} where a miss by 3 % of the image counts as well."
        )
    if mass["value"] is not None:
        yield (
            f"Of the heat that speaks for {positive}, {format_percent(mass, 1)} lies inside the mask or box of what is "
            f"there; spread evenly over the image it would be {mass['chance']:.1%}."
        )
    shuffled = found.get("shuffled_head") or {}
    if shuffled.get("correlation") is not None:
        yield (
            f"With the head's weights shuffled, maps correlate with these by {shuffled['correlation']:.2f} and their "
            f"peak lies inside the box in {shuffled['pointing']:.1%}: what is beyond that, the head has learned."
        )
    if found["flat"]:
        yield f"{found['flat']:,} of the maps are the same everywhere: they point nowhere, and count as misses."
    if found["silent"]:
        yield f"{found['silent']:,} of the maps speak for {positive} nowhere and have no such heat."
    if (pointing["low"] or 0) <= max(pointing["chance"], pointing["centre"]):
        yield "That is not shown to be better than chance and the image's middle: do not read these maps as places."
