"""A picture on a page, sent along with the page itself.

Streamlit would hold it at an address of its own for as long as a session shows it, and forgets it, too, while any page
is drawn anew: a browser that asks at that moment is told that there is none, and the picture stays broken. What comes
with the page is there, and has no address at which anybody else could ask for it.
"""

import base64
import io
from typing import Any, Literal

import pandas as pd
import streamlit as st
from PIL import Image

from fracture.app.shared.widgets import show_errors
from fracture.imaging.thumbnails import thumbnail

WIDEST = 1460
"""px that a browser gets at most: twice the width of a page, for screens with two dots a px."""


def show_picture(
    picture: bytes | Image.Image, alt: str, caption: str = "", width: int | Literal["stretch"] = "stretch"
) -> None:
    """Draw a JPEG file, or an image that is made one. ``caption``: Markdown."""
    jpeg = picture if isinstance(picture, bytes) else _jpeg(picture)
    st.image(f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}", caption or None, width, alt=alt)


def show_dataset_image(row: "pd.Series[Any]", size: int, caption: str) -> None:
    """One image of a data set, its longer side ``size`` px; a sentence where it cannot be read."""
    with show_errors():
        show_picture(thumbnail(row["path"], size), f"Radiograph {row['image_id']}", caption)


def _jpeg(picture: Image.Image) -> bytes:
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=92, subsampling=0)  # or thin coloured lines fray
    return file.getvalue()
