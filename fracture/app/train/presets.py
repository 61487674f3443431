"""The cards of the form: the head, fine-tuning, or every setting by hand, with what each will take here."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture.app.shared import state
from fracture.app.shared.widgets import left_out
from fracture.app.train.cost import time_place

CUSTOM = "custom"
"""The card that opens all settings; it is no preset itself."""

CARDS = {
    "reference": (
        "Head",
        "Trains one new layer on the features of a network that has seen many images. The best first run.",
    ),
    "fine-tune": (
        "Fine-tune",
        "Trains the upper blocks of the network, too. Usually the better model, and the longer run.",
    ),
    CUSTOM: ("Custom", "Opens every setting, in four groups, from either of the two presets."),
}
"""The title and the sentence of each card."""


def choose_card() -> tuple[str, dict[str, DeltaGenerator]]:
    """The chosen card, and a place on each preset's card for its estimate."""
    offered = list(CARDS)
    if left_out("fine-tuning"):
        offered.remove("fine-tune")
    if state.PRESET.get() not in offered:
        state.PRESET.set(offered[0])
    chosen = state.PRESET.get()
    places = {}
    for card, column in zip(offered, st.columns(len(offered)), strict=True):
        with column, st.container(border=True, height="stretch", key=f"card {card}", gap="xsmall"):
            _show_card(card, chosen)
            if card != CUSTOM:
                places[card] = time_place()
    return chosen, places


def _show_card(card: str, chosen: str) -> None:
    title, sentence = CARDS[card]
    is_chosen = card == chosen
    st.button(
        f"**{title}** (chosen)" if is_chosen else title,
        type="secondary" if is_chosen else "tertiary",
        icon=":material/radio_button_checked:" if is_chosen else ":material/radio_button_unchecked:",
        key=f"preset {card}",
        on_click=state.PRESET.set,
        args=(card,),
        width="stretch",
    )
    st.markdown(sentence)
