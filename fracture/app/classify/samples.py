"""Synthetic X-rays to try a model on, where a visitor has none."""

import streamlit as st

from fracture.app.shared import prediction_cache, state
from fracture.app.shared.images import show_picture
from fracture.phantoms.samples import sample_numbers


def choose_sample(expanded: bool) -> int | None:
    """A row of synthetic studies, others on request; the number of the one that was chosen."""
    numbers = state.SAMPLES.get() or _first_samples()
    offered = st.expander(
        "Nothing at hand? Try a synthetic X-ray", expanded=expanded, icon=":material/draw:", key="samples offered"
    )
    with offered:
        with st.grid(6, min_column_width=90):
            for number, picture in zip(numbers, prediction_cache.sample_thumbnails(tuple(numbers)), strict=True):
                with st.container():
                    _offer(number, picture)
        st.button("Draw others", icon=":material/refresh:", type="tertiary", key="other samples", on_click=_draw_others)
    return state.SAMPLE.get()


def _offer(number: int, picture: bytes) -> None:
    """A synthetic study and the button that chooses it."""
    show_picture(picture, f"Synthetic radiograph {number}", width=120)
    chosen = number == state.SAMPLE.get()
    st.button(
        str(number),
        key=f"sample {number}",
        width="stretch",
        type="primary" if chosen else "secondary",
        on_click=state.SAMPLE.set,
        args=(number,),
        help=f"Ask the model about synthetic study {number}",
    )


@st.cache_data(show_spinner=False)
def _first_samples() -> list[int]:
    """What every visitor is shown first: to draw a row takes a second, and so much memory that few fit at once."""
    return sample_numbers()


def _draw_others() -> None:
    state.SAMPLE.set(None)
    state.SAMPLES.set(sample_numbers())
