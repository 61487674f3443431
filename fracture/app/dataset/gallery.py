"""The images of a data set, page by page: filtered, sorted and selected."""

import math
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.dataset.decisions import decide_bar, decided_just_now, describe_decision, select_box
from fracture.app.dataset.study_dialog import open_study, show_open_study
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data.catalog import NO_DECISION, ImageFilter, filter_images
from fracture.data.checks import Problem
from fracture.data.dataset import Dataset
from fracture.imaging.thumbnails import thumbnails

PER_PAGE = 48
THUMBNAIL_PX = 256
"""Longer side of a thumbnail."""

SEND_SECONDS = 0.03
"""A pause in which the server sends the pictures, before this thread goes on: a browser shows them 0.1 s earlier."""

READING_ORDER = "Patient, study, view"
FINDING_ORDER = "Most suspicious first"

FILTERS = {"split": "Split", "label": "Label", "body_part": "Body part", "decision": "Decision"}
"""The columns that filters list the values of, and their titles."""


@st.fragment
def show_gallery(data: Dataset) -> None:
    """Filters, the images that pass them, and the buttons to decide about images."""
    if decided_just_now():
        st.rerun()  # the whole page: its counts and findings are out of date
    with show_errors():
        _show_gallery(data)


def _show_gallery(data: Dataset) -> None:
    catalog = dataset_cache.catalog(data)
    scores = dataset_cache.scores(data)
    wanted, order, descending = _choose(catalog, data, scores.model)
    shown = filter_images(catalog, wanted, order, descending)
    show_open_study(data, shown["image_id"])
    if shown.empty:
        st.info("No image passes these filters.", icon=":material/filter_alt_off:")
        return
    page = _choose_page(len(shown), f"gallery page {data.root} {hash((str(wanted), order, descending))}")
    first = (page - 1) * PER_PAGE
    rows = shown.iloc[first : first + PER_PAGE]
    st.caption(f"{len(shown):,} of {len(catalog):,} images")
    if source := _describe_scores(scores, data):
        st.caption(source)
    decide_bar(data, rows["image_id"].tolist(), shown["image_id"])
    _show_cards(rows, data)


def _choose_page(images: int, key: str) -> int:
    """The number of the page, from 1; another key, with other filters, begins at the first page."""
    pages = math.ceil(images / PER_PAGE)
    if pages == 1:
        return 1
    return min(st.pagination(pages, key=key), pages)


def _describe_scores(scores: dataset_cache.Scores, data: Dataset) -> str:
    """Whose probability the percentage below an image is, or why there is none."""
    if not scores.model:
        return escape_markdown(scores.why_not)
    model = escape_markdown(scores.model)
    positive = escape_markdown(data.label_names[1])
    return f"Percentages show model *{model}*'s probability of *{positive}*."


def _choose(catalog: pd.DataFrame, data: Dataset, model: str) -> tuple[ImageFilter, str, bool]:
    """The filter, the column to sort by ("" for reading order), and whether in descending order."""
    finding = state.finding(data.root).get()
    if finding is not None:
        _show_finding(finding, data)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = _choose_values("split", catalog, data)
        label = _choose_values("label", catalog, data)
        body_part = _choose_values("body_part", catalog, data)
        text = st.text_input(
            "Name contains", placeholder="patient00011", width=160, key=f"text of {data.root}", persist_state="session"
        )
        order, descending = _choose_order(catalog, data, model, finding=finding)
    with st.expander("More filters", icon=":material/tune:", key="more filters"), st.container(horizontal=True):
        longer_side = catalog[["width", "height"]].max(axis=1)
        decision = _choose_values("decision", catalog, data)
        views = _choose_range("Views of the study", "views", catalog["views"], data)
        sides = _choose_range("Longer side in px", "longer side", longer_side, data)
    ids = None if finding is None else finding.images
    wanted = ImageFilter(split, label, body_part, decision, views, sides, ids, text.strip())
    return wanted, order, descending


