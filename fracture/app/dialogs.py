"""Whether a dialog is open: drawing the whole page anew would close it, and lose what is typed in it."""

import streamlit as st

_KEY = "dialog open"


def dialog_open() -> bool:
    """Whether the visitor has a dialog before them."""
    return _KEY in st.session_state


def open_dialog() -> None:
    """Note that one is being opened."""
    st.session_state[_KEY] = True


def close_dialog() -> None:
    """Whatever was open is so no longer: it was dismissed, or the whole page is being drawn anew."""
    st.session_state.pop(_KEY, None)
