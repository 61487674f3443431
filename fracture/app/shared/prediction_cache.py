"""Models, loaded once, and their predictions; those of uploads are kept for their visitor alone.

Every cache is bounded. A cached function tells models apart by their versions, which change with the models' files.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fracture.app.shared.dataset_cache import BY_FILE, HashFuncs
from fracture.app.shared.uploads import Upload, read_upload
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import ModelError
from fracture.estimate import Estimate
from fracture.evaluation.metrics import by_study, mean, rates
from fracture.imaging import radiograph as radiographs
from fracture.imaging.radiograph import Radiograph
from fracture.inference.classifier import Classifier, FirstPass
from fracture.inference.litert import Graph, fastest_graph
from fracture.inference.prediction import View
from fracture.inference.radiograph_check import RadiographScreen
from fracture.paths import sanitize_name
from fracture.phantoms import samples
from fracture.phantoms.truth import Truth
from fracture.registry.adjustments import Adjustments, find_adjustments
from fracture.registry.model_folder import ModelFolder, read_card, read_predictions
from fracture.registry.validation import OperatingPoint

VIEW_PX = 1024
"""Longer side of an image that is shown large."""

GALLERY_PX = 640
"""Longer side of an image in a gallery with heat maps."""

MAX_EXAMINED = 100
"""First passes over uploads that are cached for a visitor, of all models together; each takes about a MB."""


def folder_version(folder: ModelFolder) -> str:
    """Another one whenever the model's files have changed."""
    return f"{folder.path} {folder.version}"


def _classifier_version(model: Classifier) -> str:
    return model.version


def _screen_version(screen: RadiographScreen) -> str:
    return f"{screen.model.version} {screen.check.bias} {screen.check.threshold}"


def _upload_version(upload: Upload) -> str:
    return upload.version


BY_FOLDER: HashFuncs = {ModelFolder: folder_version}
"""``hash_funcs`` of a cached function that reads a model's files."""

BY_CLASSIFIER: HashFuncs = {Classifier: _classifier_version}


@st.cache_resource(
    max_entries=4,
    show_spinner="Loading the model",
    hash_funcs={**BY_FOLDER, Adjustments: Adjustments.model_dump_json},
)
def classifier(folder: ModelFolder, adjustments: Adjustments | None = None) -> Classifier:
    """The model in a folder, loaded once until its files or its adjustments change; its graph only while it is used."""
    version = folder_version(folder)
    return Classifier(folder, adjustments, lambda: _graph(folder, version))


# A graph takes most of a model's memory. Automatic asks up to four models: with all of their graphs the server would
# take more than a small machine has, and loading one again takes about 0.1 s.
@st.cache_resource(max_entries=2, show_spinner=False)
def _graph(_folder: ModelFolder, version: str) -> Graph:
    """The served graph of one version of a model."""
    try:
        graph = fastest_graph(_folder.served_model.read_bytes())
    except OSError as error:
        raise ModelError(f"Model {_folder.name!r} has no served graph that can be read: {error.strerror}.") from error
    if folder_version(_folder) != version:  # its answers would be judged by another card's thresholds
        raise ModelError(f"Model {_folder.name!r} has changed meanwhile. Reload the page.")
    return graph


def adjusted_classifier(folder: ModelFolder) -> Classifier:
    """The model with its adjustments; where they can't be used, a sentence says why, and it answers without them."""
    try:
        adjustments = find_adjustments(folder, read_card(folder))
    except ModelError as error:
        st.warning(escape_markdown(str(error)), icon=":material/tune:")
        adjustments = None
    if adjustments is None:  # with None for an argument the same model would be loaded a second time
        return classifier(folder)
    return classifier(folder, adjustments)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=BY_FOLDER)
def scored(folder: ModelFolder, level: str, data: str = "") -> pd.DataFrame:
    """A model's validation predictions by ``image`` or by ``study``: ``group, label, probability`` and more.

    ``data``: only those of this data set, where the model was validated on several.
    Raises ModelError where they are missing or damaged.
    """
    table = read_predictions(folder)
    if data and "data" in table:
        table = table[table["data"] == data]
    return by_study(table) if level == "study" else table


class PredictivePoint(OperatingPoint):
    """The metrics at one threshold, with the positive and the negative predictive value."""

    ppv: Estimate
    npv: Estimate


@st.cache_data(max_entries=2000, show_spinner=False, hash_funcs=BY_FOLDER)
def operating_point(folder: ModelFolder, level: str, threshold: float, data: str = "") -> PredictivePoint:
    """The rates of :func:`fracture.evaluation.metrics.rates` at a threshold, and the predictive values."""
    table = scored(folder, level, data)
    reaches_threshold = table["probability"] >= threshold
    called = table[reaches_threshold]
    cleared = table[~reaches_threshold]
    ppv = mean((called["label"] == 1).to_numpy(np.float64), called["group"])
    npv = mean((cleared["label"] != 1).to_numpy(np.float64), cleared["group"])
    return PredictivePoint(**rates(table, threshold), ppv=ppv, npv=npv)


