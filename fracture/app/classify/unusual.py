"""What is unusual about an upload, and one click to change it."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import change_upload
from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.viewing.changes import PictureChanges
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import Answer, Status
from fracture.inference.suggestions import Suggestion, suggest
from fracture.inference.unusual import Explanation

_ICONS = {"invert": ":material/invert_colors:"}


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
    """A button for each change that an upload suggests: it is then classified again. Nothing for other images.

    ``study``: a part of the buttons' keys.
    """
    for number, each in enumerate(views):
        # Nothing is said of what is no radiograph, and a sample can't be changed.
        if not each.source or each.view.status is Status.NO_RADIOGRAPH:
            continue
        made = state.picture_changes().get(each.source, PictureChanges())
        suggestions = suggest(each.pixels, each.size, made)
        if suggestions:
            _show_buttons(each, suggestions, f"{study} {number}", named=len(views) > 1)


def _show_buttons(each: Examined, suggestions: Sequence[Suggestion], place: str, *, named: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
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
