"""A picker of one of the images that a model was validated on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fracture.app.shared import dataset_cache, prediction_cache
from fracture.registry.model_folder import ModelFolder


def choose_validation_image(folder: ModelFolder) -> "pd.Series[Any] | None":
    """The row of one of the model's validation images, named by its ``image_id``; those with hardware come first.

    None, with a hint, where the data set is not here or the file was replaced.
    """
    table = dataset_cache.training_images(prediction_cache.classifier(folder).card)
    table = table[table["split"] == "valid"] if len(table) else table
    if table.empty:
        st.info("The model's data set is not on this machine.", icon=":material/folder_off:")
        return None
    metal = table["findings"].str.contains("hardware")
    details = dict(zip(table["image_id"], np.where(metal, "hardware, ", "") + table["word"], strict=True))
    name = st.selectbox(
        "Validation image",
        [*table.loc[metal, "image_id"], *table.loc[~metal, "image_id"]],
        key=f"validation image {folder.name}",
        format_func=lambda each: f"{each} ({details[each]})",
    )
    row: pd.Series[Any] = table.set_index("image_id").loc[name]
    if _was_replaced(folder, row):
        st.info("This file was replaced since the validation: choose another image.", icon=":material/help:")
        return None
    return row


def _was_replaced(folder: ModelFolder, row: "pd.Series[Any]") -> bool:
    """Whether the model's predictions record another file for this image; older ones record none."""
    predictions = prediction_cache.scored(folder, "image")
    recorded = predictions.loc[predictions["image_id"] == row.name, "sha256"]
    if recorded.empty or not recorded.iloc[0]:
        return False
    return [recorded.iloc[0]] != dataset_cache.digests_of([Path(row["path"])])
