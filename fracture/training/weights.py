"""The sources of a backbone's pre-trained weights, and what must be known about them.

The pixel range belongs to the weights: a backbone that was trained on [0, 1] and gets [-1, 1] still answers, only
worse, and nobody would notice. So a source without a known range is refused.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.errors import WeightsError
from fracture.files import JsonObject, file_sha256
from fracture.inference.ood import load_ood_detector
from fracture.paths import typed_path
from fracture.registry.dynamic_range import dynamic_range_sha256
from fracture.registry.model_folder import bundled_model, check_files, read_card
from fracture.training import imagenet
from fracture.training.config import LITE, WEIGHT_SOURCES, TrainConfig

SOURCES = (
    "Sources: imagenet (needs the internet once), bundled (the model that comes with the project), bundled-8bit (the "
    "same as it is served, for heads only), none (random), or the path of a .weights.h5 file."
)
"""All sources, in a sentence for errors: a source that is not available is never replaced silently."""

BUNDLED_SOURCES = ("bundled", "bundled-8bit")
"""The sources of the bundled model's backbone."""


@dataclass(frozen=True)
class Weights:
    """A backbone's weights, before anything is loaded."""

    source: str
    """One of :data:`fracture.training.config.WEIGHT_SOURCES`, or a file's name."""
    origin: str
    """Who trained them, and on what, in a sentence."""
    licence: str
    input_range: tuple[float, float]
    """What the darkest and the brightest pixel become before they enter the backbone."""
    identity: str
    """Equal for equal weights: the file's sha256, or a name for sources without a file."""
    path: Path | None = None
    """The file to load; None for ``imagenet``, which Keras fetches, and for ``none``."""

    @property
    def sha256(self) -> str | None:
        """The file's sha256; None where there is no file."""
        return self.identity if self.path else None

    @property
    def without_keras(self) -> bool:
        """Whether a head is trained on them without TensorFlow."""
        return self.source == LITE


def find_weights(config: TrainConfig) -> Weights:
    """The weights of ``config.weights``, checked as far as possible without TensorFlow.

    Raises:
        WeightsError: the source is not available, is not what it claims, or its input range is unknown.
    """
    if config.input_range and config.weights in WEIGHT_SOURCES:
        raise WeightsError(f"input_range is for a weights file; the range of {config.weights} is known. Leave it out.")
    if config.weights == "none":
        return Weights("none", "random, never trained", "none needed", (-1.0, 1.0), f"random {config.seed}")
    if config.weights == "imagenet":
        return Weights("imagenet", "Keras Applications, trained on ImageNet", "Apache-2.0", (-1.0, 1.0), "imagenet")
    if config.weights in BUNDLED_SOURCES:
        return _bundled(config.weights)
    try:
        path = typed_path(config.weights)
    except ValueError as error:
        raise WeightsError(f"{error} {SOURCES}") from error
    return _from_file(path, config.input_range)


def check_available(weights: Weights) -> None:
    """Raise WeightsError where Keras would have to fetch them and can't. Takes some seconds at most."""
    if weights.source == "imagenet" and not imagenet.available(imagenet.RUN_TIMEOUT_SECONDS):
        raise WeightsError(
            "The ImageNet weights are not on this machine, and the server that has them does not answer. " + SOURCES
        )


def _bundled(source: str) -> Weights:
    folder = bundled_model()
    file = folder.served_model if source == LITE else folder.backbone
    if not (folder.card.exists() and file.exists()):
        raise WeightsError(f"There is no bundled model in {folder.path.parent}. {SOURCES}")
    card = read_card(folder)
    check_files(folder, card)
    assert card.input.pixel_range and card.weights and card.data, "the bundled card is committed with them"
    bits = ", its weights in 8 bits" if source == LITE else ""
    origin = f"{card.weights.origin}; then fine-tuned on {card.data.name} by this project{bits}"
    data = [f"{each.name}: {each.licence}" for each in card.data.sources]
    licence = "; ".join([card.weights.licence, *data])
    identity = dynamic_range_sha256(folder) if source == LITE else file_sha256(file)
    return Weights(source, origin, licence, card.input.pixel_range, identity, file)


def seen_by_bundled(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which images of a table with ``image_id`` and ``sha256`` the bundled weights were trained on: (N,)."""
    detector = load_ood_detector(bundled_model().familiarity)
    return detector.trained_on(table["image_id"].tolist(), table["sha256"].tolist())


def _from_file(path: Path, input_range: tuple[float, float] | None) -> Weights:
    if not path.name.endswith(".weights.h5") or not path.is_file():
        raise WeightsError(f"weights must name a source or an existing .weights.h5 file. Received: {path}. {SOURCES}")
    beside = path.with_name(path.name.removesuffix(".weights.h5") + ".json")
    described = _read_description(beside)
    sha256 = file_sha256(path)
    # A description without a checksum is trusted: it was written by hand.
    if described.get("sha256", sha256) != sha256:
        raise WeightsError(f"{path.name} is not the file that {beside.name} describes: their sha256 differ.")
    pixel_range = input_range or described.get("input_range")
    if not pixel_range:
        raise WeightsError(
            f"The pixel range that {path.name} was trained on must be known: give input_range, for example 0 1 or -1 1,"
            f' or put {beside.name} beside it with "input_range": [0, 1].'
        )
    # The description is written by people, as JSON of any kind.
    try:
        low, high = map(float, pixel_range)
    except (TypeError, ValueError) as error:
        raise WeightsError(f'"input_range" in {beside.name} must be two numbers. Received: {pixel_range!r}') from error
    origin, licence = (_stated(described, key, beside) for key in ("source", "licence"))
    return Weights(path.name, origin, licence, (low, high), sha256, path)


def _stated(described: JsonObject, key: str, beside: Path) -> str:
    value = described.get(key, "not stated")
    if not isinstance(value, str):
        raise WeightsError(f'"{key}" in {beside.name} must be text. Received: {value!r}')
    return value


def _read_description(path: Path) -> JsonObject:
    if not path.exists():
        return {}
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"{path.name}, which describes the weights, is no JSON: {error}") from error
    if not isinstance(described, dict):
        raise WeightsError(f"{path.name}, which describes the weights, must hold a JSON object.")
    return described
