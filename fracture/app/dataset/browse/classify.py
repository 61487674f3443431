"""An image of a data set as the upload on Classify, and the model's answer beside it."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from fracture.app.shared import prediction_cache
from fracture.app.shared.images import show_verdict_bar
from fracture.app.shared.uploads import classify_file
from fracture.app.shared.widgets import default_model, escape_markdown, show_errors
from fracture.inference.prediction import DOUBT, STATUS_SENTENCES, Answer


def offer_classify(
    row: "pd.Series[Any]",
    key: str,
    label: str = "Classify this image",
    *,
    kind: Literal["secondary", "tertiary"] = "secondary",
    width: Literal["content", "stretch"] = "content",
) -> None:
    """A button that opens Classify with this image, as if it had been uploaded there."""
    if st.button(label, key=key, type=kind, width=width, help="Opens this image on Classify."):
        with show_errors():
            classify_file(Path(row["path"]))


def show_model_answer(path: Path) -> None:
    """What the visitor's model, or else the default one, says of an image; nothing where there is no model."""
    chosen = default_model()
    if chosen is None:
        st.caption("There is no model yet.")
        return
    with show_errors():
        model = prediction_cache.adjusted_classifier(chosen[0])
        answer = model.answer([prediction_cache.examined_file(path, model).view])
        _show_answer(answer, chosen[0].name)


def _show_answer(answer: Answer, model: str) -> None:
    if not answer.answered:
        st.info(STATUS_SENTENCES[answer.status], icon=":material/help:")
        return
    outcome = "In doubt" if answer.outcome == DOUBT else answer.label.capitalize()
    st.markdown(
        f"**{escape_markdown(outcome)}**, {answer.probability:.1%} *{escape_markdown(answer.labels[1])}* "
        f"by {escape_markdown(model)}"
    )
    show_verdict_bar(answer)
