"""A model's card in words: its labels, data, weights and training, and the localization of its heat maps."""

from collections.abc import Iterator

import streamlit as st

from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.estimate import format_number, format_percent
from fracture.formatting import format_duration
from fracture.registry.card import Card, Data, Regions
from fracture.registry.metric_names import metric_title
from fracture.registry.validation import Localization, Pointing, ShareByChance
from fracture.training.config import LITE


def show_card(card: Card) -> None:
    """A line a topic, and the whole card folded away."""
    lines = [
        *_describe_labels(card),
        *_describe_data(card),
        *_describe_backbone(card),
        *_describe_training(card),
        *_describe_served_graph(card),
        *_describe_command(card),
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))
    with st.expander("Full card", icon=":material/data_object:", key="card"):
        st.json(card.document, expanded=1)


def _describe_labels(card: Card) -> Iterator[str]:
    negative, positive = map(escape_markdown, card.labels)
    yield f"**Labels:** *{negative}* and *{positive}*."


def _describe_data(card: Card) -> Iterator[str]:
    """The data sets with their counts, then their sources; older cards lack them."""
    data = card.data
    if data is None:
        return
    layout = f"layout {data.layout}"
    kind = f"synthetic, {layout}" if data.synthetic else layout
    images = f"{data.training_images:,} training and {data.validation_images:,} validation images"
    yield (
        f"**Data:** {escape_markdown(data.name)} ({kind}): {images}{_count_by_data(data)}"
        f"{_count_selection(data)}{_count_decisions(data)}; {len(data.unreadable)} unreadable."
    )
    for names in data.label_mappings:
        negative = escape_markdown(", ".join(names.negative))
        positive = escape_markdown(", ".join(names.positive))
        ignored = f"; left out: {escape_markdown(', '.join(names.ignore))}" if names.ignore else ""
        place = escape_markdown(names.data)
        yield f"**Labels of {place}** ({names.origin}): negative {negative}; positive {positive}{ignored}."
    if data.columns:
        columns = ", ".join(f"{role.replace('_', ' ')} {name}" for role, name in data.columns.items())
        yield f"**Table:** {escape_markdown(columns)}."
    for source in data.sources:
        name = escape_markdown(source.name)
        citation = escape_markdown(source.citation)
        terms = escape_markdown(source.licence)
        yield f"**Source:** *{name}*, {citation} (license: {terms})."


def _count_by_data(data: Data) -> str:
    """The training and validation images of each data set, where there are several."""
    by_data = data.by_data or {}
    if len(by_data) < 2:
        return ""
    counts = []
    for name, each in by_data.items():
        counts.append(f"{escape_markdown(name)} {each.get('train', 0):,} and {each.get('valid', 0):,}")
    return f" ({', '.join(counts)})"


def _count_selection(data: Data) -> str:
    """The training images that were held out to choose epoch and thresholds."""
    held_out = data.selection
    if held_out is None:
        return ""
    return f"; {held_out.images:,} selection images of {held_out.groups:,} patients or groups"


def _count_decisions(data: Data) -> str:
    """The images that people excluded or relabeled."""
    decided = {"excluded": data.excluded, "relabeled": data.relabelled}
    return "".join(f"; {count:,} {decision}" for decision, count in decided.items() if count)


def _describe_backbone(card: Card) -> Iterator[str]:
    """The backbone with its weights, and the input that it takes."""
    if card.weights is not None:
        trained = "fine-tuned" if card.config.get("mode") == "fine-tune" else "frozen"
        origin = escape_markdown(card.weights.origin)
        terms = escape_markdown(card.weights.licence)
        yield f"**Backbone:** {card.backbone}, {trained}; weights: {origin} (license: {terms})."
    size = card.input.size
    yield f"**Input:** {size} × {size} px, {card.input.fit}."


def _describe_training(card: Card) -> Iterator[str]:
    if card.seconds is None:
        return
    yield f"**Training:** {format_duration(card.seconds.total)}, {card.epochs_done} epochs; the run is {card.state}."


def _describe_served_graph(card: Card) -> Iterator[str]:
    """How far the 8-bit graph that answers is from the model that was trained."""
    trained = "head as trained" if _without_keras(card) else "Keras model"
    served = card.served
    if served is not None:
        sentence = (
            f"**Served graph:** 8-bit weights; on {served.images} validation images its probabilities differ from "
            f"those of the {trained} by at most {served.largest_probability_difference:.3f}"
        )
        if served.auc_keras is not None and served.auc_served is not None:
            sentence += f"; AUC {served.auc_served:.4f} against {served.auc_keras:.4f}"
        yield f"{sentence}."
    if _without_keras(card):
        yield "**No model.h5:** the head was trained without Keras, on the served graph."


