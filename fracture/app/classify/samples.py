"""Synthetic X-rays to try a model on, for a visitor who has none."""

import streamlit as st

from fracture.app.shared import prediction_cache, state
from fracture.app.shared.images import show_picture
from fracture.phantoms.samples import sample_numbers


def choose_sample(expanded: bool) -> int | None:
    """A row of synthetic studies, others on request; the number of the selected one."""
    numbers = state.SAMPLES.get() or _first_samples()
    pictures = prediction_cache.sample_thumbnails(tuple(numbers))
    # Another key folds it when an upload comes: under the same key the browser would keep it open, above the answer.
    key = "samples offered" if expanded else "samples folded"
    with st.expander("Try a synthetic X-ray", expanded=expanded, icon=":material/draw:", key=key):
        with st.grid(6, min_column_width=90):
            for number, picture in zip(numbers, pictures, strict=True):
                with st.container():
                    _offer(number, picture)
        st.button(
            "Show other samples",
            icon=":material/refresh:",
            type="tertiary",
            key="other samples",
            on_click=_generate_others,
        )
    return state.SAMPLE.get()


def _offer(number: int, picture: bytes) -> None:
    """A synthetic study and the button that selects it."""
    show_picture(picture, f"Synthetic radiograph {number}", width=120)
    selected = number == state.SAMPLE.get()
    st.button(
        str(number),
        key=f"sample {number}",
        width="stretch",
        type="primary" if selected else "secondary",
        on_click=state.SAMPLE.set,
        args=(number,),
        help=f"Classify synthetic study {number}",
    )


@st.cache_data(show_spinner=False)
def _first_samples() -> list[int]:
    """The same row for every visitor: generating one takes a second, and so much memory that few fit at once."""
    return sample_numbers()


def _generate_others() -> None:
    state.SAMPLE.set(None)
    state.SAMPLES.set(sample_numbers())
