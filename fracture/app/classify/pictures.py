"""The picture of a view: its heat map, its candidate regions, and on request the truth."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.shared import state
from fracture.app.shared.heatmap_overlay import Place, heated, likeliest, marked_regions
from fracture.app.shared.images import show_picture
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.annotations import Box
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import Answer, Status

HEIGHT_PX = 500
"""Of a picture by itself: with the menu and the bar above it, it ends within the first 720 px."""

PRESENTED_HEIGHT_PX = 425
"""Of a picture in a presentation: with the controls of its heat map below it."""

_STATUS_WORDS = {Status.UNLIKE: "unlike the training images", Status.NO_RADIOGRAPH: "no X-ray"}


class Revealed(NamedTuple):
    """The truth about a view."""

    words: str
    boxes: tuple[Box, ...]
    """In px of the picture that is shown."""


Truths = Mapping[str, Revealed]
"""The truth by the name of the view; empty where it is not known or hidden."""


class Shown(NamedTuple):
    """What is drawn over the views of a study, and how large they are."""

    opacity: float
    """Of the heat map, 0 to 1."""
    scale: float
    """The heat that is drawn at full opacity, one for all views of a study."""
    truths: Truths
    hidden: bool = False
    """The visitor guesses first: neither heat map nor outcome is shown."""


class HeatControls:
    """The controls of the heat map: drawn once on a page, beside the first picture that has one."""

    def __init__(self) -> None:
        self._opacity: float | None = None

    def choose(self) -> float:
        """The opacity for all pictures; 0 where the heat map is switched off."""
        if self._opacity is None:
            self._opacity = self._draw()
        return self._opacity

    def _draw(self) -> float:
        is_off = state.HEAT_OFF.get()
        st.button(
            "Show heat map" if is_off else "Hide heat map",
            icon=":material/visibility:" if is_off else ":material/visibility_off:",
            key="heat map",
            shortcut="h",
            on_click=state.HEAT_OFF.set,
            args=(not is_off,),
        )
        opacity: float = st.slider(
            "Heat map opacity",
            0.0,
            1.0,
            0.4,
            0.05,
            key="opacity",
            persist_state="session",
            label_visibility="collapsed",
            width=160,
        )
        return 0.0 if is_off else opacity


def show_view(classifier: Classifier, answer: Answer, each: Examined, shown: Shown, height: int) -> None:
    """One view, at most ``height`` px high, with what is drawn over it; its name and its outcome below."""
    picture = _draw(classifier, answer, each, shown)
    truth = shown.truths.get(each.view.name)
    if truth:
        picture = charts.outlined(picture, truth.boxes)
    parts = _describe(answer, each, hidden=shown.hidden)
    caption = " · ".join(map(escape_markdown, parts))
    alt = " · ".join(parts)  # no Markdown: a screen reader would read its backslashes
    if _opacity(answer, each, shown):
        alt += ", with its heat map"
    rows, columns = each.pixels.shape
    with st.container(width=max(1, round(height * columns / rows))):  # narrower where the screen is
        show_picture(picture, alt, caption)


def describe_view(classifier: Classifier, answer: Answer, each: Examined, shown: Shown) -> list[str]:
    """What the model says of a view by itself, what is marked in it, and how it was read: captions."""
    captions = []
    truth = shown.truths.get(each.view.name)
    if truth:
        captions.append(f"**Truth:** {escape_markdown(truth.words)}.")
    if not shown.hidden:
        captions += _describe_answer(answer, each)
        captions.append(_describe_marks(answer, *_marks(classifier, answer, each, shown)))
    if each.steps:
        captions.append(f"Read from {each.format}: {', '.join(each.steps)}.")
    return [caption for caption in captions if caption]


def _opacity(answer: Answer, each: Examined, shown: Shown) -> float:
    """Without an answer there is nothing to explain."""
    return shown.opacity if answer.answers(each.view) and not shown.hidden else 0.0


def _draw(classifier: Classifier, answer: Answer, each: Examined, shown: Shown) -> Image.Image:
    ring, regions = _marks(classifier, answer, each, shown)
    picture = heated(classifier, each, _opacity(answer, each, shown), shown.scale, ring)
    return charts.boxed(picture, regions) if regions else picture


def _marks(
    classifier: Classifier, answer: Answer, each: Examined, shown: Shown
) -> tuple[Place | None, list[charts.LabeledBox] | None]:
    """The ring of a view or its candidate regions: only of one that is not negative, with a visible heat map."""
    if not _opacity(answer, each, shown) or answer.label_of(each.view) == answer.labels[0]:
        return None, None
    regions = marked_regions(classifier, each)
    ring = likeliest(classifier, each) if regions is None else None
    return ring, regions


def _describe_marks(answer: Answer, ring: Place | None, regions: list[charts.LabeledBox] | None) -> str:
    """The ring or the boxes of a view in words; empty where it has none."""
    positive = escape_markdown(answer.labels[1])
    if ring:
        return f"The ring marks the likeliest place: {positive} {ring.probability:.0%}."
    if regions is None:
        return ""
    if not regions:
        return "No candidate region reaches the high-sensitivity threshold of places."
    solid = ", ".join(region.text for region in regions if not region.dashed)
    dashed = ", ".join(region.text for region in regions if region.dashed)
    kinds = [f"{name} {texts}" for name, texts in (("solid", solid), ("dashed", dashed)) if texts]
    return f"Candidate regions, with the probability that each is *{positive}*: {'; '.join(kinds)}."


def _describe(answer: Answer, each: Examined, *, hidden: bool) -> list[str]:
    """The name of a view, with the probability in it or why there is none: parts of a line, not escaped."""
    outcome = _STATUS_WORDS.get(each.view.status, "")
    if answer.answers(each.view):
        outcome = f"{answer.labels[1]} {each.view.probability:.1%}"
    parts = [each.view.name]
    if not hidden:
        parts.append(outcome)
    if each.synthetic and not each.view.name.startswith("synthetic"):
        parts.append("synthetic")
    return parts


def _describe_answer(answer: Answer, each: Examined) -> list[str]:
    if not answer.answers(each.view):
        return []
    straight, *others = each.view.by_side
    # Of a clearly negative view the mirror image is not run.
    mirrored = "".join(f", mirrored {other:.1%}" for other in others)
    label = escape_markdown(in_words(answer.label_of(each.view)))
    return [f"{escape_markdown(answer.labels[1])}: {straight:.1%}{mirrored}. Answer for this view: {label}."]


def in_words(label: str) -> str:
    """An outcome in words."""
    return "in doubt" if label == "doubt" else label