def _without_keras(card: Card) -> bool:
    return card.weights is not None and card.weights.source == LITE


def _describe_command(card: Card) -> Iterator[str]:
    if card.command:
        yield f"**Command:** `{card.command}`"


def show_localization(card: Card, data: str) -> None:
    """The localization metrics of the heat maps, each beside its level of chance."""
    found = card.localization  # None where the data set has no boxes; older cards lack it
    if not found:
        st.caption("Localization was not measured: it needs validation images with boxes.")
        return
    left, right = st.columns(2)
    with left:
        _show_against_chance("pointing", found["pointing"])
    with right:
        _show_against_chance("mass", found["mass"])
    if not _better_than_chance(found["pointing"]):
        st.caption(
            ":material/warning: The pointing game shows no localization: its interval includes chance or the image "
            "center. Do not read these heat maps as locations."
        )
    sentences = [
        *_explain_localization(found, escape_markdown(card.labels[1]), escape_markdown(data)),
        *_explain_regions(card.regions),
    ]
    learn_more("learn localization", "\n".join(f"- {sentence}" for sentence in sentences))


def _show_against_chance(metric: str, share: ShareByChance) -> None:
    """One metric with its interval and its level of chance."""
    title = metric_title(metric)
    if share["value"] is None:
        st.metric(title, "not defined")
        return
    interval = "" if share["low"] is None else f"{share['low'] * 100:.1f} to {share['high']:.1%}; "
    beside = f"{interval}chance {share['chance']:.1%}"
    st.metric(title, f"{share['value']:.1%}", beside, delta_color="off", delta_arrow="off")


def _better_than_chance(pointing: Pointing) -> bool:
    lower_bound = pointing["low"] or 0.0
    return lower_bound > max(pointing["chance"] or 0.0, pointing["centre"])


def _explain_regions(regions: Regions | None) -> Iterator[str]:
    """The free-response figures of the candidate regions; none of an earlier version's card."""
    if regions is None:
        return
    measured = regions.free_response
    by_center = ", ".join(
        f"{format_percent(share)} at {false_boxes}" for false_boxes, share in measured["by_center"].items()
    )
    yield (
        f"Candidate regions, on {measured['images']:,} validation images with {measured['boxes']:,} true boxes: share "
        f"of the true boxes found, by the number of false boxes an image: {by_center}. A region finds a box where its "
        "center lies in it."
    )
    yield f"mAP50 (intersection over union of at least 0.5): {format_number(measured['map50'])}."


def _explain_localization(found: Localization, positive: str, data: str) -> Iterator[str]:
    pointing = found["pointing"]
    sampled = f" (a sample of {found['known']:,})" if found["known"] > found["images"] else ""
    yield (
        f"Pointing game: on {found['images']:,} {positive} validation images of *{data}* with known boxes{sampled}, "
        f"of {found['groups']:,} patients or groups, the peak of the heat map lies inside the box in "
        f"{format_percent(pointing)}. A random point would in {pointing['chance']:.1%}, the image center in "
        f"{pointing['centre']:.1%}."
    )
    if called := found.get("found"):
        hits = called["pointing"]
        yield (
            f"Of the {called['images']:,} images that the model calls {positive} at its balanced operating point, the "
            f"peak lies inside the box in {format_percent(hits)}; with a tolerance of 3% of the image in "
            f"{format_percent(hits['near'])}."
        )
    mass = found["mass"]
    if mass["value"] is not None:
        yield (
            f"Of the heat for {positive}, {format_percent(mass, 1)} lies inside the mask or box; evenly spread heat "
            f"would reach {mass['chance']:.1%}."
        )
    shuffled = found.get("shuffled_head") or {}
    if shuffled.get("correlation") is not None:
        yield (
            "Sanity check with shuffled weights of the head: the heat maps correlate with the original ones by "
            f"{shuffled['correlation']:.2f}, and their peak lies inside the box in {shuffled['pointing']:.1%}."
        )
    if found["flat"]:
        yield f"{found['flat']:,} of the heat maps are constant: they count as misses."
    if found["silent"]:
        yield f"{found['silent']:,} of the heat maps have no heat for {positive}."
