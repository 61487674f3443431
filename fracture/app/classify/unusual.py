"""What is unusual about an upload, and one click to change it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from fracture.app.classify.viewing import open_viewer
from fracture.app.shared import state
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import change_upload
from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.viewing.changes import PictureChanges
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import Answer, Status
from fracture.inference.suggestions import Suggestion, suggest
from fracture.inference.unusual import Explanation

_ICONS = {"invert": ":material/invert_colors:", "rotate": ":material/rotate_right:"}


def warn_of_unusual(answer: Answer, explained: list[Explanation]) -> None:
    """What is unusual about a study that is answered all the same; for others it stands above the answer."""
    if answer.status is not Status.ANSWERED:
        return
    unusual = dict.fromkeys(words for each in explained for words in each.unusual)
    if unusual:
        st.caption(f":material/warning: Unusual, compared with FracAtlas's X-rays: {'; '.join(unusual)}.")


def describe_unlike(classifier: Classifier, explained: list[Explanation]) -> str:
    """That a study is unlike the training images, which of them it is nearest to, and what is unusual about it."""
    parts: Counter[str] = Counter()
    for each in explained:
        parts.update(dict(each.parts))
    unusual = dict.fromkeys(words for each in explained for words in each.unusual)
    study = Explanation(tuple(parts.most_common()), tuple(unusual))
    name = escape_markdown(classifier.name)
    sentences = [f"This X-ray is out of distribution: unlike the X-rays that {name} learned from."]
    if study.parts:
        sentences.append(f"The most similar of them show: {study.parts_in_words}.")
    if study.unusual:
        sentences.append(f"Unusual, compared with FracAtlas's X-rays: {study.unusual_in_words}.")
    return " ".join(sentences)


def offer_changes(views: Sequence[Examined], study: str) -> None:
    """Buttons that change an upload, which is then classified again: what it suggests, or all for what is no X-ray.

    Nothing for a sample, which can't be changed. ``study``: a part of the buttons' keys.
    """
    for number, each in enumerate(views):
        if not each.source:
            continue
        made = state.picture_changes().get(each.source, PictureChanges())
        place = f"{study} {number}"
        if each.view.status is Status.NO_RADIOGRAPH:
            _offer_all_changes(each, made, place, named=len(views) > 1)
        elif suggestions := suggest(each.pixels, each.size, made):
            _show_buttons(each, suggestions, place, named=len(views) > 1)


def _offer_all_changes(each: Examined, made: PictureChanges, place: str, *, named: bool) -> None:
    """What makes an X-ray of a photo of a film."""
    st.markdown("Is it a photo of a film? Crop it to the X-ray, rotate it, or invert it: it is then classified again.")
    turned = replace(made, quarter_turns=made.quarter_turns + 1)
    inverted = replace(made, invert=not made.invert)
    changes = (Suggestion("rotate", "Rotate picture", turned), Suggestion("invert", "Invert picture", inverted))
    with st.container(horizontal=True):
        st.button(
            "Crop picture",
            icon=":material/crop:",
            key=f"crop {place}",
            on_click=open_viewer,
            args=(each.source,),
        )
        _show_buttons(each, changes, place, named=named)


def _show_buttons(each: Examined, suggestions: Sequence[Suggestion], place: str, *, named: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        if named:
            st.markdown(escape_markdown(each.view.name), width="content")
        for suggestion in suggestions:
            st.button(
                suggestion.label,
                icon=_ICONS.get(suggestion.key, ":material/crop:"),
                key=f"{suggestion.key} {place}",
                on_click=change_upload,
                args=(each.source, suggestion.changes),
            )
