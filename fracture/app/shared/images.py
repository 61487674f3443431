"""A picture on a page, sent with the page itself.

Streamlit would serve it at an address of its own for as long as a session shows it, and forgets it, too, while any page
is redrawn: a browser that asks at that moment gets a 404, and the picture stays broken. A picture that comes with the
page is always there, and has no address at which anybody else could ask for it.
"""

import base64
import io
from typing import Any, Literal

import pandas as pd
import streamlit as st
from PIL import Image

from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.charts.verdict import verdict_bar
from fracture.imaging.thumbnails import thumbnail
from fracture.inference.prediction import DOUBT, Answer

MAX_WIDTH_PX = 1460
"""Of a picture that is sent: twice the width of a page, for screens with two dots a pixel."""

_COLORS = {"positive": "orange", "negative": "blue", DOUBT: "gray"}
"""Of an outcome."""


def show_picture(
    picture: bytes | Image.Image, alt: str, caption: str = "", width: int | Literal["stretch"] = "stretch"
) -> None:
    """Show a JPEG file, or an image as one. ``caption``: Markdown."""
    jpeg = picture if isinstance(picture, bytes) else encode_jpeg(picture)
    st.image(f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}", caption or None, width, alt=alt)


def show_verdict(answer: Answer) -> None:
    """The outcome of an answer in one strong line, with the probability, and the scale on which it lies."""
    outcome = "In doubt" if answer.outcome == DOUBT else answer.label.capitalize()
    line = f":{_COLORS[answer.outcome]}[{escape_markdown(outcome)}] · {answer.probability:.1%}"
    st.metric(f"Probability of {escape_markdown(answer.labels[1])}", line)
    show_verdict_bar(answer)


def show_verdict_bar(answer: Answer, width: int | Literal["stretch"] = "stretch") -> None:
    """Where the probability of an answer lies between the limits of its outcomes."""
    low, high = answer.limits
    alt = f"A scale from 0 to 100%: the probability {answer.probability:.1%}, the limits {low:.1%} and {high:.1%}"
    st.image(verdict_bar(answer.probability, low, high), width=width, alt=alt)


def show_dataset_image(row: "pd.Series[Any]", size: int, caption: str) -> None:
    """One image of a data set, its longer side ``size`` px; a sentence where it cannot be read."""
    with show_errors():
        show_picture(thumbnail(row["path"], size), f"Radiograph {row['image_id']}", caption)


def encode_jpeg(picture: Image.Image) -> bytes:
    """A JPEG file of an image, at most :data:`MAX_WIDTH_PX` wide."""
    if picture.width > MAX_WIDTH_PX:
        picture = picture.resize(
            (MAX_WIDTH_PX, round(picture.height * MAX_WIDTH_PX / picture.width)), Image.Resampling.BILINEAR
        )
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=92, subsampling=0)  # thin colored lines would fray
    return file.getvalue()
