"""The radiograph that a visitor masks parts of: a synthetic one, one of the model's validation images, or an upload."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fracture.app.shared import dataset_cache
from fracture.app.shared.pickers.validation_image import choose_validation_image
from fracture.app.shared.prediction_cache import GALLERY_PX
from fracture.experiments.masking import masked_images
from fracture.experiments.shipped.features import is_shipped, shipped_plan
from fracture.experiments.shipped.phantoms import shipped_image
from fracture.imaging import radiograph
from fracture.imaging.annotations import boxes_to_mask, parse_boxes, scale_boxes
from fracture.inference.occlusion import Mask
from fracture.paths import sanitize_name
from fracture.registry.model_folder import ModelFolder

SYNTHETIC = "Synthetic"

XRAY_SOURCES = (SYNTHETIC, "Model's data", "Upload")


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


def choose_image(folder: ModelFolder) -> LabImage | None:
    """Pickers of a source and of an image; None where none is chosen, with a hint where there is none."""
    sources = XRAY_SOURCES if is_shipped() else XRAY_SOURCES[1:]
    with st.container(horizontal=True, vertical_alignment="top"):
        source = st.segmented_control(
            "X-ray", sources, default=sources[0], required=True, key="xray source", persist_state="session"
        )
        if source == SYNTHETIC:
            names = masked_images()
            number = st.selectbox(
                "Synthetic study with hardware",
                range(len(names)),
                format_func=_synthetic_name,
                key="synthetic study",
                persist_state="session",
                width=240,
            )
            return _generate(names[number], _synthetic_name(number))
    return _choose_upload() if source == "Upload" else _choose_validation_image(folder)


def _synthetic_name(number: int) -> str:
    return f"Synthetic {ascii_uppercase[number]}"


@st.cache_data(max_entries=8, show_spinner="Generating the study")
def _generate(image_id: str, name: str) -> LabImage:
    image = shipped_image(shipped_plan(), image_id)
    return LabImage(name, image.pixels, image.mask, synthetic=True)


def _choose_validation_image(folder: ModelFolder) -> LabImage | None:
    """One of the validation images; images with hardware come first."""
    row = choose_validation_image(folder)
    if row is None:
        return None
    pixels = dataset_cache.large(Path(row["path"]), GALLERY_PX)
    height, width = pixels.shape
    across = width / max(row["width"], 1)
    down = height / max(row["height"], 1)
    boxes = scale_boxes(parse_boxes(row["boxes"]), across, down)
    return LabImage(str(row.name), pixels, boxes_to_mask(boxes, width, height) if boxes else None)


def _choose_upload() -> LabImage | None:
    file = st.file_uploader("X-ray file", key="xray upload", max_upload_size=50)
    if file is None:
        return None
    image = radiograph.read(file.getvalue(), file.name)
    return LabImage(sanitize_name(file.name), radiograph.shrink(image.pixels, GALLERY_PX), None, image.synthetic)
