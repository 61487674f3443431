"""The answer for a study in one strong line, with the limits between outcomes; or why there is none."""

import zlib
from collections.abc import Sequence

import numpy as np
import streamlit as st

from fracture.app.classify.unusual import describe_unlike
from fracture.app.shared.images import show_verdict
from fracture.app.shared.prediction_cache import Examined
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import DOUBT, STATUS_SENTENCES, Answer, Status
from fracture.inference.unusual import Explanation


def ask(classifier: Classifier, views: Sequence[Examined], explained: list[Explanation], study: str) -> Answer:
    """The answer for a study; for one that is unlike the training images, why, and an answer only on request."""
    seen = [each.view for each in views]
    answer = classifier.answer(seen)
    if answer.status is not Status.UNLIKE:
        return answer
    st.warning(describe_unlike(classifier, explained), icon=":material/help:")
    # By what the model sees, too: the next upload is study 1 again.
    key = f"answer unlike {zlib.crc32(np.stack([view.embedding for view in seen]).tobytes())} {study}"
    wanted = st.toggle(
        "Answer anyway",
        key=key,
        help="The answer is outside of what the model was validated on: its probabilities and rates don't hold there.",
    )
    return classifier.answer(seen, answer_unlike=wanted)


def show_answer(answer: Answer, uploaded: int) -> None:
    """The outcome, the probability, and the limits between outcomes.

    ``uploaded``: of how many views the study is; some of them may not have been readable.
    """
    if answer.status is Status.NO_RADIOGRAPH:
        st.warning(STATUS_SENTENCES[Status.NO_RADIOGRAPH], icon=":material/hide_image:")
    if not answer.answered:
        return
    show_verdict(answer)
    if answer.status is Status.UNLIKE:
        st.badge("not validated for such images", color="red", icon=":material/warning:")
    st.markdown(f"{_basis(answer, uploaded)}{_reason(answer)}")


def identify(classifier: Classifier, views: Sequence[Examined]) -> str:
    """Another one for each model and for whatever it sees: other files, frames, changes, or views joined."""
    embeddings = np.stack([each.seen.embedding for each in views])
    files = [f"{each.source} {each.seen.name}" for each in views]
    return f"{classifier.name} {files} {zlib.crc32(embeddings.tobytes())}"


def _basis(answer: Answer, uploaded: int) -> str:
    """How many views the answer is the mean of; empty for one upload."""
    if uploaded == 1:
        return ""
    counted = len(answer.counted)
    readable = len(answer.views)
    basis = f"From {counted} of {uploaded} views. "
    if readable == uploaded:
        basis = f"Mean of {counted} views. "
    if counted < readable:
        basis += f"{readable - counted} left out: unlike the training images, or no X-ray. "
    return basis


def _reason(answer: Answer) -> str:
    """On which side of the limits the probability lies."""
    low, high = answer.limits.describe()
    if answer.outcome == DOUBT:
        return f"Between {low} and {high} the model does not decide."
    if answer.outcome == "positive":
        return f"From {high} the answer is *{answer.labels[1]}*."
    return f"Below {low} the answer is *{answer.labels[0]}*."
