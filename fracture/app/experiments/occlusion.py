"""Cover parts of a radiograph, and see what becomes of the model's answer."""

import zlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fracture import charts
from fracture.app.shared import dataset_cache, prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.prediction_cache import SHOWN_SMALL, Examined
from fracture.app.shared.widgets import choose_model, escape_markdown, no_model_hint, show_chart, show_errors
from fracture.imaging import radiograph
from fracture.imaging.annotations import boxes_to_mask, parse_boxes, scale_boxes
from fracture.inference.classifier import Classifier
from fracture.inference.occlusion import FILLS, Mask, border_mask, cover, elsewhere, outline_mask
from fracture.paths import sanitize_name
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import ModelFolder

BORDER = 0.08
"""Of the shorter side, that the button covers."""

MARGIN = 4
"""px around what is known to be there that are covered with it."""

PLACES = 9
"""To which a cover is moved for comparison."""

SAMPLES = (100_004, 100_011, 100_000, 100_007, 100_012, 100_003)
"""Drawn studies with hardware."""


@dataclass(frozen=True)
class Picture:
    """A radiograph to cover parts of."""

    name: str
    pixels: NDArray[np.uint8]
    """(H, W), as it is shown and as the model is asked."""
    known: Mask | None
    """Where there is what is to be found, and hardware; None where that is not known."""
    synthetic: bool = False

    @property
    def identity(self) -> str:
        """Another one for other pixels: two uploads may have one name."""
        return f"{self.name} {self.pixels.shape} {zlib.crc32(self.pixels.tobytes())}"


def show_covering() -> None:
    """Choose a model and an image, cover parts of it, and see the answer before and after."""
    st.markdown(
        "A model that was shown metal only in broken bones may answer to the metal. Cover it, or a marker, or the "
        "border, and see whether the answer goes with it. Covering anything changes an answer: so the same "
        "cover is laid elsewhere, too."
    )
    folder = choose_model()
    if folder is None:
        no_model_hint()
        return
    with show_errors():
        picture = _choose_picture(folder)
        if picture is not None:
            _cover(folder, picture)


def _choose_picture(folder: ModelFolder) -> Picture | None:
    way = st.segmented_control(
        "X-ray", ["Drawn", "Of the model's data", "My own"], default="Drawn", required=True, key="x-ray to cover",
        persist_state="session",
    )  # fmt: skip
    return _drawn() if way == "Drawn" else _own() if way == "My own" else _of_the_data(folder)


def _drawn() -> Picture:
    number = st.selectbox("Synthetic study with hardware", SAMPLES, key="drawn to cover", persist_state="session")
    return _draw(number)


@st.cache_data(max_entries=8, show_spinner="Drawing the study")
def _draw(number: int) -> Picture:
    drawn = generate_sample(number, views=1)[0]
    return Picture(f"synthetic {number}", drawn.pixels, drawn.truth.mask, synthetic=True)


def _of_the_data(folder: ModelFolder) -> Picture | None:
    """One of the validation images; those that are known to show hardware come first."""
    table = dataset_cache.images_of(prediction_cache.classifier(folder).card)
    table = table[table["split"] == "valid"] if len(table) else table
    if table.empty:
        st.info("The data set that this model was trained on is not on this machine.", icon=":material/folder_off:")
        return None
    metal = table["findings"].str.contains("hardware")
    told = dict(zip(table["image_id"], np.where(metal, "hardware, ", "") + table["word"], strict=True))
    names = [*table.loc[metal, "image_id"], *table.loc[~metal, "image_id"]]
    name = st.selectbox(
        "Validation image", names, key=f"to cover of {folder.name}", format_func=lambda each: f"{each} ({told[each]})"
    )
    row = table.set_index("image_id").loc[name]
    if _another_file(folder, row):
        st.info("The model was validated on another file of this name: choose another image.", icon=":material/help:")
        return None
    pixels = dataset_cache.large(row["path"], SHOWN_SMALL)
    height, width = pixels.shape
    boxes = scale_boxes(parse_boxes(row["boxes"]), width / max(row["width"], 1), height / max(row["height"], 1))
    return Picture(name, pixels, boxes_to_mask(boxes, width, height) if boxes else None)


def _another_file(folder: ModelFolder, row: "pd.Series[Any]") -> bool:
    """Whether the model's predictions record another file for this image; older ones record none."""
    predictions = prediction_cache.scored(folder, "image")
    recorded = predictions.loc[predictions["image_id"] == row.name, "sha256"].iloc[:1].tolist()
    return recorded not in ([], [""], dataset_cache.digests_of([row["path"]]))


def _own() -> Picture | None:
    file = st.file_uploader("An X-ray", ["png", "jpg", "jpeg", "dcm"], key="own to cover", max_upload_size=50)
    if file is None:
        return None
    image = radiograph.read(file.getvalue(), file.name)
    return Picture(sanitize_name(file.name), radiograph.shrink(image.pixels, SHOWN_SMALL), None, image.synthetic)


