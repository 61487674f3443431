"""A strip of pictures to choose from, as a Streamlit component: no element of Streamlit's own is a picture to click."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

_FOLDER = Path(__file__).parent
_HTML = """
<div class="row">
  <button type="button" class="more" data-direction="-1" aria-label="Samples before these" hidden>‹</button>
  <button type="button" class="more" data-direction="1" aria-label="More samples" hidden>›</button>
  <div class="strip" role="group" aria-label="Sample X-rays"></div>
</div>
"""


class Tile(NamedTuple):
    """A picture to choose, which is a JPEG file."""

    identity: str
    name: str
    picture: bytes


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


_strip = st.components.v2.component("fracture_strip", html=_HTML, css=_read("strip.css"), js=_read("strip.js"))


def show_strip(
    tiles: Sequence[Tile],
    chosen: str,
    on_choose: Callable[[str], None],
    *,
    wide: bool,
    large: bool = False,
    key: str = "sample strip",
) -> None:
    """Show pictures in one row that scrolls, or with their names in several rows where ``wide``.

    Where they are ``large``, too, one row of them is twice as high.

    Where the row has more than fits, it fades into a button that scrolls it.

    ``on_choose`` is called with the identity of a tile before the next run of the page. An identity that was not
    offered is ignored: no strip sends it.
    """

    def choose() -> None:
        picked = st.session_state[key].get("choose")
        if picked in [tile.identity for tile in tiles]:
            on_choose(picked)

    data = {"tiles": [_describe(tile) for tile in tiles], "chosen": chosen, "wide": wide, "large": wide and large}
    _strip(key=key, data=data, on_choose_change=choose)


def _describe(tile: Tile) -> dict[str, str]:
    """A tile as the script reads it."""
    picture = f"data:image/jpeg;base64,{base64.b64encode(tile.picture).decode()}"
    return {"id": tile.identity, "name": tile.name, "picture": picture}
