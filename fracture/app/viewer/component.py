"""The viewer as a Streamlit component: its files lie beside this module, and nothing is fetched from elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fracture.app.viewer.payload import pack
from fracture.imaging.annotations import Box
from fracture.imaging.viewing.changes import MIN_CROP_PX, PictureChanges
from fracture.imaging.viewing.full_depth import FullDepth

_FOLDER = Path(__file__).parent
_SCRIPTS = ("gray.js", "geometry.js", "drawing.js", "controls.js", "viewer.js")
"""In one module, since Streamlit takes one: no script of a page can import another one from the package."""

VIEW_ONLY = "Window and level change only the view, never what the model sees."


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


_viewer = st.components.v2.component(
    "fracture_viewer", html=_read("viewer.html"), css=_read("viewer.css"), js=_read(*_SCRIPTS)
)


def show_viewer(
    full: FullDepth,
    name: str,
    key: str,
    *,
    changes: PictureChanges | None = None,
    boxes: Sequence[Box] = (),
    notes: Sequence[str] = (),
) -> PictureChanges | None:
    """Show an image in full depth. The arguments but ``key`` are those of :func:`fracture.app.viewer.payload.pack`.

    Returns the changes with which the visitor has just asked to classify the picture; None in all other runs, and
    always where ``changes`` is None.
    """
    # Bytes, which travel as they are: as JSON they would take a third more.
    data = pack(full, name, changes=changes, boxes=boxes, notes=(*notes, VIEW_ONLY))
    result = _viewer(key=key, data=data, on_classify_change=lambda: None)
    return None if changes is None else _parse_changes(result.get("classify"), full)


def _parse_changes(sent: Any, full: FullDepth) -> PictureChanges | None:
    """The changes that a browser has sent; None for anything else, which no viewer sends."""
    if not isinstance(sent, dict):
        return None
    crop, turns, invert = (sent.get(each) for each in ("crop", "quarter_turns", "invert"))
    if not isinstance(turns, int) or not isinstance(invert, bool) or not _is_crop(crop, full):
        return None
    return PictureChanges(None if crop is None else tuple(crop), turns, invert)


def _is_crop(crop: Any, full: FullDepth) -> bool:
    if crop is None:
        return True
    if not isinstance(crop, list) or len(crop) != 4 or not all(type(each) is int for each in crop):
        return False
    x, y, width, height = crop
    fits = 0 <= x <= full.width - width and 0 <= y <= full.height - height
    return bool(fits and min(width, height) >= MIN_CROP_PX)
