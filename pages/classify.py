"""Upload X-rays, each by itself or as the views of one study, and classify them by a model."""

import streamlit as st

from fracture.app.classify.answering import Asked, show_best_answers
from fracture.app.classify.privacy import propose_studies, warn_of_text
from fracture.app.classify.samples import choose_sample
from fracture.app.classify.viewing import offer_undo, show_open_sample, show_open_viewer
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.uploads import Upload, choose_uploads
from fracture.app.shared.widgets import (
    choose_models,
    ensure_routed,
    escape_markdown,
    no_model_hint,
    page_head,
    show_errors,
)
from fracture.inference.classifier import NOTICE, Classifier
from fracture.inference.radiograph_check import load_screen

Examinations = dict[str, prediction_cache.Examined]
"""An upload by the name of the model that examined it."""


def examine(uploads: list[Upload], asked: list[Asked]) -> list[tuple[Upload, Examinations]]:
    """The uploads that can be read, with the predictions of each model; a sentence for each that cannot."""
    screen = load_screen([each.classifier for each in asked], prediction_cache.classifier)
    seen: list[tuple[Upload, Examinations]] = [(upload, {}) for upload in uploads]
    for each in asked:  # model by model: few are in memory at a time
        name = each.classifier.name
        for upload, by_model in seen:
            with show_errors():
                by_model[name] = prediction_cache.examined(upload, each.classifier)
        seen = [(upload, by_model) for upload, by_model in seen if name in by_model]
    examined = []
    for upload, by_model in seen:
        with show_errors():
            examined.append((upload, prediction_cache.screened(upload, by_model, screen)))
    return examined


def show_uploads(uploads: list[Upload], asked: list[Asked]) -> None:
    """The answers for the uploads."""
    joined = len(uploads) > 1 and st.toggle(
        "Views of one study",
        key="one study",
        help="Off: one answer per file. On: one answer, the mean over all files; only for views of the same patient at "
        "the same visit.",
    )
    parts = [uploads] if joined else propose_studies(uploads)
    examined = dict(examine(uploads, asked))
    offer_undo([upload for upload in uploads if upload.changes and upload not in examined])
    warn_of_text(examined)
    names = [each.classifier.name for each in asked]
    studies = {}
    counts = {}
    for part in parts:
        views = [examined[upload] for upload in part if upload in examined]
        if views:
            study = f"study {len(studies) + 1}"
            studies[study] = {name: [each[name] for each in views] for name in names}
            counts[study] = len(part)
    if studies:
        show_best_answers(asked, studies, counts, {})


def show_sample(number: int, asked: list[Asked], uploads: list[Upload]) -> None:
    """The answer for a synthetic study, and on request the truth."""
    by_model = {each.classifier.name: prediction_cache.sample(number, each.classifier) for each in asked}
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
    views = next(iter(by_model.values()))
    truths = {each.seen.name: truth for each, truth in views} if revealed else {}
    examined = {name: [each for each, _ in found] for name, found in by_model.items()}
    study = f"synthetic {number}"
    show_best_answers(asked, {study: examined}, {study: len(views)}, truths)
    show_open_sample(each for each, _ in views)


def format_labels(classifier: Classifier) -> str:
    """The two words that a model answers with."""
    negative, positive = classifier.labels
    return f"*{negative}* or *{positive}*"


def describe(classifier: Classifier) -> None:
    """What a visitor must know of a model before an answer: adjustments, synthetic training data, a missing check."""
    if classifier.adjusted:
        st.caption(f":material/tune: {escape_markdown(classifier.adjusted)} The page *Models* undoes it.")
    trained_on = classifier.card.data
    if trained_on is not None and trained_on.synthetic:
        st.caption(
            ":material/draw: This model was trained on synthetic X-rays only: don't rely on its answers for real ones."
        )
    if classifier.ood_detector is None:
        st.caption(
            ":material/help: This model has no out-of-distribution check: it answers for X-rays of any body part."
        )


ensure_routed("classify")
with page_head("Classify"):
    folders = choose_models()
if not folders:
    no_model_hint()
    st.stop()
with show_errors():
    asked = [Asked(folder, prediction_cache.adjusted_classifier(folder)) for folder in folders]
    for each in asked:
        describe(each.classifier)
    # Each model's answers are cached: with more, every click would classify all files again.
    uploads = choose_uploads(prediction_cache.MAX_EXAMINED // len(asked))
    if not uploads:
        prediction_cache.forget_uploads()
    sample = choose_sample(expanded=not uploads)
    if sample is not None:
        show_sample(sample, asked, uploads)
    elif uploads:
        show_uploads(uploads, asked)
        show_open_viewer(uploads)
    else:
        answers = [f"{each.classifier.name} answers {format_labels(each.classifier)}" for each in asked]
        st.caption(f"Upload one or more X-rays. {', '.join(answers)}.")
st.caption(NOTICE)
