"""One study of a data set: its views, and what is known of them."""

from io import BytesIO
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app import loads
from fracture.data.dataset import Dataset
from fracture.data.phantom.records import truth_words
from fracture.data.regions import parse_boxes
from fracture.errors import FractureError


def study_open() -> bool:
    """Whether the visitor has a study before them, which drawing the whole page anew would close."""
    return bool(st.session_state.get("study open"))


def close_study() -> None:
    """Whatever study was open is so no longer; to be called wherever the whole page is drawn anew."""
    st.session_state.pop("study open", None)


@st.dialog("Study", width="large", on_dismiss=close_study)
def show_study(name: str, data: Dataset) -> None:
    """All views of one study; of a synthetic one, on request, the truth."""
    st.session_state["study open"] = True
    views = data.table[data.table["study"] == name]
    first = views.iloc[0]
    number = "1 view" if len(views) == 1 else f"{len(views)} views"
    made = " · synthetic" if data.synthetic else ""
    st.markdown(f"**{name}** · {data.label_names[first['label']]} · part {first['split']} · {number}{made}")
    revealed = data.synthetic and st.toggle("Reveal the truth", key="truth of study")
    truths = truth_words([Path(path) for path in views["path"]]) if revealed else []
    with st.grid(2):
        for place, (_, row) in enumerate(views.iterrows()):
            with st.container():
                words = f"{row['view'] or row['image_id']} · {row['width']} × {row['height']} px{made}"
                picture(row, 900, words, revealed)
                if revealed:
                    st.markdown(f"{truths[place].capitalize() or 'Nothing more is known of this image'}.")


def picture(row: pd.Series, size: int, words: str, revealed: bool = False) -> None:
    """One image of a data set, its longer side ``size`` px, with its boxes if ``revealed``."""
    try:
        shown: bytes | Image.Image = (thumbnail := loads.thumbnail(row["path"], size))
        if revealed:
            small = Image.open(BytesIO(thumbnail))
            shown = charts.outlined(small, parse_boxes(row["boxes"]), small.width / max(row["width"], 1))
        st.image(shown, caption=words, width="stretch", alt=f"Radiograph {row['image_id']}")
    except FractureError as error:
        st.warning(str(error), icon=":material/broken_image:")
