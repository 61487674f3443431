"""The radiograph whose way through the network is shown: a sample, one of the validation images, or an upload."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fracture.app.shared.pickers.validation_image import choose_validation_image
from fracture.imaging import radiograph
from fracture.imaging.limits import MAX_FILE_MB
from fracture.imaging.radiograph import Radiograph
from fracture.paths import sanitize_name
from fracture.registry.model_folder import ModelFolder
from fracture.sample_radiographs import CREDIT, FIRST, SampleRadiograph, sample_radiographs

SAMPLE = "Sample"

SOURCES = (SAMPLE, "Model's data", "Upload")


@dataclass(frozen=True)
class ChosenImage:
    """A radiograph in full size."""

    name: str
    radiograph: Radiograph
    truth: str = ""
    """Its label, in the words of its data set, and where it comes from; empty where nobody knows."""

    @property
    def identity(self) -> str:
        """Different for other pixels: two uploads may have the same name."""
        return f"{self.name} {self.radiograph.pixels.shape} {zlib.crc32(self.radiograph.pixels.tobytes())}"


def choose_image(folder: ModelFolder) -> ChosenImage | None:
    """Pickers of a source and of an image, side by side; None where none is chosen.

    Raises RadiographError where the file cannot be read.
    """
    sources = SOURCES if sample_radiographs() else SOURCES[1:]
    left, right = st.columns((2, 3))
    with left:
        source = st.segmented_control(
            "X-ray", sources, default=sources[0], required=True, key="network source", persist_state="session"
        )
    with right:
        if source == SAMPLE:
            return _choose_sample()
        return _choose_upload() if source == "Upload" else _choose_validation_image(folder)


def _choose_sample() -> ChosenImage:
    samples = {each.name: each for each in sample_radiographs()}
    name = st.selectbox(
        "Sample",
        list(samples),
        index=list(samples).index(FIRST) if FIRST in samples else 0,
        format_func=lambda each: _describe(samples[each]),
        key="network sample",
        persist_state="session",
    )
    chosen = samples[name]
    return ChosenImage(name, _load(chosen.path), f"{chosen.label}, {CREDIT}")


def _describe(sample: SampleRadiograph) -> str:
    return f"{sample.body_part.capitalize()}, {sample.label} ({Path(sample.name).stem})"


def _choose_validation_image(folder: ModelFolder) -> ChosenImage | None:
    row = choose_validation_image(folder)
    return None if row is None else ChosenImage(str(row.name), _load(Path(row["path"])), str(row["word"]))


def _choose_upload() -> ChosenImage | None:
    file = st.file_uploader("X-ray file", key="network upload", max_upload_size=MAX_FILE_MB)
    if file is None:
        return None
    name = sanitize_name(file.name)
    return ChosenImage(name, radiograph.read(file.getvalue(), name))


def _load(path: Path) -> Radiograph:
    return radiograph.load(path)
