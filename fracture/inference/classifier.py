"""The served model: radiographs in, answers in the model's own words out.

>>> from fracture.inference.classifier import load_classifier
>>> from fracture.imaging.radiograph import read
>>> answer = load_classifier("first").classify([("view.png", read(data))])  # doctest: +SKIP
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.imaging.radiograph import Radiograph, fit, frame, unfit
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph
from fracture.inference.ood import Familiarity, load_familiarity
from fracture.inference.prediction import Answer, Limits, View, probability_of
from fracture.registry.model_folder import ModelFolder, model_folder, read_card
from fracture.registry.sums import check_files

NOTICE = "A tool for teaching and research. It is no medical device: its answers must not guide the care of a person."


class Classifier:
    """One model, loaded. It may be shared between threads.

    Raises:
        ModelError: its card, its served graph or what it knows of its training images is missing, damaged or another's.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self.version = f"{folder.path} {folder.version}"  # before anything is read: a file may change meanwhile
        self.card: dict[str, Any] = read_card(folder)
        self.name = folder.name
        try:
            check_files(folder, self.card)
            self._graph = Graph(folder.served_model.read_bytes())
            self._fit: str = self.card["input"]["fit"]
            negative, positive = self.card["labels"]
            self.limits = Limits.from_card(self.card)
            self._temperature = float(self.card["temperature"])
        except OSError as error:
            raise ModelError(
                f"Model {folder.name!r} has no served graph that can be read: {error.strerror}."
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The card of model {folder.name!r} is damaged: {error}.") from error
        self.labels: tuple[str, str] = (negative, positive)
        self.familiarity: Familiarity | None = (
            load_familiarity(folder.familiarity) if folder.familiarity.exists() else None
        )

    def classify(self, images: Sequence[tuple[str, Radiograph]], threshold: float | None = None) -> Answer:
        """Answer for one study.

        Args:
            images: its views, each with a name.
            threshold: probability from which on the answer is the positive label, and below the negative one; None
                takes the two limits of the card, between which the answer is in doubt.
        """
        return self.answer([self.view(name, image) for name, image in images], threshold)

    def answer(self, views: Sequence[View], threshold: float | None = None) -> Answer:
        """The answer for a study whose views have been looked at already."""
        limits = self.limits if threshold is None else Limits(threshold, threshold)
        return Answer(self.labels, limits, tuple(views))

    def view(self, name: str, image: Radiograph) -> View:
        """What the model says of one image and of its mirror image."""
        pixels = fit(image.pixels, self._graph.size, self._fit)
        straight, mirrored = self._graph.each(pixels, pixels[:, ::-1])
        logits = (straight.logit, mirrored.logit)
        return View(
            name=name,
            logits=logits,
            probability=probability_of(sum(logits) / 2, self._temperature),
            by_side=(probability_of(logits[0], self._temperature), probability_of(logits[1], self._temperature)),
            heat=heat_map(straight, mirrored, self._graph.size),
            framed=frame(image.width, image.height, self._graph.size, self._fit),
            looks=straight.looks,
            known=None if self.familiarity is None else self.familiarity.knows(straight.looks),
        )

    def heat(self, view: View, width: int, height: int) -> NDArray[np.float32]:
        """The heat map of a view over its image drawn at any size in px: (height, width), in the view's units."""
        return unfit(view.heat, view.framed, width, height)

    @property
    def shows_places(self) -> bool:
        """Whether heat maps are what each place says, learned from boxes; else they are class-activation maps."""
        return self._graph.shows_places


def load_classifier(name: str, root: Path | None = None) -> Classifier:
    """The classifier of the model called ``name``.

    Raises:
        ModelError: there is no such model, it is not finished, or it is damaged.
    """
    return Classifier(model_folder(name, root))
