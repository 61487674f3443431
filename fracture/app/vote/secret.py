"""The teacher's secret in the tab of their browser, so that a reload in front of a class keeps the room theirs."""

from pathlib import Path

import streamlit as st

from fracture.app.shared.widgets import show_errors
from fracture.app.vote import arriving
from fracture.teaching import rooms

_secret = st.components.v2.component(
    "fracture_room_secret", js=Path(__file__).with_name("secret.js").read_text(encoding="utf-8")
)


def keep_secret(code: str, secret: str) -> None:
    """Keep the secret of a room in this tab."""
    _secret(key=f"keep secret {code}", data={"room": code, "secret": secret})


def ask_for_secret(code: str) -> None:
    """Make the visitor the room's teacher again, where this tab has kept its secret."""
    key = f"ask secret {code}"

    def receive() -> None:
        secret = st.session_state[key].get("secret")
        with show_errors():
            if isinstance(secret, str) and rooms.is_teacher(code, secret):
                arriving.teach(code, secret)

    _secret(key=key, data={"room": code, "secret": ""}, on_secret_change=receive)
