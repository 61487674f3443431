"""Everything around a page, drawn by the router once for all pages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException
from streamlit.navigation.page import StreamlitPage

from fracture.app.shared import state
from fracture.app.shared.frame import presenting, resume, terms

STYLE = Path(__file__).with_name("style.css")
"""The only style sheet of the pages: for presenting, and for the heights of pictures."""


def menu_position() -> Literal["top", "hidden"]:
    """Where the menu stands; a presentation has none."""
    return "hidden" if presenting.is_on() else "top"


def turn_page(pages: Sequence[StreamlitPage]) -> None:
    """Go to the page that a button of the presentation has asked for."""
    asked = state.NEXT_PAGE.pop()
    for page in pages:
        if page.url_path == asked:
            st.switch_page(page, query_params={presenting.PARAMETER: "1"})


@contextmanager
def framed(page: StreamlitPage, sections: Sequence[Sequence[StreamlitPage]]) -> Iterator[None]:
    """Draw what surrounds a page; the page itself runs within. ``sections``: those of the menu, in its order.

    What every page needs is drawn before it: after ``st.stop()`` nothing can be drawn any more.
    """
    st.html(STYLE)
    state.STEPS.pop()
    bar = _draw_bar(page, sections) if presenting.is_on() else None
    if bar is None:
        _draw_tools(page)
    resume.offer_link()
    yield
    if bar is not None:
        with bar:
            presenting.draw_step_buttons()


def _draw_bar(page: StreamlitPage, sections: Sequence[Sequence[StreamlitPage]]) -> DeltaGenerator:
    bar = st.container(key="presenting", horizontal=True, vertical_alignment="center")
    with bar:
        presenting.draw_page_buttons(page, sections)
        _offer_lesson(page)
    return bar


def _draw_tools(page: StreamlitPage) -> None:
    """The terms and the switch, in the line of the menu."""
    with st.container(key="page_tools", horizontal=True, vertical_alignment="center"):
        _offer_lesson(page)
        terms.show_terms(page.url_path or "home")
        presenting.offer()


def _offer_lesson(page: StreamlitPage) -> None:
    """The way back to the lesson, once a step of it was begun; in few letters, for a phone."""
    step = state.LESSON.get()
    if step is None or not state.predictions() or page.url_path == "lesson":
        return
    with suppress(StreamlitAPIException):  # a page that is run alone can't open another one
        st.page_link("pages/lesson.py", label=f"Step {step + 1}", icon=":material/school:", width="content")
