"""What is asked: a sample or uploads, with the switches for them, and what a visitor must know of the models."""

from collections.abc import Sequence

import streamlit as st

from fracture.app.classify.answering import Asked, ByModel, show_best_answers
from fracture.app.classify.pictures import HeatControls
from fracture.app.classify.privacy import propose_studies, warn_of_text
from fracture.app.classify.result import Presentation, Stage
from fracture.app.classify.samples import Sample, follow_link, offer_next_unseen, offer_other_samples
from fracture.app.classify.viewing import offer_undo, show_open_sample
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import Upload
from fracture.app.shared.widgets import escape_markdown, linked_name, show_errors
from fracture.inference.classifier import Classifier
from fracture.inference.radiograph_check import load_screen

Examinations = dict[str, Examined]
"""An upload by the name of the model that examined it."""


def read_links() -> None:
    """The sample that a link names, and whether it wants the answers hidden (``?hide=1``) or not (``?hide=0``).

    Both leave the address: what the visitor chooses later would make it wrong, and a reload would undo the choice.
    """
    follow_link()
    wanted = linked_name("hide")
    if wanted in ("0", "1"):
        state.GUESSING.set(wanted == "1")
    for parameter in ("sample", "hide"):
        if parameter in st.query_params:
            del st.query_params[parameter]


def show_sample(sample: Sample, asked: Sequence[Asked], stage: Stage, *, back: bool) -> None:
    """The answer for a sample, and on request the truth. ``back``: there are uploads to return to."""
    views = next(iter(sample.by_model.values()))
    with stage.controls:
        st.markdown(f"**{sample.title}** · {sample.source}")
        revealed = st.toggle("Reveal truth", key=f"truth of {state.SAMPLE.get()}")
        guessing = _choose_guessing()
        st.button(
            "Back to uploads" if back else "Clear sample",
            icon=":material/close:",
            type="tertiary",
            key="clear sample",
            on_click=state.SAMPLE.set,
            args=("",),
        )
    truths = sample.truths if revealed else {}
    presentation = Presentation(HeatControls(), truths, guessing, sample.finding, state.SAMPLE.get())
    show_best_answers(asked, {sample.study: sample.by_model}, {sample.study: len(views)}, presentation, stage)
    if guessing:
        with stage.verdict:
            offer_next_unseen()
    show_open_sample(views)


def show_uploads(uploads: list[Upload], asked: Sequence[Asked], stage: Stage) -> None:
    """The answers for the uploads."""
    with stage.controls:
        guessing = _choose_guessing()
        joined = len(uploads) > 1 and st.toggle(
            "Views of one study",
            key="one study",
            help="Off: one answer per file. On: one answer, the mean over all files; only for views of the same "
            "patient at the same visit.",
        )
        parts = [uploads] if joined else propose_studies(uploads)
        examined = dict(_examine(uploads, asked))
        offer_undo([upload for upload in uploads if upload.changes and upload not in examined])
        warn_of_text(examined)
    names = [each.classifier.name for each in asked]
    studies: dict[str, ByModel] = {}
    counts: dict[str, int] = {}
    for part in parts:
        views = [examined[upload] for upload in part if upload in examined]
        if views:
            study = f"study {len(studies) + 1}"
            studies[study] = {name: [each[name] for each in views] for name in names}
            counts[study] = len(part)
    if studies:
        show_best_answers(asked, studies, counts, Presentation(HeatControls(), {}, guessing), stage)


def describe_choice(asked: Sequence[Asked], stage: Stage) -> None:
    """What there is to choose, before anything is chosen."""
    answers = [f"{each.classifier.name} answers {_format_labels(each.classifier)}" for each in asked]
    with stage.verdict:
        st.markdown(f"Choose a sample, or upload one or more X-rays. {', '.join(answers)}.")
        if len(asked) > 1:
            st.caption("*Automatic* asks these models. The one that knows the X-ray best answers; two, if it is close.")
        st.caption(
            "Uploads stay in memory, and only you see them. They are deleted when you remove all of them or close "
            "this tab."
        )
        offer_other_samples()


def describe_models(asked: Sequence[Asked], stage: Stage) -> None:
    """What a visitor must know of a model: adjustments, synthetic training data, a missing check."""
    with stage.reasons:
        for each in asked:
            _describe(each.classifier)


def _describe(classifier: Classifier) -> None:
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


def _format_labels(classifier: Classifier) -> str:
    """The two words that a model answers with."""
    negative, positive = classifier.labels
    return f"*{negative}* or *{positive}*"


def _choose_guessing() -> bool:
    """A switch that hides the answers, for a class that guesses first."""
    guessing: bool = st.toggle(
        "Hide answer",
        key=state.GUESSING.key,
        persist_state="session",
        on_change=state.SHOWN_ANSWERS.set,
        args=((),),
        help="Guess first: each answer is hidden until you ask for it.",
    )
    return guessing


def _examine(uploads: list[Upload], asked: Sequence[Asked]) -> list[tuple[Upload, Examinations]]:
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
