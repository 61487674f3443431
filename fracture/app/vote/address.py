"""The address of a room: proposed, edited by the teacher, and shown as a code and as a QR code."""

import segno
import streamlit as st

from fracture.teaching import network

_KEY = "vote address"


def choose_address(code: str) -> str:
    """A field for the app's address, with who can't open it. Returns the room's address."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _proposed()
    typed = st.text_input(
        "Address for phones",
        key=_KEY,
        max_chars=200,
        persist_state="session",
        help="This machine's address on the network, or the one that you have opened. Edit it where phones need "
        "another one, such as that of a proxy.",
    )
    if problem := network.warn_of(typed, _bound()):
        st.caption(f":material/warning: {problem}")
    return network.room_address(typed, code)


def current_address(code: str) -> str:
    """The room's address, where the field for it isn't shown."""
    return network.room_address(st.session_state.get(_KEY) or _proposed(), code)


def show_code(code: str, address: str, width: int) -> None:
    """The QR code of a room's address, ``width`` px wide, and the room's code."""
    st.image(qr_code(address), width=width, alt=f"QR code of {address}")
    st.header(" ".join(code), anchor=False, width="content")


def show_address(address: str) -> None:
    """The address of the page, to be typed; the code is entered there."""
    st.code(address.split("?", maxsplit=1)[0], language=None)


@st.cache_data(max_entries=32, show_spinner=False)
def qr_code(address: str) -> str:
    """An SVG image of the QR code of an address, black on white in either theme."""
    return str(segno.make(address, error="m", micro=False).svg_inline(scale=8, border=3, light="white"))


def _proposed() -> str:
    return network.propose_address(st.context.url or f"http://localhost:8501/{network.PAGE}", _bound())


def _bound() -> str:
    return str(st.get_option("server.address") or "")
