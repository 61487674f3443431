"""A visitor's guess before the model's answer is shown, and a tally of who was right in this session."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import streamlit as st

from fracture.app.shared import state
from fracture.inference.prediction import Answer

FRACTURE = "fractur"
"""In the positive label of a model that looks for fractures alone: *fracture*, *fractured*."""


class Finding(NamedTuple):
    """What is really in a study."""

    fractured: bool
    abnormal: bool | None
    """Whether there is anything abnormal, such as a fracture or hardware; None where it is not known."""

    def label_for(self, labels: tuple[str, str]) -> bool | None:
        """Whether the positive one of a model's labels is right; None where it is not known."""
        if FRACTURE in labels[1].casefold():
            return self.fractured
        return self.abnormal


class Guess(NamedTuple):
    """A guess, whose model and truth are kept: the tally then needs no other answer."""

    positive: bool
    model: bool | None
    """The model's answer; None where it was in doubt."""
    truth: bool | None
    """None where it is not known."""


class Tally(NamedTuple):
    """How many guesses on studies of known truth were right."""

    right: int
    model_right: int
    total: int


def is_shown(identity: str) -> bool:
    """Whether the visitor has guessed or asked for an answer, named by ``identity``, while answers are hidden."""
    return identity in state.SHOWN_ANSWERS.get() or identity in state.guesses()


def note_seen(sample: str) -> None:
    """Remember that the answer for a sample, or its truth, has been shown; an upload, named ``""``, has no truth."""
    if sample:
        state.seen_answers().add(sample)


def next_unseen(samples: Sequence[str], sample: str) -> str | None:
    """The sample after this one whose answer has not been seen, in a circle; None where all have been seen."""
    after = samples.index(sample) + 1 if sample in samples else 0
    seen = state.seen_answers()
    in_order = chain(samples[after:], samples[:after])
    return next((each for each in in_order if each not in seen), None)


def show_hidden(answer: Answer, identity: str, study: str, finding: Finding | None, sample: str) -> None:
    """A button for each label, to guess, and one that shows the model's answer without a guess.

    Args:
        answer: the hidden one.
        identity: what names it.
        study: a part of the buttons' keys.
        finding: what is really there; None where it is not known.
        sample: the one that is shown; empty for an upload.
    """
    if sample in state.seen_answers():
        st.markdown("You have seen the answer or the truth: another guess does not count.")
    else:
        _offer_guesses(answer, identity, study, finding, sample)
    st.button(
        "Show answer",
        icon=":material/visibility:",
        type="tertiary",
        key=f"show answer {study}",
        on_click=_show,
        args=(identity, sample),
    )


def show_guess(answer: Answer, identity: str) -> None:
    """The visitor's guess with the truth, and the tally; nothing where the visitor asked for the answer instead."""
    guess: Guess | None = state.guesses().get(identity)
    if guess is None:
        return
    words = f"You decided *{_word(answer, guess.positive)}*"
    if guess.truth is None:
        st.markdown(f"{words}.")
        return
    verdict = "right" if guess.positive == guess.truth else "wrong"
    st.markdown(f"{words}: {verdict}. The truth is *{_word(answer, guess.truth)}*.")
    tally = count_right(state.guesses().values())
    with st.container(key=f"tally {identity}"):
        st.markdown(f"**You {tally.right} of {tally.total} · model {tally.model_right} of {tally.total}**")
    if guess.model is None:
        st.caption("A model in doubt is not right.")


def count_right(guesses: Iterable[Guess]) -> Tally:
    """Of the guesses on studies of known truth: how often the visitor and how often the model was right."""
    known = [guess for guess in guesses if guess.truth is not None]
    right = sum(guess.positive == guess.truth for guess in known)
    model_right = sum(guess.model == guess.truth for guess in known)
    return Tally(right, model_right, len(known))


def _offer_guesses(answer: Answer, identity: str, study: str, finding: Finding | None, sample: str) -> None:
    negative, positive = answer.labels
    st.markdown(f"*{positive.capitalize()}* or *{negative}*? Decide, then see the model's answer.")
    truth = finding.label_for(answer.labels) if finding else None
    guesses = {"positive": Guess(True, _called(answer), truth), "negative": Guess(False, _called(answer), truth)}
    with st.container(horizontal=True):
        for name, guess in guesses.items():
            label = _word(answer, guess.positive).capitalize()
            st.button(label, key=f"guess {name} {study}", on_click=_guess, args=(identity, guess, sample))


def _guess(identity: str, guess: Guess, sample: str) -> None:
    state.guesses()[identity] = guess
    _show(identity, sample)


def _show(identity: str, sample: str) -> None:
    """Show the answer. The sample is seen at once: the other of two models that answer may be drawn before this one."""
    state.SHOWN_ANSWERS.set((*state.SHOWN_ANSWERS.get(), identity))
    note_seen(sample)


def _called(answer: Answer) -> bool | None:
    """The model's answer as a label; None where it is in doubt."""
    return {"positive": True, "negative": False}.get(answer.outcome)


def _word(answer: Answer, positive: bool) -> str:
    return answer.labels[int(positive)]