def _show_finding(finding: Problem, data: Dataset) -> None:
    """The finding whose images are shown, and the button that shows all images again."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/filter_alt: {escape_markdown(finding.message)}")
        if st.button("Show all images", icon=":material/close:", key="clear finding"):
            state.finding(data.root).set(None)
            st.rerun()


def _choose_values(column: str, catalog: pd.DataFrame, data: Dataset) -> list[Any]:
    """The values of a column to show; an empty list shows all."""
    formats: dict[str, Callable[[Any], str]] = {
        "label": lambda value: data.label_names[value],
        "decision": lambda value: describe_decision(value, data),
    }
    chosen: list[Any] = st.multiselect(
        FILTERS[column],
        sorted(catalog[column].unique()),
        format_func=formats.get(column, str),
        placeholder="All",
        width=160,
        key=f"{column} of {data.root}",
        persist_state="session",
    )
    return chosen


def _choose_range(title: str, key: str, values: "pd.Series[int]", data: Dataset) -> tuple[int, int] | None:
    """The lowest and the highest value to show; None where all pass, or all are the same."""
    lowest = int(values.min())
    highest = int(values.max())
    if lowest == highest:
        st.caption(f"{title}: {lowest:,} for all")
        return None
    chosen: tuple[int, int] = st.slider(
        title, lowest, highest, (lowest, highest), key=f"{key} of {data.root}", persist_state="session"
    )
    return None if chosen == (lowest, highest) else chosen


def _choose_order(catalog: pd.DataFrame, data: Dataset, model: str, *, finding: Problem | None) -> tuple[str, bool]:
    """The column to sort by ("" for the order of the catalog, or of the finding), and whether in descending order."""
    positive = data.label_names[1]
    first, key = READING_ORDER, f"order of {data.root}"
    if finding is not None:
        first, key = FINDING_ORDER, f"order of {data.root} as found"
    orders = {first: ("", False), "Smallest first": ("pixels", False), "Largest first": ("pixels", True)}
    if catalog["brightness"].notna().any():
        orders["Darkest first"] = ("brightness", False)
        orders["Brightest first"] = ("brightness", True)
    if catalog["score"].notna().any():
        orders[f"Least likely {positive}, by {model}"] = ("score", False)
        orders[f"Most likely {positive}, by {model}"] = ("score", True)
    return orders[st.selectbox("Order", list(orders), width=280, key=key, persist_state="session")]


def _show_cards(rows: pd.DataFrame, data: Dataset) -> None:
    """The images with their captions first, then their checkboxes and buttons.

    A browser draws 48 checkboxes and buttons more slowly than 48 pictures, and a visitor waits for the pictures.
    """
    cards = []
    with st.grid("auto", min_column_width=150):
        for (_, row), picture in zip(rows.iterrows(), thumbnails(list(rows["path"]), THUMBNAIL_PX), strict=True):
            card = st.container(gap="small")
            with card:
                _show_image(row, picture, data)
            cards.append(card)
    time.sleep(SEND_SECONDS)
    for card, image_id, study in zip(cards, rows["image_id"], rows["study"], strict=True):
        with card, st.container(horizontal=True, gap="small"):
            select_box(image_id, data)
            st.button(
                "Open study",
                key=f"open {image_id}",
                type="tertiary",
                help=f"Study {escape_markdown(study)}",
                on_click=open_study,
                args=(image_id,),
            )


def _show_image(row: "pd.Series[Any]", picture: bytes | Exception, data: Dataset) -> None:
    """One image and its caption."""
    if isinstance(picture, Exception):
        st.warning(str(picture), icon=":material/broken_image:")
    elif row["decision"] == "exclude":
        show_picture(charts.crossed_out(Image.open(BytesIO(picture))), f"Excluded radiograph {row['image_id']}")
    else:
        show_picture(picture, f"Radiograph {row['image_id']}")
    st.caption(_caption(row, data))


def _caption(row: "pd.Series[Any]", data: Dataset) -> str:
    parts = [data.label_names[row["label"]], row["body_part"], row["patient"], row["view"]]
    if pd.notna(row["score"]):
        parts.append(f"{row['score']:.0%}")
    if data.synthetic:
        parts.append("synthetic")
    caption = " · ".join(escape_markdown(str(part)) for part in parts if part)
    if row["decision"] != NO_DECISION:
        caption += f" :orange-badge[{escape_markdown(describe_decision(row['decision'], data))}]"
    return caption
