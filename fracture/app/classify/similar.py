"""Which training images a view resembles, by the features that the model itself goes by."""

from typing import Any

import pandas as pd
import streamlit as st

from fracture.app.shared import dataset_cache
from fracture.app.shared.images import show_dataset_image
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.data.measurements import digests
from fracture.inference.classifier import Classifier
from fracture.inference.ood import Familiarity

SHOWN = 4


def show_resemblance(classifier: Classifier, examined: list[Examined]) -> None:
    """The nearest training images of each view, behind a switch; a sentence where they can't be shown."""
    if classifier.familiarity is None or not st.toggle("Show which training images it resembles", key="similar images"):
        return
    images = dataset_cache.images_of(classifier.card)
    if images.empty:
        name = escape_markdown(classifier.card["data"]["name"])
        st.caption(f"The model has learned from *{name}*, which is not on this machine: there is nothing to show.")
        return
    for each in examined:
        near = classifier.familiarity.nearest(each.view.looks, SHOWN)
        here = _on_this_machine(near, images, classifier.familiarity)
        where = ":" if here else " training images that are not on this machine."
        st.markdown(f"**{escape_markdown(each.view.name)}** is most like{where}")
        with st.grid(SHOWN, min_column_width=120):
            for row, likeness in here:
                show_dataset_image(row, 300, f"{row['word']} · {likeness:.2f}")
    by_name = "" if classifier.familiarity.sha256 else _BY_NAME
    st.caption(f"Below each its label, and how alike the features are that the model goes by: 1 is the same.{by_name}")


_BY_NAME = " The model knows its training images by name alone: a file may have changed since."


def _on_this_machine(
    near: list[tuple[str, float]], images: pd.DataFrame, known: Familiarity
) -> list[tuple["pd.Series[Any]", float]]:
    """Of the nearest training images, the rows and likenesses of those that are here, and the very files."""
    found = pd.DataFrame(near, columns=["image_id", "likeness"]).merge(images, on="image_id")
    if known.sha256:
        recorded = found["image_id"].map(dict(zip(known.image_ids, known.sha256, strict=True)))
        found = found[recorded == pd.Series(digests(found["path"].tolist()), found.index, dtype=str)]
    return [(row, row["likeness"]) for _, row in found.iterrows()]
