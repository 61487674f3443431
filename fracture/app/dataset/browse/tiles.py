"""The images as equal tiles: a square picture, the label as a colored chip, two short lines, and the buttons."""

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.dataset.browse.classify import offer_classify
from fracture.app.dataset.browse.study_dialog import open_study
from fracture.app.dataset.decisions import describe_decision, select_box
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.data.catalog import NO_DECISION
from fracture.data.dataset import Dataset
from fracture.imaging.thumbnails import thumbnails

THUMBNAIL_PX = 256
"""Side of the square that a thumbnail fills or is letterboxed into."""

MIN_WIDTH_PX = 160
"""Of a tile: its buttons stand in one line."""

MAX_NAME = 24
"""Characters of the line that names an image, so that it is one line in each tile."""

LABEL_COLORS = ("blue", "orange")
"""Of the negative and the positive label, here as in the charts."""

SEND_SECONDS = 0.03
"""A pause in which the server sends the pictures, before this thread goes on: a browser shows them 0.1 s earlier."""


def show_tiles(rows: pd.DataFrame, data: Dataset) -> None:
    """The images with their captions first, then their checkboxes and buttons.

    A browser draws 48 checkboxes and buttons more slowly than 48 pictures, and a visitor waits for the pictures.
    """
    tiles = []
    pictures = thumbnails(list(rows["path"]), THUMBNAIL_PX, square=True)
    with st.grid("auto", min_column_width=MIN_WIDTH_PX, key="tiles"):
        for (_, row), picture in zip(rows.iterrows(), pictures, strict=True):
            tile = st.container(gap="xsmall", key=f"tile {row['image_id']}")
            with tile:
                _show_image(row, picture)
                _show_caption(row, data)
            tiles.append(tile)
    time.sleep(SEND_SECONDS)
    for tile, (_, row) in zip(tiles, rows.iterrows(), strict=True):
        with tile, st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _show_controls(row, data)


def _show_image(row: "pd.Series[Any]", picture: bytes | Exception) -> None:
    if isinstance(picture, Exception):
        st.warning(escape_markdown(str(picture)), icon=":material/broken_image:")
    elif row["decision"] == "exclude":
        show_picture(charts.crossed_out(Image.open(BytesIO(picture))), f"Excluded radiograph {row['image_id']}")
    else:
        show_picture(picture, f"Radiograph {row['image_id']}")


def _show_caption(row: "pd.Series[Any]", data: Dataset) -> None:
    """The label and the model's probability in one line, the decision or else the name in another.

    No caption: its text is faded, and a faded label stands out too little.
    """
    label = f":{LABEL_COLORS[row['label']]}-badge[{escape_markdown(data.label_names[row['label']])}]"
    score = f" {row['score']:.0%}" if pd.notna(row["score"]) else ""
    second = f":small[{escape_markdown(_name(row))}]"
    if row["decision"] != NO_DECISION:
        second = f":gray-badge[{escape_markdown(describe_decision(row['decision'], data))}]"
    st.markdown(f"{label}{score}  \n{second}")


def _name(row: "pd.Series[Any]") -> str:
    """The patient or the body part, and the view or the file; the middle of a long name is left out."""
    parts = (row["patient"] or row["body_part"], row["view"] or Path(row["image_id"]).name)
    name = " · ".join(str(part) for part in parts if part)
    if len(name) <= MAX_NAME:
        return name
    half = MAX_NAME // 2
    return f"{name[:half]}…{name[-half + 1 :]}"


def _show_controls(row: "pd.Series[Any]", data: Dataset) -> None:
    image_id = row["image_id"]
    select_box(image_id, data)
    st.button(
        "Open",
        key=f"open {image_id}",
        type="tertiary",
        help=f"Study {escape_markdown(row['study'])}",
        on_click=open_study,
        args=(image_id,),
    )
    offer_classify(row, f"classify {image_id}", "Classify", kind="tertiary")
