"""The images of a data set, page by page: a rail of filters and findings beside rows of tiles."""

import math

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture.app.dataset.browse.filters import Choice, choose_images
from fracture.app.dataset.browse.findings import choose_finding
from fracture.app.dataset.browse.study_dialog import show_open_study
from fracture.app.dataset.browse.tiles import show_tiles
from fracture.app.dataset.decisions import decide_bar, decided_just_now
from fracture.app.shared import dataset_cache
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import escape_markdown, on_phone, show_errors
from fracture.data.dataset import Dataset

PER_PAGE = 48

RAIL = (1, 4)
"""The widths of the rail and of the tiles."""


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
    left, right = st.columns(RAIL, gap="medium")
    with left, _rail():
        choice = choose_images(catalog, data, scores.model)
        findings = st.container(key="findings")
        decisions = st.container(key="decisions bar")
    shown = choice.rows(catalog)
    show_open_study(data, shown["image_id"])
    with right:
        rows = _choose_page(shown, len(catalog), data, choice)
        with decisions:
            decide_bar(data, rows["image_id"].tolist(), shown["image_id"])
        if shown.empty:
            st.info("No image passes these filters.", icon=":material/filter_alt_off:")
        show_tiles(rows, data)
        if source := _describe_scores(scores, data):
            st.caption(source)
    # After the tiles: the checks of a large data set take seconds the first time.
    with findings:
        choose_finding(data)


def _rail() -> DeltaGenerator:
    """The place of the filters; on a phone, where it stands above the tiles, it is folded away."""
    if on_phone():
        return st.expander("Filters and decisions", icon=":material/tune:", key="rail")
    return st.container(key="rail")


def _choose_page(shown: pd.DataFrame, total: int, data: Dataset, choice: Choice) -> pd.DataFrame:
    """How many images pass, and the rows of one page of them; other filters begin at the first page."""
    pages = math.ceil(len(shown) / PER_PAGE)
    key = f"gallery page {data.root} {hash(str(choice))}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(shown):,} of {total:,} images", width="content")
        page = 1
        if pages > 1:
            page = st.pagination(pages, key=key, persist_state="session")
            presenting.draw_steps("page", page - 1, pages, lambda to: st.session_state.update({key: to + 1}))
    first = (min(page, max(pages, 1)) - 1) * PER_PAGE
    return shown.iloc[first : first + PER_PAGE]


def _describe_scores(scores: dataset_cache.Scores, data: Dataset) -> str:
    """Whose probability the percentage on a tile is, or why there is none."""
    if not scores.model:
        return escape_markdown(scores.why_not)
    model = escape_markdown(scores.model)
    positive = escape_markdown(data.label_names[1])
    return f"Percentages show model *{model}*'s probability of *{positive}*."
