"""The resume link of a public demo: a visitor who comes back finds the runs and data sets that they made.

The link holds the word that identifies the visitor (see :mod:`fracture.demo`), which is random and stands nowhere
else: on disk is only its hash. It is shown until the visitor closes it, and on arrival it leaves the address at once,
so that a copied address never holds it.
"""

import streamlit as st

from fracture import demo
from fracture.app.shared import state
from fracture.demo import Policy

PARAMETER = "resume"


def arrive() -> None:
    """Become the visitor whose resume link was opened. Call it before anything asks who the visitor is."""
    word = st.query_params.get(PARAMETER)
    if word is None:
        return
    del st.query_params[PARAMETER]
    if not demo.is_public():
        return
    if demo.made_by(Policy(word)):
        state.VISITOR.set(word)
        state.RESUME.set("resumed")
    else:
        state.RESUME.set("unknown")


def offer_link() -> None:
    """The link, once after the visitor's first run or data set; or a sentence after one was opened."""
    if not demo.is_public():
        return
    progress = state.RESUME.get()
    if progress in _SENTENCES:
        st.toast(_SENTENCES[progress], icon=":material/history:")
        state.RESUME.set("known" if progress == "resumed" else "")
    elif progress == "" and demo.made_by(state.policy()):
        _show_link()


_SENTENCES = {
    "resumed": "Welcome back: what you made here is yours again.",
    "unknown": "What this resume link belonged to is deleted, or the link is incomplete.",
}


def _show_link() -> None:
    hours = demo.LIMITS.retention_seconds / 3600
    with st.container(border=True, key="resume_link"):
        st.markdown(
            f":material/bookmark: **Resume link.** It brings you back to what you made here, for {hours:.0f} hours. "
            "Keep it to yourself: whoever has it may change your runs. It is shown once."
        )
        st.code(f"{st.context.url or ''}?{PARAMETER}={state.VISITOR.get()}", language=None, wrap_lines=True)
        st.button("Close", icon=":material/check:", key="close resume link", on_click=state.RESUME.set, args=("known",))
