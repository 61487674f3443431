"""The occlusion lab: mask parts of a radiograph, and compare the model's prediction before and after."""

import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fracture import charts
from fracture.app.shared import dataset_cache, prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.prediction_cache import GALLERY_PX, Examined
from fracture.app.shared.state import MASKS
from fracture.app.shared.widgets import (
    choose_model,
    escape_markdown,
    learn_more,
    no_model_hint,
    show_chart,
    show_errors,
)
from fracture.imaging import radiograph
from fracture.imaging.annotations import boxes_to_mask, parse_boxes, scale_boxes
from fracture.inference.classifier import Classifier
from fracture.inference.occlusion import FILLS, Mask, border_mask, move_mask, occlude, outline_mask
from fracture.paths import sanitize_name
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import ModelFolder

BORDER_SHARE = 0.08
"""Of the shorter side, for the border mask."""

MASK_MARGIN = 4
"""px around a finding that are masked with it."""

_OPACITY = 0.4
"""Of the heat map."""

LOCATIONS = 9
"""Other locations of the same mask, for comparison."""

SAMPLE_NUMBERS = (100_004, 100_011, 100_000, 100_007, 100_012, 100_003)
"""Numbers of synthetic studies with hardware."""

XRAY_SOURCES = ("Synthetic", "Model's data", "Upload")

FILL_LABELS = {"surroundings": "Surroundings", "mean": "Mean gray", "black": "Black"}


@dataclass(frozen=True)
class LabImage:
    """A radiograph to mask parts of."""

    name: str
    pixels: NDArray[np.uint8]
    """(H, W), as shown and as the model gets it."""
    known: Mask | None
    """The pixels of known findings and hardware; None where the data set has no boxes."""
    synthetic: bool = False

    @property
    def identity(self) -> str:
        """Different for other pixels: two uploads may have the same name."""
        return f"{self.name} {self.pixels.shape} {zlib.crc32(self.pixels.tobytes())}"


def show_occlusion() -> None:
    """Choose a model and an image, mask parts of it, and see the prediction before and after."""
    st.header("Occlusion")
    st.caption("Mask the hardware, a marker or the border, and see whether the prediction depends on it.")
    learn_more(
        "learn occlusion",
        "- A model that has seen metal only in broken bones may take the metal as a shortcut.\n"
        "- Any mask changes a prediction somewhat. For comparison, the lab therefore also applies the same mask at "
        "other locations.\n"
        "- The fill matters: a black patch is itself something that no model has seen "
        "(Zeiler and Fergus, ECCV 2014).",
    )
    folder = choose_model()
    if folder is None:
        no_model_hint()
        return
    with show_errors():
        picture = _choose_picture(folder)
        if picture is not None:
            _show_experiment(folder, picture)


def _choose_picture(folder: ModelFolder) -> LabImage | None:
    source = st.segmented_control(
        "X-ray", XRAY_SOURCES, default=XRAY_SOURCES[0], required=True, key="xray source", persist_state="session"
    )
    if source == "Synthetic":
        number = st.selectbox(
            "Synthetic study with hardware", SAMPLE_NUMBERS, key="synthetic study", persist_state="session"
        )
        return _generate(number)
    return _choose_upload() if source == "Upload" else _choose_validation_image(folder)


@st.cache_data(max_entries=8, show_spinner="Generating the study")
def _generate(number: int) -> LabImage:
    view = generate_sample(number, views=1)[0]
    return LabImage(f"synthetic {number}", view.pixels, view.truth.mask, synthetic=True)


def _choose_validation_image(folder: ModelFolder) -> LabImage | None:
    """One of the validation images; images with hardware come first."""
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
    row = table.set_index("image_id").loc[name]
    if _was_replaced(folder, row):
        st.info("This file was replaced since the validation: choose another image.", icon=":material/help:")
        return None
    pixels = dataset_cache.large(Path(row["path"]), GALLERY_PX)
    height, width = pixels.shape
    across = width / max(row["width"], 1)
    down = height / max(row["height"], 1)
    boxes = scale_boxes(parse_boxes(row["boxes"]), across, down)
    return LabImage(name, pixels, boxes_to_mask(boxes, width, height) if boxes else None)


def _was_replaced(folder: ModelFolder, row: "pd.Series[Any]") -> bool:
    """Whether the model's predictions record another file for this image; older ones record none."""
    predictions = prediction_cache.scored(folder, "image")
    recorded = predictions.loc[predictions["image_id"] == row.name, "sha256"]
    if recorded.empty or not recorded.iloc[0]:
        return False
    return [recorded.iloc[0]] != dataset_cache.digests_of([Path(row["path"])])


def _choose_upload() -> LabImage | None:
    file = st.file_uploader("X-ray file", key="xray upload", max_upload_size=50)
    if file is None:
        return None
    image = radiograph.read(file.getvalue(), file.name)
    return LabImage(sanitize_name(file.name), radiograph.shrink(image.pixels, GALLERY_PX), None, image.synthetic)


