"""Presenting: larger type and charts, no menu, and the arrow keys for the next thing.

``?present=1`` begins it, and so does the switch beside the menu. It holds on all pages until it is ended, and the
address says so: a reload or a link presents, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from fracture.app.shared import state

PARAMETER = "present"

_keys = st.components.v2.component(
    "fracture_keys", js=Path(__file__).with_name("keys.js").read_text(encoding="utf-8"), isolate_styles=False
)


@dataclass(frozen=True)
class Steps:
    """What the arrow keys step through on a page."""

    noun: str
    """Of one of them, such as ``sample``."""
    position: int
    """Of the one that is shown, from 0; -1 where none is shown yet."""
    count: int
    show: Callable[[int], None]
    """Shows the one at a position: the callback of a button."""
    ends: bool = False
    """There is nothing before the first one and after the last one; else they go around."""


def is_on() -> bool:
    """Whether this visitor presents."""
    return bool(state.PRESENTING.get())


def follow_address() -> None:
    """Begin presenting where the address asks for it on arrival; afterwards the address follows the switch."""
    if state.PRESENTING.get() is None:
        state.PRESENTING.set(st.query_params.get(PARAMETER) == "1")
    if is_on() and st.query_params.get(PARAMETER) != "1":
        st.query_params[PARAMETER] = "1"
    elif not is_on():
        st.query_params.pop(PARAMETER, None)


def offer() -> None:
    """The switch that begins presenting."""
    st.button(
        "Present",
        icon=":material/slideshow:",
        type="tertiary",
        key="present",
        help="Larger type, no menu, arrow keys for the next image, section or page",
        on_click=state.PRESENTING.set,
        args=(True,),
    )


def offer_steps(noun: str, position: int, count: int, show: Callable[[int], None], *, ends: bool = False) -> None:
    """Let the arrow keys of a presentation step through a page's samples, images or epochs; see :class:`Steps`.

    Without it, and beyond an end, they lead to the next section of a page, then to the next page.
    """
    if is_on() and count > 1:
        state.STEPS.set(Steps(noun, position, count, show, ends))


def draw_page_buttons(page: StreamlitPage, sections: Sequence[Sequence[StreamlitPage]]) -> None:
    """The pages before and after this one, in a circle, the list of all, and the end of the presentation."""
    pages = [each for section in sections for each in section]
    addresses = [each.url_path for each in pages]
    place = addresses.index(page.url_path) if page.url_path in addresses else 0
    _draw_page_button("previous", pages[place - 1])
    # Between the two, whose titles would read as one phrase. A key for each page: the menu of another page is another
    # one, and closed.
    with st.popover("Pages", icon=":material/menu:", type="tertiary", key=f"present_pages {page.url_path}"):
        _draw_menu(sections)
    _draw_page_button("next", pages[(place + 1) % len(pages)])
    st.button("End", icon=":material/close:", type="tertiary", key="end_presenting", on_click=_end)
    _keys(key="present_keys")


def _draw_page_button(direction: str, target: StreamlitPage) -> None:
    _draw_button(direction, "page", target.title, state.NEXT_PAGE.set, target.url_path)


def _draw_menu(sections: Sequence[Sequence[StreamlitPage]]) -> None:
    """A column for each section: in one column, the last pages would lie below the edge of the menu."""
    with st.container(key="present_menu", horizontal=True):
        for section in sections:
            with st.container(width="content"):
                for each in section:
                    st.page_link(each, query_params={PARAMETER: "1"})


def draw_step_buttons() -> None:
    """The buttons of what the page steps through; the arrow keys press these where they are."""
    if steps := state.STEPS.get():
        _draw_steps(steps)


def draw_steps(noun: str, position: int, count: int, show: Callable[[int], None]) -> None:
    """What :func:`offer_steps` offers, drawn at this place: for a fragment, which repeats itself without the bar."""
    if is_on() and count > 1:
        _draw_steps(Steps(noun, position, count, show))


def _draw_steps(steps: Steps) -> None:
    around = {"previous": (max(steps.position, 0) - 1) % steps.count, "next": (steps.position + 1) % steps.count}
    for direction, target in around.items():
        label = f"{direction.capitalize()} {steps.noun}"
        at_end = steps.position == (0 if direction == "previous" else steps.count - 1)
        _draw_button(direction, "step", label, steps.show, target, disabled=steps.ends and at_end)
    if steps.position >= 0:
        st.caption(f"{steps.position + 1:,} of {steps.count:,}", width="content")


def _draw_button(
    direction: str, kind: str, label: str, callback: Callable[..., None], argument: object, *, disabled: bool = False
) -> None:
    forward = direction == "next"
    st.button(
        label,
        icon=f":material/arrow_{'forward' if forward else 'back'}:",
        icon_position="right" if forward else "left",
        type="secondary" if kind == "step" else "tertiary",
        key=f"{direction}_{kind}",
        on_click=callback,
        args=(argument,),
        disabled=disabled,
    )


def _end() -> None:
    state.PRESENTING.set(False)
