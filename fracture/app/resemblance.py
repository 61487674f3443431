"""Which training images a view resembles, by the features that the model itself goes by."""

import streamlit as st

from fracture.app import loads
from fracture.app.answers import Examined
from fracture.app.study_view import picture
from fracture.app.widgets import as_text
from fracture.classify.classifier import Classifier

SHOWN = 4


def show_resemblance(classifier: Classifier, examined: list[Examined]) -> None:
    """The nearest training images of each view, behind a switch; a sentence where they can't be shown."""
    if classifier.familiarity is None or not st.toggle("Show which training images it resembles", key="resembles"):
        return
    images = loads.images_of(classifier.card)
    if images.empty:
        name = as_text(classifier.card["data"]["name"])
        st.caption(f"The model has learned from *{name}*, which is not on this machine: there is nothing to show.")
        return
    rows = {row["image_id"]: row for _, row in images.iterrows()}
    for each in examined:
        near = classifier.familiarity.nearest(each.view.looks, SHOWN)
        here = [(rows[name], likeness) for name, likeness in near if name in rows]
        where = ":" if here else " training images that are not on this machine."
        st.markdown(f"**{as_text(each.view.name)}** is most like{where}")
        with st.grid(SHOWN, min_column_width=120):
            for row, likeness in here:
                picture(row, 300, f"{row['word']} · {likeness:.2f}")
    st.caption("Below each its label, and how alike the features are that the model goes by: 1 is the same.")
