"""Upload X-rays, each for itself or as the views of one study, and see what a model makes of them."""

import streamlit as st

from fracture.app.classify.result import show_answers
from fracture.app.classify.samples import choose_sample
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import Upload, choose_uploads
from fracture.app.shared.widgets import choose_model, ensure_routed, no_model_hint, show_errors
from fracture.inference.classifier import NOTICE, Classifier
from fracture.registry.model_folder import ModelFolder


def examine(uploads: list[Upload], classifier: Classifier) -> list[Examined]:
    """Each upload that can be read, with what the model says of it; a sentence for each that cannot."""
    examined = []
    for upload in uploads:
        with show_errors():
            examined.append(prediction_cache.examined(upload, classifier))
    return examined


def show_uploads(uploads: list[Upload], classifier: Classifier, folder: ModelFolder) -> None:
    """What the model says of the uploads."""
    joined = len(uploads) > 1 and st.toggle(
        "Join as views of one study",
        key="one study",
        help="Off, each file gets an answer of its own. On, the mean over all files is one answer: only for views of "
        "the same patient, taken at the same visit.",
    )
    if examined := examine(uploads, classifier):
        parts = [examined] if joined else [[each] for each in examined]
        studies = {f"study {number}": views for number, views in enumerate(parts, 1)}
        show_answers(classifier, folder, studies, len(uploads) if joined else 1, {})


def show_sample(number: int, classifier: Classifier, folder: ModelFolder, back: str) -> None:
    """What the model says of a synthetic study, and on request the truth."""
    views = prediction_cache.sample(number, classifier)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Synthetic study {number}** · no person was X-rayed for it", width="stretch")
        revealed = st.toggle("Reveal the truth", key=f"truth of {number}")
        st.button(
            back, icon=":material/close:", type="tertiary", key="clear sample",
            on_click=state.SAMPLE.set, args=(None,),
        )  # fmt: skip
    truths = {each.view.name: truth for each, truth in views} if revealed else {}
    show_answers(classifier, folder, {f"synthetic {number}": [each for each, _ in views]}, len(views), truths)


ensure_routed("classify")
st.title("Classify")
folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
with show_errors():
    classifier = prediction_cache.classifier(folder)
    if classifier.card.get("data", {}).get("synthetic"):
        st.caption(
            ":material/draw: It has learned from synthetic X-rays alone: what it says of real ones means little."
        )
    if classifier.familiarity is None:
        st.caption(
            ":material/help: It cannot tell whether an image is an X-ray at all, and answers whatever it is shown."
        )
    uploads = choose_uploads()
    sample = choose_sample(expanded=not uploads)
    if sample is not None:
        show_sample(sample, classifier, folder, "Back to my files" if uploads else "Put it aside")
    elif uploads:
        show_uploads(uploads, classifier, folder)
    else:
        negative, positive = classifier.labels
        st.caption(
            f"Drop one X-ray or several. The model answers *{negative}* or *{positive}* for each, or for one study."
        )
st.caption(NOTICE)