@dataclass(frozen=True)
class Examined:
    """An image and what the model says of it."""

    seen: View | FirstPass
    """After the first pass alone it is known how familiar the image is."""
    pixels: NDArray[np.uint8]
    """(h, w), small enough to be shown; what the model saw does not depend on it."""
    size: tuple[int, int] = field(default=(0, 0), kw_only=True)
    """(width, height) in px of what the model saw; (0, 0) where nobody asks."""
    format: str
    steps: tuple[str, ...]
    """What was done to get from the file to the pixels, in words."""
    synthetic: bool
    """The file says of itself that it was generated."""
    source: str = ""
    """The upload that it was read from; empty for other images, which can't be changed."""
    changed: bool = False
    """The visitor has changed the picture."""

    @property
    def view(self) -> View:
        """The model's answer. After the first pass alone, asking for it runs the mirror image where it is needed."""
        return self.seen.view if isinstance(self.seen, FirstPass) else self.seen


# A resource: cache_data would pickle it, and copy all pixels at each click.
@st.cache_resource(
    max_entries=MAX_EXAMINED,
    scope="session",
    show_spinner="Classifying the image",
    hash_funcs={Upload: _upload_version, **BY_CLASSIFIER},
)
def examined(upload: Upload, model: Classifier) -> Examined:
    """A model's first pass over an upload, kept for this visitor alone, as long as the browser tab is open.

    Raises:
        RadiographError: the file cannot be read.
    """
    name = sanitize_name(upload.name)
    image = read_upload(upload)
    if upload.frame > 1:
        name = f"{name} (frame {upload.frame})"
    if upload.changes:
        name = f"{name} (changed)"
    seen = _examined(image, model.first_pass(name, image), VIEW_PX)
    return replace(seen, source=upload.source, changed=bool(upload.changes))


def screened(upload: Upload, seen: dict[str, Examined], screen: RadiographScreen | None) -> dict[str, Examined]:
    """What models have said of an upload, by their names, marked with whether it is a radiograph."""
    if screen is None:
        return seen
    own = seen.get(screen.model.name)
    radiograph = _is_radiograph(upload, screen, None if own is None else own.seen)
    marked = screen.mark_by(radiograph, {name: each.seen for name, each in seen.items()})
    return {name: replace(each, seen=marked[name]) for name, each in seen.items()}


@st.cache_resource(
    max_entries=MAX_EXAMINED,
    scope="session",
    show_spinner="Checking the image",
    hash_funcs={Upload: _upload_version, RadiographScreen: _screen_version},
)
def _is_radiograph(upload: Upload, screen: RadiographScreen, _own: View | FirstPass | None) -> bool:
    """Whether an upload is a radiograph; for this visitor alone, as the prediction.

    ``_own``: what the screen's own model has said of it, if it was asked.
    """
    image = read_upload(upload)
    embedding = screen.model.embedding(image) if _own is None else _own.embedding
    return screen.check.is_radiograph(embedding, image)


def forget_uploads() -> None:
    """Forget this visitor's answers and pictures: the caches are the session's own."""
    examined.clear()
    _is_radiograph.clear()


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={**BY_FILE, **BY_CLASSIFIER})
def examined_file(path: Path, model: Classifier) -> Examined:
    """A model's prediction for an image file, as its validation had it, shown small.

    Raises:
        RadiographError: the file cannot be read.
    """
    image = radiographs.load(path)
    return _examined(image, model.view(path.name, image), GALLERY_PX)


def _examined(image: Radiograph, seen: View | FirstPass, size: int) -> Examined:
    shown = radiographs.shrink(image.pixels, size)
    return Examined(seen, shown, image.format, image.steps, image.synthetic, size=(image.width, image.height))


@st.cache_resource(max_entries=12, show_spinner="Classifying the image", hash_funcs={**BY_FILE, **BY_CLASSIFIER})
def sample_radiograph(path: Path, model: Classifier) -> Examined:
    """A model's first pass over a real radiograph that comes with the app; shared by all visitors.

    Raises:
        RadiographError: the file cannot be read.
    """
    image = radiographs.load(path)
    return _examined(image, model.first_pass(path.name, image), VIEW_PX)


@st.cache_resource(max_entries=8, show_spinner="Generating the study", hash_funcs=BY_CLASSIFIER)
def sample(number: int, model: Classifier) -> list[tuple[Examined, Truth]]:
    """A synthetic study: a model's first pass over each view, and the truth about it."""
    views = []
    for each in samples.generate_sample(number):
        first = model.first_pass(f"synthetic, {each.view}", Radiograph(each.pixels, "PNG"))
        views.append((Examined(first, each.pixels, "PNG", (), True), each.truth))
    return views


@st.cache_data(max_entries=64, show_spinner="Generating synthetic X-rays")
def sample_thumbnails(numbers: tuple[int, ...]) -> list[bytes]:
    """A small JPEG of the first view of each synthetic study."""
    return [radiographs.encode_thumbnail(views[0].pixels, 256) for views in samples.generate_samples(numbers, views=1)]
