"""What a data set counts, in one line above all tabs, and its charts."""

import pandas as pd
import streamlit as st

from fracture.app.dataset.decisions import describe_decisions
from fracture.app.shared import dataset_cache
from fracture.app.shared.widgets import escape_markdown, show_chart
from fracture.data.catalog import rows_after_decisions
from fracture.data.dataset import Dataset

METRIC_PX = 160


def describe_counts(data: Dataset) -> str:
    """Images, studies and the share of the positive label, as Markdown, of what a model would be trained on.

    Raises DatasetError where the decisions beside the data cannot be read.
    """
    table = rows_after_decisions(dataset_cache.catalog(data))
    parts = [_count(len(table), "image", "images"), _count(table["study"].nunique(), "study", "studies")]
    if len(table):
        parts.append(f"**{table['label'].mean():.0%}** {escape_markdown(data.label_names[1])}")
    return " · ".join(parts)


def _count(number: int, one: str, several: str) -> str:
    return f"**{number:,}** {one if number == 1 else several}"


def show_statistics(data: Dataset, origin: str = "") -> None:
    """Counts and charts of the images that a model would be trained on; ``origin``: where they come from."""
    catalog = dataset_cache.catalog(data)
    table = rows_after_decisions(catalog)
    if table.empty:
        st.info(f"All {len(catalog):,} images are excluded.", icon=":material/block:")
        return
    _show_metrics(table, data)
    notes = [origin, describe_decisions(catalog, table)]
    if said := "  \n".join(note for note in notes if note):
        st.caption(said)
    with st.grid(2, min_column_width=320):
        for name, chart in dataset_cache.cached_overview(data).items():
            show_chart(chart.figure, f"chart of {name}", chart.alt)


def _show_metrics(table: pd.DataFrame, data: Dataset) -> None:
    with st.container(horizontal=True):
        st.metric("Images", f"{len(table):,}", border=True, width=METRIC_PX)
        st.metric("Studies", f"{table['study'].nunique():,}", border=True, width=METRIC_PX)
        st.metric("Patients or groups", f"{table['group'].nunique():,}", border=True, width=METRIC_PX)
        positive = data.label_names[1].capitalize()
        st.metric(positive, f"{table['label'].mean():.1%}", border=True, width=METRIC_PX)
