"""The occlusion lab: mask parts of a radiograph, and compare the model's prediction before and after."""

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fracture import charts
from fracture.app.experiments.lab_image import LabImage, choose_image
from fracture.app.shared import prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.state import MASKED, MASKS
from fracture.app.shared.widgets import (
    choose_model,
    escape_markdown,
    expander,
    learn_more,
    no_model_hint,
    show_chart,
    show_errors,
)
from fracture.experiments.masking import LOCATIONS, finding_mask
from fracture.imaging import radiograph
from fracture.inference.classifier import Classifier
from fracture.inference.occlusion import FILLS, Mask, border_mask, move_mask, occlude, outline_mask
from fracture.registry.model_folder import ModelFolder

BORDER_SHARE = 0.08
"""Of the shorter side, for the border mask."""

PICTURE_PX = 360
"""Height of both pictures: they and the numbers stand on one screen."""

_OPACITY = 0.4
"""Of the heat map."""

FILL_LABELS = {"surroundings": "Surroundings", "mean": "Mean gray", "black": "Black"}


def show_occlusion() -> None:
    """Choose a model and an image, mask parts of it, and see the prediction before and after."""
    st.header("Occlusion")
    st.caption("Mask the hardware, a marker or the border, and see whether the prediction depends on it.")
    left, right = st.columns(2)
    with left:
        folder = choose_model()
    if folder is None:
        no_model_hint()
        return
    with show_errors():
        with right:
            picture = choose_image(folder)
        if picture is not None:
            _show_experiment(folder, picture)
    learn_more(
        "learn occlusion",
        "- A model that has seen metal only in broken bones may take the metal as a shortcut.\n"
        "- Any mask changes a prediction somewhat. For comparison, the lab therefore also applies the same mask at "
        "other locations.\n"
        "- The fill matters: a black patch is itself something that no model has seen "
        "(Zeiler and Fergus, ECCV 2014).",
    )


@st.fragment
def _show_experiment(folder: ModelFolder, picture: LabImage) -> None:
    """The picture to draw on, its heat map, and beside them the masks and the comparison."""
    masks = _masks_of(picture)
    left, middle, right = st.columns(3)
    with right:
        _show_buttons(picture, masks)
        with expander("Settings", "occlusion settings", ":material/tune:"):
            fill = _choose_fill()
            _offer_border(picture, masks)
    with show_errors():
        classifier = prediction_cache.classifier(folder)
        nothing = np.zeros(picture.pixels.shape, np.bool_)
        mask = np.any([nothing, *masks], axis=0)
        before = _classify(classifier, picture, nothing, fill)
        after = _classify(classifier, picture, mask, fill)
        with left:
            _show_canvas(picture, after.pixels, masks)
        with middle:
            scale = full_heat(classifier, [before, after])
            shown = heated(classifier, after, _OPACITY, scale, likeliest(classifier, after))
            key = f"heat of {picture.identity}"
            show_chart(charts.still(shown, picture.name, PICTURE_PX), key, f"{picture.name} with its heat map")
            st.caption(heat_in_words(classifier))
        with right:
            if mask.any():
                moved = [_classify(classifier, picture, each, fill) for each in move_mask(mask, LOCATIONS)]
                probabilities = [each.view.probability for each in moved]
                _show_comparison(classifier, float(mask.mean()), before, after, probabilities)
            else:
                _show_original(classifier, before)


def _choose_fill() -> str:
    fill: str = st.segmented_control(
        "Fill of the mask",
        FILLS,
        default=FILLS[0],
        required=True,
        key="mask fill",
        persist_state="session",
        format_func=FILL_LABELS.__getitem__,
    )
    return fill


def _masks_of(picture: LabImage) -> list[Mask]:
    """The masks of this picture so far; none for another picture."""
    name, masks = MASKS.get()
    if name != picture.identity:
        masks = []
        MASKS.set((picture.identity, masks))
    found: list[Mask] = masks
    return found


def _show_buttons(picture: LabImage, masks: list[Mask]) -> None:
    with st.container(horizontal=True):
        st.button(
            "Show me",
            type="primary",
            icon=":material/play_arrow:",
            disabled=picture.known is None,
            on_click=_mask_findings,
            args=(masks, picture.known),
            key="mask truth",
            help="Masks the known outlines or boxes of findings and hardware.",
        )
        st.button(
            "Undo", icon=":material/undo:", disabled=not masks, on_click=_remove_last, args=(masks,), key="undo mask"
        )
        st.button(
            "Clear masks", icon=":material/layers_clear:", disabled=not masks, on_click=masks.clear, key="clear masks"
        )


def _offer_border(picture: LabImage, masks: list[Mask]) -> None:
    height, width = picture.pixels.shape
    st.button(
        "Mask border",
        icon=":material/crop_free:",
        on_click=_add,
        args=(masks, border_mask(width, height, BORDER_SHARE)),
        key="mask border",
    )


def _mask_findings(masks: list[Mask], known: Mask | None) -> None:
    if known is not None:
        _add(masks, finding_mask(known))


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
        charts.canvas(Image.fromarray(pixels), picture.name, PICTURE_PX),
        key=key,
        alt=f"{picture.name}, to draw on",
        on_select=partial(_add_drawn, key, pixels.shape, masks),
        selection_mode=("box", "lasso"),
        # Each button in a group of its own: Plotly's are 22 px high, and need room around them on a touch screen.
        config={"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["select2d"], ["lasso2d"]]},
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


def _show_original(classifier: Classifier, before: Examined) -> None:
    st.metric("Original", f"{before.view.probability:.1%}", width=150)
    st.markdown(f"Probability of *{escape_markdown(classifier.labels[1])}*. *Show me* masks what is known to be there.")


def _show_comparison(
    classifier: Classifier, share: float, before: Examined, after: Examined, moved: list[float]
) -> None:
    """The probability before and after, and with the same mask elsewhere; ``share`` of the image is masked."""
    original = before.view.probability
    masked = after.view.probability
    MASKED.set((original, masked))
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
        "at none of them does the prediction change as much. So the model depends on the masked part, or reacts to the "
        "gap that the mask leaves there."
    )