@st.fragment
def _cover(folder: ModelFolder, picture: Picture) -> None:
    """The picture to draw on and the heat map that comes of it, with what can be covered by a button."""
    covers = _covers_of(picture)
    fill = st.segmented_control(
        "Covered with", FILLS, default=FILLS[0], required=True, key="fill", persist_state="session",
        format_func={"surroundings": "What lies around", "mean": "Mean gray", "black": "Black"}.__getitem__,
    )  # fmt: skip
    _buttons(picture, covers)
    with show_errors():
        classifier = prediction_cache.classifier(folder)
        bare = np.zeros(picture.pixels.shape, np.bool_)
        mask = np.any([bare, *covers], axis=0)
        before, now = (_ask(classifier, picture, each, fill) for each in (bare, mask))
        left, right = st.columns(2)
        with left:
            _draw_on(picture, now.pixels, covers)
        with right:
            full, ring = full_heat(classifier, [before, now]), likeliest(classifier, now)
            shown = heated(classifier, now, 0.4, full, ring)
            key = f"heat of {picture.identity}"
            show_chart(charts.still(shown, picture.name), key, f"{picture.name} with its heat map")
            st.caption(heat_in_words(classifier))
        if mask.any():
            elsewhere_too = [
                _ask(classifier, picture, moved, fill).view.probability for moved in elsewhere(mask, PLACES)
            ]
            _compare(classifier, float(mask.mean()), before, now, elsewhere_too)


def _covers_of(picture: Picture) -> list[Mask]:
    """What is covered of it so far; of another picture, nothing."""
    name, covers = st.session_state.get("covers", ("", []))
    if name != picture.identity:
        covers = []
        st.session_state["covers"] = (picture.identity, covers)
    so_far: list[Mask] = covers
    return so_far


def _buttons(picture: Picture, covers: list[Mask]) -> None:
    height, width = picture.pixels.shape
    known, border = picture.known, border_mask(width, height, BORDER)
    with st.container(horizontal=True):
        st.button(
            "Cover what is known", icon=":material/select_all:", disabled=known is None,
            on_click=lambda: None if known is None else _add(covers, _wider(known)),
            help="The outline or the boxes of what is to be found, and of hardware, where they are known.",
        )  # fmt: skip
        st.button("Cover the border", icon=":material/crop_free:", on_click=_add, args=(covers, border))
        st.button(
            "Take the last one off",
            icon=":material/undo:",
            disabled=not covers,
            on_click=covers.__delitem__,
            args=(-1,),
        )
        st.button("Uncover all", icon=":material/layers_clear:", disabled=not covers, on_click=covers.clear)


def _add(covers: list[Mask], mask: Mask) -> None:
    """One more cover, where it covers anything more."""
    if (mask & ~np.any([mask & False, *covers], axis=0)).any():
        covers.append(mask)


def _wider(mask: Mask) -> Mask:
    from scipy.ndimage import binary_dilation

    wider: Mask = binary_dilation(mask, iterations=MARGIN)
    return wider


def _draw_on(picture: Picture, pixels: NDArray[np.uint8], covers: list[Mask]) -> None:
    """The picture; what is outlined on it is covered next."""
    key = f"canvas {picture.identity}"
    st.plotly_chart(
        charts.canvas(Image.fromarray(pixels), picture.name), key=key, alt=f"{picture.name}, to draw on",
        on_select=partial(_outlined, key, pixels.shape, covers), selection_mode=("box", "lasso"),
        config={"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["select2d", "lasso2d"]]},
    )  # fmt: skip
    st.caption("Drag a box over the image; or choose the lasso above it and paint around a part.")


def _outlined(key: str, shape: tuple[int, int], covers: list[Mask]) -> None:
    """Cover what a visitor has drawn."""
    drawn = st.session_state[key]["selection"]
    for each in (*drawn["box"], *drawn["lasso"]):
        mask = outline_mask(list(zip(each["x"], each["y"], strict=True)), shape[1], shape[0])
        _add(covers, mask)


def _ask(classifier: Classifier, picture: Picture, mask: Mask, fill: str) -> Examined:
    pixels = cover(picture.pixels, mask, fill)
    view = classifier.view(picture.name, radiograph.Radiograph(pixels, "PNG"))
    return Examined(view, pixels, "PNG", (), picture.synthetic)


def _compare(classifier: Classifier, share: float, uncovered: Examined, covered: Examined, others: list[float]) -> None:
    """The answer before and after, and with the same cover in other places; ``share`` of the image is covered."""
    before, after = uncovered.view.probability, covered.view.probability
    with st.container(horizontal=True):
        st.metric("As it is", f"{before:.1%}", width=150)
        st.metric("Covered", f"{after:.1%}", f"{(after - before) * 100:+.1f} points", "off", width=150)
        if others:
            usual = float(np.mean(others))
            st.metric(
                "The same cover elsewhere", f"{usual:.1%}", f"{(usual - before) * 100:+.1f} points", "off", width=220
            )
    st.markdown(
        f"Probability of *{escape_markdown(classifier.labels[1])}*; {share:.0%} of the image are covered. "
        + _against_elsewhere(before, after, others)
    )
    if covered.view.known is False:
        st.caption(
            ":material/warning: Covered like this, the image no longer looks like an X-ray that the model knows."
        )


def _against_elsewhere(before: float, after: float, others: list[float]) -> str:
    """Whether it matters what was covered, or only that something was."""
    if not others:
        return "A cover this large has no other place in the image, so that it cannot be told what any cover would do."
    as_much = sum(abs(each - before) >= abs(after - before) for each in others)
    words = f"Elsewhere, in {len(others)} places, it is {min(others):.1%} to {max(others):.1%}; "
    if as_much:
        return words + f"in {as_much} of them the answer changes as much. So this says little about what was covered."
    return words + (
        "in none of them does the answer change as much. So it matters what was covered here, or the hole that is left."
    )
