"""The images of a region of the map, and those that are most alike to one of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAPIException

from fracture.app.shared import state
from fracture.app.shared.features.material import Material
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data.checks.problem import Problem, number
from fracture.data.dataset import existing_folder
from fracture.experiments.projection import most_alike
from fracture.experiments.shipped.features import shipped_plan
from fracture.experiments.shipped.phantoms import shipped_image
from fracture.experiments.workbench import Bench
from fracture.imaging.thumbnails import thumbnail

PER_PAGE = 6

ALIKE = 5

PICTURE_PX = 256

COLORS = ("blue", "orange")
"""Of the negative and the positive label."""

KIND = "map selection"
"""Of the finding as which *Data* shows the selected images."""


@dataclass(frozen=True)
class Shown:
    """The features whose images are shown."""

    material: Material
    bench: Bench
    alike: state.Entry[int | None]
    """The image whose like is shown; None where the selection is."""


def show_selection(places: Sequence[int], material: Material, bench: Bench) -> None:
    """The images at these places of the bench; or, once an image was chosen, those most alike to it."""
    alike = state.alike_to(material.results_key(bench), tuple(places))
    shown = Shown(material, bench, alike)
    chosen = alike.get()
    if chosen is not None:
        _show_alike(chosen, shown)
        return
    if not places:
        st.info("Draw a lasso or a box around points: their images appear here.", icon=":material/lasso_select:")
        return
    _show_page(places, shown)


def _show_page(places: Sequence[int], shown: Shown) -> None:
    bench = shown.bench
    pages = -(-len(places) // PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{number(places, 'image')}** of {len(bench.table):,}", width="content")
        if shown.material.run is not None:
            _offer_gallery(places, bench)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"map page {hash(tuple(places))}")
    first = (page - 1) * PER_PAGE
    with st.grid(3, min_column_width=100, key="map gallery"):
        for place in places[first : first + PER_PAGE]:
            _show_tile(place, shown)


def _show_tile(place: int, shown: Shown, similarity: float | None = None) -> None:
    bench = shown.bench
    row = bench.table.iloc[place]
    with st.container(gap="xsmall"):
        with show_errors():
            show_picture(_picture(row, shown.material), f"Radiograph {row['image_id']}")
        label = f":{COLORS[row['label']]}-badge[{escape_markdown(bench.label_names[row['label']])}]"
        st.markdown(label if similarity is None else f"{label} {similarity:.2f}")
        st.button(
            "Similar",
            key=f"alike {place}",
            type="tertiary",
            icon=":material/image_search:",
            help=f"Find images like {escape_markdown(row['image_id'])}",
            on_click=shown.alike.set,
            args=(place,),
        )


def _show_alike(place: int, shown: Shown) -> None:
    """One image, then those with the most similar features, wherever they are on the map."""
    bench = shown.bench
    name = escape_markdown(bench.table.iloc[place]["image_id"])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Most like {name}**", width="content")
        st.button(
            "Back",
            icon=":material/arrow_back:",
            key="leave alike",
            on_click=shown.alike.set,
            args=(None,),
        )
    with st.grid(3, min_column_width=100, key="map alike"):
        _show_tile(place, shown)
        for other, similarity in most_alike(bench.features, place, ALIKE):
            _show_tile(other, shown, similarity)
    st.caption("Beside each label: the cosine similarity of the features; 1 is identical.")


def _picture(row: "pd.Series[Any]", material: Material) -> bytes | Image.Image:
    if material.run is None:
        return _phantom(row["image_id"])
    return thumbnail(str(Path(row["path"])), PICTURE_PX, square=True)


@st.cache_data(max_entries=200, show_spinner="Generating the X-ray")
def _phantom(image_id: str) -> Image.Image:
    picture = Image.fromarray(shipped_image(shipped_plan(), image_id).pixels)
    picture.thumbnail((PICTURE_PX, PICTURE_PX))
    return picture


def _offer_gallery(places: Sequence[int], bench: Bench) -> None:
    """A button that opens the selected images in the gallery of *Data*."""
    chosen = bench.table.iloc[list(places)]
    here = chosen[chosen["data"] == bench.validated_on]
    pressed = st.button(
        "Open in Data", icon=":material/photo_library:", key="open in data", disabled=here.empty, type="tertiary"
    )
    if pressed:
        with show_errors():
            _open_in_data(here["image_id"].tolist(), existing_folder(bench.config.data))


def _open_in_data(image_ids: list[str], root: Path) -> None:
    """Show these images as a finding in the gallery of their data set."""
    found = Problem(
        KIND,
        "note",
        f"{number(image_ids, 'image')} of a region of the data map.",
        "Images that are near each other there have like features.",
        tuple(image_ids),
    )
    state.map_selection(root).set(found)
    state.finding(root).set(KIND)
    state.DATASET_TAB.set("Images")
    state.NEW_DATA.set(str(root))
    with suppress(StreamlitAPIException):  # a page that is run alone can't open another one
        st.switch_page("pages/data.py")
