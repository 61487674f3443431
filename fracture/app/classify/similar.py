"""The training images that are most similar to a view, by the model's own features."""

from typing import Any

import pandas as pd
import streamlit as st

from fracture.app.shared import dataset_cache
from fracture.app.shared.images import show_dataset_image
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.data.measurements import digests
from fracture.inference.classifier import Classifier
from fracture.inference.ood import OodDetector

NEIGHBORS = 4

UNVERIFIED = " The model knows its training images by name only: a file may have changed since."


def show_similar_images(classifier: Classifier, examined: list[Examined], suffix: str = "") -> None:
    """The nearest training images of each view, behind a switch; a sentence where they can't be shown."""
    if classifier.ood_detector is None or not st.toggle("Show similar training images", key=f"similar images{suffix}"):
        return
    images = dataset_cache.training_images(classifier.card)
    if images.empty:
        data = classifier.card.data
        name = f" *{escape_markdown(data.name)}*" if data is not None else ""
        st.caption(f"The training data set{name} is not on this machine, so that its images can't be shown.")
        return
    for each in examined:
        nearest = classifier.ood_detector.nearest(each.view.embedding, NEIGHBORS)
        here = _on_this_machine(nearest, images, classifier.ood_detector)
        where = ":" if here else " are not on this machine."
        st.markdown(f"The training images most similar to **{escape_markdown(each.view.name)}**{where}")
        with st.grid(NEIGHBORS, min_column_width=120):
            for row, similarity in here:
                show_dataset_image(row, 300, f"{row['word']} · {similarity:.2f}")
    unverified = "" if classifier.ood_detector.sha256 else UNVERIFIED
    st.caption(f"Below each: its label, and the cosine similarity of its features; 1 is identical.{unverified}")


def _on_this_machine(
    nearest: list[tuple[str, float]], images: pd.DataFrame, known: OodDetector
) -> list[tuple["pd.Series[Any]", float]]:
    """Of the nearest training images, the rows and similarities of those whose very files are here."""
    found = pd.DataFrame(nearest, columns=["image_id", "similarity"]).merge(images, on="image_id")
    if known.sha256:
        file_of_image = dict(zip(known.image_ids, known.sha256, strict=True))
        recorded = found["image_id"].map(file_of_image)
        current = pd.Series(digests(found["path"].tolist()), found.index, dtype=str)
        found = found[recorded == current]
    return [(row, row["similarity"]) for _, row in found.iterrows()]
