"""The served model: radiographs in, answers in the model's own words out.

>>> from fracture.classify.classifier import load_classifier
>>> from fracture.data.radiograph import read
>>> answer = load_classifier("first").classify([("view.png", read(data))])  # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.classify.graph import Graph
from fracture.classify.store import ModelFolder, model_folder, read_card
from fracture.data.radiograph import Radiograph, fit, unfit
from fracture.errors import ModelError

NOTICE = "A tool for teaching and research. It is no medical device: its answers must not guide the care of a person."


@dataclass(frozen=True)
class View:
    """What the model says of one image."""

    name: str
    probability: float
    """Of the positive label, 0 to 1."""
    cam: NDArray[np.float32]
    """(h, w), on the fitted square: what each place adds to the logit, before averaging; negative takes away."""
    features: NDArray[np.float32]
    """(2048,), averaged over the image."""


@dataclass(frozen=True)
class Answer:
    """What the model says of one study: the mean over its views."""

    probability: float
    """Of the positive label, 0 to 1."""
    threshold: float
    labels: tuple[str, str]
    """The model's words for negative and positive."""
    views: tuple[View, ...]

    @property
    def label(self) -> str:
        """The model's word for the side of the threshold that the probability lies on."""
        return self.labels[int(self.probability >= self.threshold)]


class Classifier:
    """One model, loaded. It may be shared between threads.

    Raises:
        ModelError: its card or its served graph is missing or damaged.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self.card: dict[str, Any] = read_card(folder)
        self.name = folder.name
        try:
            self._graph = Graph(folder.served_model.read_bytes())
            self._fit: str = self.card["input"]["fit"]
            negative, positive = self.card["labels"]
            self.threshold = float(self.card["thresholds"]["balanced"])
        except OSError as error:
            raise ModelError(
                f"Model {folder.name!r} has no served graph that can be read: {error.strerror}."
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The card of model {folder.name!r} is damaged: {error}.") from error
        self.labels: tuple[str, str] = (negative, positive)

    def classify(self, images: Sequence[tuple[str, Radiograph]], threshold: float | None = None) -> Answer:
        """Answer for one study.

        Args:
            images: its views, each with a name.
            threshold: probability from which on the answer is the positive label; None takes the card's balanced one.
        """
        return self.answer([self.view(name, image) for name, image in images], threshold)

    def answer(self, views: Sequence[View], threshold: float | None = None) -> Answer:
        """The answer for a study whose views have been looked at already."""
        probability = float(np.mean([view.probability for view in views]))
        return Answer(probability, self.threshold if threshold is None else threshold, self.labels, tuple(views))

    def view(self, name: str, image: Radiograph) -> View:
        """What the model says of one image."""
        output = self._graph(fit(image.pixels, self._graph.size, self._fit))
        return View(name, output.probability, output.cam, output.features)

    def heat(self, view: View, width: int, height: int) -> NDArray[np.float32]:
        """The class-activation map laid over the image drawn at any size in px: (height, width), in units of the logit.

        It is as coarse as the map it comes from (3 x 3 at 150 px, 8 x 8 at 299 px) and only interpolated between.
        """
        return unfit(view.cam, width, height, self._fit)


def load_classifier(name: str, root: Path | None = None) -> Classifier:
    """The classifier of the model called ``name``.

    Raises:
        ModelError: there is no such model, it is not finished, or it is damaged.
    """
    return Classifier(model_folder(name, root))
