"""The place to judge and compare models: how good, how sure, where wrong, and made from what."""

import streamlit as st

from fracture.app.models.card import show_localisation, show_origin
from fracture.app.models.compare import show_comparison
from fracture.app.models.errors import show_misclassified
from fracture.app.models.results import choose_judged, show_body_parts, show_figures, show_reliability
from fracture.app.models.threshold import show_operating_point
from fracture.app.shared.widgets import (
    choose_model,
    ensure_routed,
    no_model_hint,
    offer_delete,
    offer_zip,
    show_errors,
)
from fracture.inference.classifier import NOTICE
from fracture.registry.model_folder import ModelFolder, read_card


def judge(folder: ModelFolder) -> None:
    """From what it is to how good it is, where it fails, and how others do."""
    card = read_card(folder)
    show_origin(card)
    st.header("How good it is")
    judged, level = choose_judged(card)
    show_figures(card, judged, level)
    st.header("What if it were stricter, or more cautious?")
    show_operating_point(folder, card, judged, level)
    show_body_parts(judged.metrics["image"])
    first = card.validation_results[0].data
    show_reliability(judged.metrics[level], card["labels"][1], card.get("temperature"), first)
    show_localisation(card, first)
    show_misclassified(folder, card, judged)
    show_comparison(folder, judged, level)


ensure_routed("models")
st.title("Models")
folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
with show_errors():
    judge(folder)
with st.container(horizontal=True):
    offer_zip(folder)
    if not folder.bundled:
        offer_delete(folder)
st.caption(NOTICE)
