"""The chart of image properties that predict the label, below the findings."""

import streamlit as st

from fracture import charts
from fracture.app.shared import dataset_cache
from fracture.app.shared.widgets import show_chart
from fracture.data.dataset import Dataset
from fracture.evaluation.properties.associations import to_table

CAPTION = (
    "How well each property alone ranks the images by their label; 0.5 is chance. A network may learn a strong one as "
    "a shortcut, unless it follows from the finding itself, as metal makes an image sharper. Of many properties, one "
    "whose interval just excludes 0.5 may do so by chance."
)


def show_properties(data: Dataset) -> None:
    """The AUC of each property with its interval; nothing where too few images have been analyzed."""
    found = dataset_cache.associations(data)
    if not found:
        return
    strongest = found[0]
    alt = f"AUC of {len(found)} properties, from {strongest.title.lower()} down"
    show_chart(charts.property_aucs(to_table(found)), "chart of properties", alt)
    st.caption(CAPTION)
