"""The served model: radiographs in, answers in the model's own labels out.

>>> from fracture.inference.classifier import load_classifier
>>> from fracture.imaging.radiograph import read
>>> answer = load_classifier("first").classify([("view.png", read(data))])  # doctest: +SKIP
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.imaging.radiograph import Frame, Radiograph, fit, frame, unfit
from fracture.inference.domain import DOMAIN_FILE, DomainHead, load_domain_head
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph, Output
from fracture.inference.ood import OodDetector, load_ood_detector
from fracture.inference.prediction import Answer, OutcomeLimits, View, probability_of
from fracture.inference.regions import Region, find_regions, mean_places
from fracture.registry.adjustments import Adjustments, Recalibration
from fracture.registry.model_folder import ModelFolder, check_files, model_folder, read_card

NOTICE = "A tool for teaching and research. It is no medical device: its answers must not guide the care of a person."


class Classifier:
    """One model, loaded. It may be shared between threads.

    Args:
        folder: the model's.
        adjustments: used in place of the card's temperature and thresholds, and of the detector's threshold; None
            answers as the card says.
        load_graph: gives the served graph each time that it is needed, so that a caller who asks many models can keep
            few graphs in memory; None keeps it as long as the classifier.

    Raises:
        ModelError: its card, its served graph or its out-of-distribution detector is missing, damaged or of another
            model.
    """

    def __init__(
        self,
        folder: ModelFolder,
        adjustments: Adjustments | None = None,
        load_graph: Callable[[], Graph] | None = None,
    ) -> None:
        self.version = f"{folder.path} {folder.version}"  # before anything is read: a file may change meanwhile
        self.card = read_card(folder)
        self.name = folder.name
        if self.card.temperature is None:
            raise ModelError(f"The card of model {folder.name!r} is damaged: it lacks temperature.")
        try:
            # Files of another run beside this card would give answers with wrong thresholds.
            check_files(folder, self.card)
            graph = load_graph() if load_graph else Graph(folder.served_model.read_bytes())
            self.limits = OutcomeLimits.from_thresholds(self.card.thresholds)
        except OSError as error:
            raise ModelError(
                f"Model {folder.name!r} has no served graph that can be read: {error.strerror}."
            ) from error
        except KeyError as error:
            raise ModelError(f"The card of model {folder.name!r} is damaged: its thresholds lack {error}.") from error
        self._load_graph = load_graph or (lambda: graph)
        self._size = graph.size
        self.shows_places = graph.shows_places
        """Whether heat maps are of cells trained on boxes; else they are class-activation maps."""
        self.labels = self.card.labels
        self._fit = self.card.input.fit
        self._temperature = self.card.temperature
        self.ood_detector: OodDetector | None = None
        self.domain_head: DomainHead | None = None
        if folder.familiarity.exists():
            self.ood_detector = load_ood_detector(folder.familiarity)
            self.domain_head = load_domain_head(folder.path / DOMAIN_FILE, self.ood_detector)
        self.adjusted = ""
        """Which adjustments are used, and on which data they were fitted: a sentence; empty where none is."""
        self.recalibration: Recalibration | None = None
        if adjustments is not None:
            self._adjust(adjustments)

    def _adjust(self, adjustments: Adjustments) -> None:
        recalibration = adjustments.recalibration
        self.recalibration = recalibration
        if recalibration is not None:
            self._temperature = recalibration.temperature
            self.limits = OutcomeLimits.from_thresholds(recalibration.thresholds)
        familiarity = adjustments.familiarity
        if familiarity is not None and self.ood_detector is not None:
            self.ood_detector = replace(self.ood_detector, threshold=familiarity.threshold)
        self.adjusted = adjustments.described
        self.version = f"{self.version} {adjustments.model_dump_json()}"

    def classify(self, images: Sequence[tuple[str, Radiograph]], threshold: float | None = None) -> Answer:
        """Answer for one study.

        Args:
            images: its views, each with a name.
            threshold: probability from which on the answer is the positive label, and below the negative one; None
                takes the two limits of the card, between which the answer is in doubt.
        """
        return self.answer([self.view(name, image) for name, image in images], threshold)

    def answer(self, views: Sequence[View], threshold: float | None = None, *, answer_unlike: bool = False) -> Answer:
        """The answer for a study whose views have been answered already.

        ``answer_unlike``: also where none of them is in distribution.
        """
        limits = self.limits if threshold is None else OutcomeLimits(threshold, threshold)
        return Answer(self.labels, limits, tuple(views), self.adjusted, answer_unlike)

    def view(self, name: str, image: Radiograph) -> View:
        """The answer for one image, averaged with that for its mirror image."""
        pixels = fit(image.pixels, self._size, self._fit)
        # Averaging with the mirror image makes the answer independent of the side, and somewhat better.
        straight, mirrored = self._load_graph().run_all(pixels, pixels[:, ::-1])
        logits = (straight.logit, mirrored.logit)
        detector = self.ood_detector
        framed = frame(image.width, image.height, self._size, self._fit)
        return View(
            name=name,
            logits=logits,
            probability=probability_of(sum(logits) / 2, self._temperature),
            by_side=(probability_of(logits[0], self._temperature), probability_of(logits[1], self._temperature)),
            heat=heat_map(straight, mirrored, self._size),
            framed=framed,
            embedding=straight.embedding,
            known=None if detector is None else detector.in_distribution(straight.embedding),
            regions=self._regions(straight, mirrored, framed),
        )

    def embedding(self, image: Radiograph) -> NDArray[np.float32]:
        """What the image is compared by with the training images (F,): one pass, where :meth:`view` takes two."""
        return self._load_graph()(fit(image.pixels, self._size, self._fit)).embedding

    def _regions(self, straight: Output, mirrored: Output, framed: Frame) -> tuple[Region, ...]:
        """The candidate regions, where the card says how their boxes are made."""
        recorded = self.card.regions
        if recorded is None or not self.shows_places:
            return ()
        places = mean_places(straight, mirrored, framed.size)
        return find_regions(places, framed, recorded.fit, recorded.calibration)

    def heat(self, view: View, width: int, height: int) -> NDArray[np.float32]:
        """The heat map of a view over its image drawn at any size in px: (height, width), in the view's units."""
        return unfit(view.heat, view.framed, width, height)


def load_classifier(name: str, root: Path | None = None, adjustments: Adjustments | None = None) -> Classifier:
    """The classifier of the model called ``name``, with the adjustments that are given.

    Raises:
        ModelError: there is no such model, it is not finished, or it is damaged.
    """
    return Classifier(model_folder(name, root), adjustments)
