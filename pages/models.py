"""One model: its card, results and errors, a comparison with others, and how it does on other data."""

import streamlit as st

from fracture.app.models.calibration import show_calibration_to_radiographs
from fracture.app.models.card import show_card, show_localization
from fracture.app.models.compare import show_comparison
from fracture.app.models.errors import show_misclassified
from fracture.app.models.external import show_external_validation
from fracture.app.models.results import choose_result, show_body_parts, show_calibration, show_results
from fracture.app.models.threshold import show_operating_point
from fracture.app.shared.widgets import (
    choose_model,
    ensure_routed,
    link,
    no_model_hint,
    offer_delete,
    offer_zip,
    page_head,
    show_errors,
)
from fracture.inference.classifier import NOTICE
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.registry.validation import validation_results


def show_model(folder: ModelFolder) -> None:
    """All sections of a model."""
    card = read_card(folder)
    first = validation_results(card)[0].data
    show_card(card)
    st.header("Validation results")
    result, level = choose_result(card)
    show_results(card, result, level)
    st.header("Operating point")
    show_operating_point(folder, card, result, level)
    show_body_parts(result.metrics["image"])
    show_calibration(card, result.metrics[level])
    show_localization(card, first)
    show_misclassified(folder, card, result)
    show_comparison(folder, result, level)
    show_external_validation(folder, card)
    show_calibration_to_radiographs(folder, card)


ensure_routed("models")
with page_head("Models"):
    folder = choose_model()
link("runs", "Compare runs", ":material/compare_arrows:")
if folder is None:
    no_model_hint()
    st.stop()
with show_errors():
    show_model(folder)
with st.container(horizontal=True):
    offer_zip(folder)
    if not folder.bundled:
        offer_delete(folder)
st.caption(NOTICE)
