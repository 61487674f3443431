"""The images of a data set, page by page: which are seen, in which order, and which are chosen."""

import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.dataset.decisions import decide_bar, decided_just_now, decision_words, tick
from fracture.app.dataset.study_dialog import ask_for_study, show_study_asked_for
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data.catalog import NO_DECISION, Wanted, select
from fracture.data.dataset import Dataset
from fracture.imaging.thumbnails import thumbnails

PER_PAGE = 48
SIDE = 256
"""Longer side of a thumbnail in px."""

SENT = 0.03
"""Seconds in which the server gets to send what was drawn before this thread goes on: then a browser shows the pictures
of a page 0.1 s earlier."""

READING, AS_FOUND = "Patient, study, view", "Most suspicious first"


@st.fragment
def show_gallery(data: Dataset, version: str) -> None:
    """Filters, what passes them, and what can be decided about it."""
    if decided_just_now():
        st.rerun()  # the whole page: findings and decisions are no longer what they were
    with show_errors():
        _gallery(data, version)


def _gallery(data: Dataset, version: str) -> None:
    known = dataset_cache.catalogue(data, version)
    told = dataset_cache.scores(data, version)
    wanted, order, descending = _choose(known, data, told.model)
    shown = select(known, wanted, order, descending)
    show_study_asked_for(data, version, shown["image_id"])
    if shown.empty:
        st.info("No image passes these filters.", icon=":material/filter_alt_off:")
        return
    pages = -(-len(shown) // PER_PAGE)
    page = (
        min(st.pagination(pages, key=f"gallery page {data.root} {hash((str(wanted), order, descending))}"), pages)
        if pages > 1
        else 1
    )
    rows = shown.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    st.caption(f"{len(shown):,} of {len(known):,} images")
    if whose := _whose_scores(told, data):
        st.caption(whose)
    decide_bar(data, rows["image_id"].tolist(), shown["image_id"])
    _cards(rows, data)


def _whose_scores(told: dataset_cache.Scores, data: Dataset) -> str:
    """Which model's probability the percentage below an image is, or why there is none."""
    if told.model:
        return (
            f"Percentages show model *{escape_markdown(told.model)}*'s probability of "
            f"*{escape_markdown(data.label_names[1])}*."
        )
    return escape_markdown(told.why_not)


def _choose(known: pd.DataFrame, data: Dataset, model: str) -> tuple[Wanted, str, bool]:
    """What is wanted, the column to sort by ("" for reading order), and whether from the top."""
    finding = state.finding(data.root).get()
    if finding is not None:
        _finding(finding, data)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choices: dict[str, Any] = {name: _among(name, known, data) for name in ("split", "label", "body_part")}
        text = st.text_input(
            "Name contains", placeholder="patient00011", width=180, key=f"text of {data.root}", persist_state="session"
        )
        order, descending = _order(known, data, model, found=finding is not None)
    with st.expander("More filters", icon=":material/tune:", key="more filters"), st.container(horizontal=True):
        choices["decision"] = _among("decision", known, data)
        choices["views"] = _between("Views of the study", "views", known["views"], data)
        longer_side = known[["width", "height"]].max(axis=1)
        choices["longer_side"] = _between("Longer side in px", "longer side", longer_side, data)
    ids = None if finding is None else finding.images
    return Wanted(**choices, image_ids=ids, text=text.strip()), order, descending


def _finding(finding: Any, data: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/filter_alt: {escape_markdown(finding.message)}")
        if st.button("Show all images again", icon=":material/close:", key="clear finding"):
            state.finding(data.root).set(None)
            st.rerun()


_TITLES = {"split": "Part", "label": "Label", "body_part": "Body part", "decision": "Decision"}


def _among(column: str, known: pd.DataFrame, data: Dataset) -> list[Any]:
    words: dict[str, Callable[[Any], str]] = {
        "label": lambda value: data.label_names[value],
        "decision": lambda value: decision_words(value, data),
    }
    chosen: list[Any] = st.multiselect(
        _TITLES[column], sorted(known[column].unique()), format_func=words.get(column, str), placeholder="All",
        width=200, key=f"{column} of {data.root}", persist_state="session",
    )  # fmt: skip
    return chosen


def _between(title: str, key: str, values: "pd.Series[int]", data: Dataset) -> tuple[int, int] | None:
    """From and to; None where all are let through, or all are the same."""
    lowest, highest = int(values.min()), int(values.max())
    if lowest == highest:
        st.caption(f"{title}: {lowest:,} for all")
        return None
    chosen: tuple[int, int] = st.slider(
        title, lowest, highest, (lowest, highest), key=f"{key} of {data.root}", persist_state="session"
    )
    return None if chosen == (lowest, highest) else chosen


def _order(known: pd.DataFrame, data: Dataset, model: str, *, found: bool) -> tuple[str, bool]:
    positive = data.label_names[1]
    orders = {
        AS_FOUND if found else READING: ("", False),
        "Smallest first": ("pixels", False),
        "Largest first": ("pixels", True),
    }
    if known["brightness"].notna().any():
        orders |= {"Darkest first": ("brightness", False), "Brightest first": ("brightness", True)}
    if known["score"].notna().any():
        by = f", by {model}"
        orders |= {f"Least likely {positive}{by}": ("score", False), f"Most likely {positive}{by}": ("score", True)}
    key = f"order of {data.root}" + (" as found" if found else "")
    return orders[st.selectbox("Order", list(orders), width=280, key=key, persist_state="session")]


def _cards(rows: pd.DataFrame, data: Dataset) -> None:
    """The images and their words first, then what can be done with them.

    A browser takes longer to draw 48 boxes and buttons than 48 pictures, for which who turns the pages waits.
    """
    cards = []
    with st.grid("auto", min_column_width=150):
        for (_, row), picture in zip(rows.iterrows(), thumbnails(list(rows["path"]), SIDE), strict=True):
            cards.append(st.container(gap="small"))
            with cards[-1]:
                _picture(row, picture, data)
    time.sleep(SENT)
    for card, image_id, study in zip(cards, rows["image_id"], rows["study"], strict=True):
        with card, st.container(horizontal=True, gap="small"):
            tick(image_id, data)
            st.button(
                "Open study", key=f"open {image_id}", type="tertiary", help=f"Study {escape_markdown(study)}",
                on_click=ask_for_study, args=(image_id,),
            )  # fmt: skip


def _picture(row: "pd.Series[Any]", picture: bytes | Exception, data: Dataset) -> None:
    """One image, and what is known of it in a line."""
    if isinstance(picture, Exception):
        st.warning(str(picture), icon=":material/broken_image:")
    elif row["decision"] == "exclude":
        show_picture(charts.crossed_out(Image.open(BytesIO(picture))), f"Excluded radiograph {row['image_id']}")
    else:
        show_picture(picture, f"Radiograph {row['image_id']}")
    st.caption(_words(row, data))


def _words(row: "pd.Series[Any]", data: Dataset) -> str:
    decided = decision_words(row["decision"], data)
    badge = "" if row["decision"] == NO_DECISION else f" :orange-badge[{escape_markdown(decided)}]"
    score = "" if pd.isna(row["score"]) else f"{row['score']:.0%}"
    made = "synthetic" if data.synthetic else ""
    parts = (data.label_names[row["label"]], row["body_part"], row["patient"], row["view"], score, made)
    return " · ".join(escape_markdown(str(part)) for part in parts if part) + badge
