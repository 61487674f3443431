"""Passes through the network, cached for their visitor: a slider must not run the network again.

Of a block only the strongest channels are kept, and of mixed10 all: about a MB an image.
"""

from dataclasses import dataclass

import streamlit as st

from fracture.app.network.image import ChosenImage
from fracture.app.shared.dataset_cache import HashFuncs
from fracture.errors import ModelError
from fracture.inference.classifier import Classifier, FirstPass
from fracture.inference.inside.head import WeightedMaps
from fracture.inference.inside.maps import Inside, Strongest, look_inside, strongest
from fracture.inference.inside.structure import LAST, Structure, read_structure
from fracture.registry.model_folder import ModelFolder

CHANNELS = 12
"""Maps of a block that are shown."""


def _model_version(model: Classifier) -> str:
    return model.version


def _identity(image: ChosenImage) -> str:
    return image.identity


_BY_PASS: HashFuncs = {Classifier: _model_version, ChosenImage: _identity}


@dataclass(frozen=True)
class Network:
    """A model and one image that it is given."""

    folder: ModelFolder
    model: Classifier
    image: ChosenImage

    @property
    def served(self) -> FirstPass:
        """The served model's own pass."""
        return _served(self.model, self.image)

    def block(self, name: str) -> Strongest:
        """The strongest channels of a block. Raises ModelError."""
        return _block(self.model, self.image, name, self.folder)

    @property
    def head(self) -> WeightedMaps:
        """The last maps and the weights of their channels. Raises ModelError."""
        return _head(self.model, self.image, self.folder)

    @property
    def key(self) -> str:
        """Different for another model or image."""
        return f"{self.model.version} {self.image.identity}"


@st.cache_resource(max_entries=4, scope="session", show_spinner="Running the network", hash_funcs=_BY_PASS)
def _served(model: Classifier, image: ChosenImage) -> FirstPass:
    return model.first_pass(image.name, image.radiograph)


@st.cache_resource(max_entries=8, scope="session", show_spinner="Running the network", hash_funcs=_BY_PASS)
def _block(model: Classifier, image: ChosenImage, name: str, _folder: ModelFolder) -> Strongest:
    inside, _ = _run(model, image, name, _folder)
    return strongest(inside.maps[name], CHANNELS)


@st.cache_resource(max_entries=2, scope="session", show_spinner="Running the network", hash_funcs=_BY_PASS)
def _head(model: Classifier, image: ChosenImage, _folder: ModelFolder) -> WeightedMaps:
    inside, structure = _run(model, image, LAST, _folder)
    return WeightedMaps(inside.maps[LAST], structure.weights, structure.bias, inside.logit)


def _run(model: Classifier, image: ChosenImage, block: str, folder: ModelFolder) -> tuple[Inside, Structure]:
    """One pass of a network that is loaded for it, and forgotten after it."""
    try:
        content = folder.served_model.read_bytes()
    except OSError as error:
        raise ModelError(f"Model {folder.name!r} has no served graph that can be read: {error.strerror}.") from error
    structure = read_structure(content)
    return look_inside(content, structure, _served(model, image).pixels, [block]), structure
