"""The data set on the page, or what has to be known first: which columns hold what, and which class is which."""

import streamlit as st

from fracture import demo
from fracture.app.dataset.columns import ask_columns
from fracture.app.dataset.labels import ask_labels
from fracture.app.shared import dataset_cache
from fracture.app.shared.widgets import escape_markdown
from fracture.data.dataset import Dataset
from fracture.errors import ColumnsError, DatasetError, LabelsError


def dataset_or_question(root: str, progress: str) -> Dataset | None:
    """The data set in a folder; None where something is not known that a form then asks for.

    Raises DatasetError as :func:`fracture.data.dataset.scan` does.
    """
    try:
        return dataset_cache.cached_dataset(root, progress)
    except ColumnsError as error:
        if demo.is_public() or not ask_columns(root, str(error)):
            raise
    except LabelsError as error:
        if demo.is_public():
            raise
        st.info(f"These classes were found in {escape_markdown(root)}. Which is which?", icon=":material/help:")
        ask_labels(root, error)
        ask_columns(root)
    except DatasetError as error:
        # Perhaps other columns, or another table, can be read.
        if demo.is_public() or not ask_columns(root):
            raise
        st.error(escape_markdown(str(error)), icon=":material/error:")
    return None
