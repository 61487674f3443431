"""The resume link of a public demo: a visitor who comes back finds the runs and data sets that they made.

The link holds the word that identifies the visitor (see :mod:`fracture.demo`), which is random; on disk is only its
hash. On arrival it leaves the address at once, so that a copied address never holds it. The first request still
holds it: the browser's history and the log of a proxy in front of the app may keep it.
"""

import logging

import streamlit as st

from fracture import demo
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.demo import Policy
from fracture.errors import FractureError

PARAMETER = "resume"


def arrive() -> None:
    """Take the word of a resume link out of the address, and keep it until the visitor presses *Resume*."""
    word = st.query_params.get(PARAMETER)
    if word is None:
        return
    del st.query_params[PARAMETER]
    if demo.is_public():
        state.RESUME_WORD.set(word)
        state.RESUME.set("asked" if _has_made(Policy(word)) else "unknown")


def offer_link() -> None:
    """The link after the visitor's first run or data set; a question or a sentence after one was opened.

    Nothing in a presentation: the class would see the link.
    """
    if not demo.is_public() or presenting.is_on():
        return
    progress = state.RESUME.get()
    if progress == "asked":
        _ask()
    elif progress in _SENTENCES:
        st.toast(_SENTENCES[progress], icon=":material/history:")
        state.RESUME.set("known" if progress == "resumed" else "")
    elif progress == "" and _has_made(state.policy()):
        _show_link()


_SENTENCES = {
    "resumed": "Welcome back: what you made here is yours again.",
    "unknown": "The runs and data sets of this resume link are deleted, or the link is incomplete.",
}


def _has_made(policy: Policy) -> bool:
    """Whether a visitor has made something; no where the folders can't be read, which the page itself shows."""
    try:
        return demo.made_by(policy)
    except FractureError as error:
        logging.getLogger(__name__).warning("The resume link is not offered: %s", error)
        return False


def _ask() -> None:
    """A link from somebody else would make its reader another visitor, so that nobody becomes one without a click."""
    with st.container(border=True, key="resume_question"):
        st.markdown(
            ":material/history: **Resume this visit?** The resume link that you opened makes you the visitor who "
            "made it. Resume only by a link of your own."
        )
        with st.container(horizontal=True):
            st.button("Resume", icon=":material/check:", type="primary", key="resume visit", on_click=_resume)
            st.button("Don't resume", key="decline visit", on_click=_decline)


def _resume() -> None:
    state.VISITOR.set(state.RESUME_WORD.pop())
    state.RESUME.set("resumed")


def _decline() -> None:
    state.RESUME_WORD.pop()
    state.RESUME.set("")


def _show_link() -> None:
    hours = demo.LIMITS.retention_seconds / 3600
    with st.container(border=True, key="resume_link"):
        st.markdown(
            f":material/bookmark: **Resume link.** It brings you back to what you made here, for {hours:.0f} hours. "
            "Keep it to yourself: whoever has it may change your runs. It stands on every page until you close it."
        )
        with st.container(horizontal=True):
            menu = st.popover("Show resume link", icon=":material/link:", key="show resume link", on_change="rerun")
            st.button(
                "Close", icon=":material/check:", key="close resume link", on_click=state.RESUME.set, args=("known",)
            )
        if menu.open:
            word = state.VISITOR.get()
            menu.code(f"{st.context.url or ''}?{PARAMETER}={word}", language=None, wrap_lines=True)