@st.fragment
def _show_experiment(folder: ModelFolder, picture: LabImage) -> None:
    """The buttons for masks, the picture to draw on with its heat map, and the comparison."""
    masks = _masks_of(picture)
    fill = st.segmented_control(
        "Fill of the mask",
        FILLS,
        default=FILLS[0],
        required=True,
        key="mask fill",
        persist_state="session",
        format_func=FILL_LABELS.__getitem__,
    )
    _show_buttons(picture, masks)
    with show_errors():
        classifier = prediction_cache.classifier(folder)
        nothing = np.zeros(picture.pixels.shape, np.bool_)
        mask = np.any([nothing, *masks], axis=0)
        before = _classify(classifier, picture, nothing, fill)
        after = _classify(classifier, picture, mask, fill)
        left, right = st.columns(2)
        with left:
            _show_canvas(picture, after.pixels, masks)
        with right:
            scale = full_heat(classifier, [before, after])
            shown = heated(classifier, after, _OPACITY, scale, likeliest(classifier, after))
            key = f"heat of {picture.identity}"
            show_chart(charts.still(shown, picture.name), key, f"{picture.name} with its heat map")
            st.caption(heat_in_words(classifier))
        if mask.any():
            moved = [_classify(classifier, picture, each, fill) for each in move_mask(mask, LOCATIONS)]
            _show_comparison(classifier, float(mask.mean()), before, after, [each.view.probability for each in moved])


def _masks_of(picture: LabImage) -> list[Mask]:
    """The masks of this picture so far; none for another picture."""
    name, masks = MASKS.get()
    if name != picture.identity:
        masks = []
        MASKS.set((picture.identity, masks))
    found: list[Mask] = masks
    return found


def _show_buttons(picture: LabImage, masks: list[Mask]) -> None:
    height, width = picture.pixels.shape
    with st.container(horizontal=True):
        st.button(
            "Mask findings",
            icon=":material/select_all:",
            disabled=picture.known is None,
            on_click=_mask_findings,
            args=(masks, picture.known),
            key="mask truth",
            help="Masks the known outlines or boxes of findings and hardware.",
        )
        st.button(
            "Mask border",
            icon=":material/crop_free:",
            on_click=_add,
            args=(masks, border_mask(width, height, BORDER_SHARE)),
            key="mask border",
        )
        st.button(
            "Undo", icon=":material/undo:", disabled=not masks, on_click=_remove_last, args=(masks,), key="undo mask"
        )
        st.button(
            "Clear masks", icon=":material/layers_clear:", disabled=not masks, on_click=masks.clear, key="clear masks"
        )


def _mask_findings(masks: list[Mask], known: Mask | None) -> None:
    from scipy.ndimage import binary_dilation

    if known is not None:
        _add(masks, binary_dilation(known, iterations=MASK_MARGIN))


def _remove_last(masks: list[Mask]) -> None:
    masks.pop()


def _add(masks: list[Mask], mask: Mask) -> None:
    """One more mask, unless the others contain it already."""
    masked = np.any([mask & False, *masks], axis=0)
    if (mask & ~masked).any():
        masks.append(mask)


def _show_canvas(picture: LabImage, pixels: NDArray[np.uint8], masks: list[Mask]) -> None:
    """The picture; a visitor draws on it to mask a part."""
    key = f"canvas {picture.identity}"
    st.plotly_chart(
        charts.canvas(Image.fromarray(pixels), picture.name),
        key=key,
        alt=f"{picture.name}, to draw on",
        on_select=partial(_add_drawn, key, pixels.shape, masks),
        selection_mode=("box", "lasso"),
        config={"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["select2d", "lasso2d"]]},
    )
    st.caption("Drag a box over the image, or choose the lasso above it and draw around a part.")


def _add_drawn(key: str, shape: tuple[int, int], masks: list[Mask]) -> None:
    """Mask the boxes and outlines that a visitor has drawn."""
    drawn = st.session_state[key]["selection"]
    height, width = shape
    for each in (*drawn["box"], *drawn["lasso"]):
        corners = list(zip(each["x"], each["y"], strict=True))
        _add(masks, outline_mask(corners, width, height))


def _classify(classifier: Classifier, picture: LabImage, mask: Mask, fill: str) -> Examined:
    pixels = occlude(picture.pixels, mask, fill)
    view = classifier.view(picture.name, radiograph.Radiograph(pixels, "PNG"))
    return Examined(view, pixels, "PNG", (), picture.synthetic)


def _show_comparison(
    classifier: Classifier, share: float, before: Examined, after: Examined, moved: list[float]
) -> None:
    """The probability before and after, and with the same mask elsewhere; ``share`` of the image is masked."""
    original = before.view.probability
    masked = after.view.probability
    with st.container(horizontal=True):
        st.metric("Original", f"{original:.1%}", width=150)
        st.metric("Masked", f"{masked:.1%}", f"{(masked - original) * 100:+.1f} points", "off", width=150)
        if moved:
            mean = float(np.mean(moved))
            change = f"{(mean - original) * 100:+.1f} points"
            st.metric("Same mask elsewhere", f"{mean:.1%}", change, "off", width=220)
    st.markdown(
        f"Probability of *{escape_markdown(classifier.labels[1])}*; {share:.0%} of the image is masked. "
        f"{_explain_change(original, masked, moved)}"
    )
    if after.view.known is False:
        st.caption(":material/warning: The masked image is out of distribution: unlike the training images.")


def _explain_change(original: float, masked: float, moved: list[float]) -> str:
    """Whether the location of the mask matters, or only that there is one."""
    if not moved:
        return "A mask this large fits nowhere else in the image, so that there is no comparison."
    as_much = sum(abs(each - original) >= abs(masked - original) for each in moved)
    words = f"At {len(moved)} other locations, the same mask gives {min(moved):.1%} to {max(moved):.1%}; "
    if as_much:
        return words + f"at {as_much} of them the prediction changes as much. So the masked part explains little."
    return words + (
        "at none of them the prediction changes as much. So the model depends on the masked part, or reacts to the "
        "gap that the mask leaves there."
    )
