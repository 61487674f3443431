"""Upload X-rays, each by itself or as the views of one study, and classify them by a model."""

import streamlit as st

from fracture.app.classify.result import show_answers
from fracture.app.classify.samples import choose_sample
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import Upload, choose_uploads
from fracture.app.shared.widgets import choose_model, ensure_routed, escape_markdown, no_model_hint, show_errors
from fracture.inference.classifier import NOTICE, Classifier
from fracture.registry.model_folder import ModelFolder


def examine(uploads: list[Upload], classifier: Classifier) -> list[Examined]:
    """The prediction for each upload that can be read; a sentence for each that cannot."""
    examined = []
    for upload in uploads:
        with show_errors():
            examined.append(prediction_cache.examined(upload, classifier))
    return examined


def show_uploads(uploads: list[Upload], classifier: Classifier, folder: ModelFolder) -> None:
    """The answers for the uploads."""
    joined = len(uploads) > 1 and st.toggle(
        "Views of one study",
        key="one study",
        help="Off: one answer per file. On: one answer, the mean over all files; only for views of the same patient at "
        "the same visit.",
    )
    examined = examine(uploads, classifier)
    if not examined:
        return
    parts = [examined] if joined else [[each] for each in examined]
    studies = {f"study {number}": views for number, views in enumerate(parts, 1)}
    show_answers(classifier, folder, studies, len(uploads) if joined else 1, {})


def show_sample(number: int, classifier: Classifier, folder: ModelFolder, uploads: list[Upload]) -> None:
    """The answer for a synthetic study, and on request the truth."""
    views = prediction_cache.sample(number, classifier)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Synthetic study {number}** · not from a patient", width="stretch")
        revealed = st.toggle("Reveal truth", key=f"truth of {number}")
        st.button(
            "Back to uploads" if uploads else "Clear sample",
            icon=":material/close:",
            type="tertiary",
            key="clear sample",
            on_click=state.SAMPLE.set,
            args=(None,),
        )
    truths = {each.view.name: truth for each, truth in views} if revealed else {}
    examined = [each for each, _ in views]
    show_answers(classifier, folder, {f"synthetic {number}": examined}, len(views), truths)


ensure_routed("classify")
st.title("Classify")
folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
with show_errors():
    classifier = prediction_cache.adjusted_classifier(folder)
    if classifier.adjusted:
        st.caption(f":material/tune: {escape_markdown(classifier.adjusted)} The page *Models* undoes it.")
    trained_on = classifier.card.data
    if trained_on is not None and trained_on.synthetic:
        st.caption(
            ":material/draw: This model was trained on synthetic X-rays only: don't rely on its answers for real ones."
        )
    if classifier.ood_detector is None:
        st.caption(
            ":material/help: This model has no out-of-distribution check: it answers for any image, X-ray or not."
        )
    uploads = choose_uploads()
    sample = choose_sample(expanded=not uploads)
    if sample is not None:
        show_sample(sample, classifier, folder, uploads)
    elif uploads:
        show_uploads(uploads, classifier, folder)
    else:
        negative, positive = classifier.labels
        st.caption(f"Upload one or more X-rays. The model answers *{negative}* or *{positive}*.")
st.caption(NOTICE)
