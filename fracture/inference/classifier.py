"""The served model: radiographs in, answers in the model's own labels out.

>>> from fracture.inference.classifier import load_classifier
>>> from fracture.imaging.radiograph import read
>>> answer = load_classifier("first").classify([("view.png", read(data))])  # doctest: +SKIP
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.imaging.radiograph import Frame, Radiograph, check_visible, fit, frame, unfit
from fracture.inference.domain import DOMAIN_FILE, DomainHead, load_domain_head
from fracture.inference.heatmap import heat_map
from fracture.inference.litert import Graph, Output, fastest_graph
from fracture.inference.ood import OodDetector, load_ood_detector
from fracture.inference.prediction import Answer, OutcomeLimits, View, probability_of
from fracture.inference.regions.candidates import Region, find_regions, mean_places
from fracture.inference.regions.finder import find_boxes, regions_of
from fracture.paths import sanitize_name
from fracture.registry.adjustments import Adjustments, Recalibration
from fracture.registry.model_folder import ModelFolder, check_files, model_folder, read_card

_EQUAL = 1e-9
"""Probabilities that differ by less are the same threshold, stored as a logit and as a probability."""

_log = logging.getLogger(__name__)

NOTICE = "A tool for teaching and research. It is no medical device: its answers must not guide the care of a person."


@dataclass(frozen=True)
class FirstPass:
    """What a model says about an image before the mirror image is run: enough to tell how familiar the image is."""

    model: "Classifier"
    name: str
    pixels: NDArray[np.uint8]
    """(S, S), the fitted image."""
    framed: Frame
    straight: Output
    radiograph: bool | None = None
    """Whether the image is a radiograph at all; None where it was not checked."""
    _completed: list[View] = field(default_factory=list, repr=False, compare=False)
    """The answer, once it was asked for; shared with the copies that are marked as radiographs or not."""

    @property
    def embedding(self) -> NDArray[np.float32]:
        """(F,), by which the image is compared with the training images."""
        return self.straight.embedding

    @property
    def view(self) -> View:
        """The answer for the image; computed when it is first asked for."""
        if not self._completed:
            self._completed.append(self.model.complete(self))
        return replace(self._completed[0], radiograph=self.radiograph)


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
            graph = load_graph() if load_graph else fastest_graph(folder.served_model.read_bytes())
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
        self.runtime = graph.runtime.title
        """What runs the graph."""
        self.labels = self.card.labels
        self._fit = self.card.input.fit
        self._finder_file = folder.region_finder
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
        """The answer for one image, averaged with that for its mirror image, as the metrics of the card are measured.

        :meth:`first_pass` and :meth:`complete`, by which pages, REST interface and command line answer, give the same
        outcome in less time; the probability of a clearly negative image is then that of the image alone.
        Raises RadiographError where there is nothing to see in the image.
        """
        check_visible(image, sanitize_name(name))
        pixels = self._fitted(image)
        # Averaging with the mirror image makes the answer independent of the side, and somewhat better.
        straight, mirrored = self._load_graph().run_all(pixels, pixels[:, ::-1])
        return self._view(FirstPass(self, name, pixels, self._framed(image), straight), mirrored)

    def first_pass(self, name: str, image: Radiograph) -> FirstPass:
        """Run one image as it is, and not yet its mirror image.

        Raises RadiographError where there is nothing to see in it.
        """
        check_visible(image, sanitize_name(name))
        pixels = self._fitted(image)
        return FirstPass(self, name, pixels, self._framed(image), self._load_graph()(pixels))

    def complete(self, first: FirstPass, threshold: float | None = None) -> View:
        """The answer for one image after its first pass; the mirror image is run where it may change the outcome.

        Where it is not run, the answer is negative, or there is none; its probability and its heat map are of the
        image alone.

        Args:
            first: of this model.
            threshold: as for :meth:`classify`.
        """
        # What is no radiograph gets no answer from any model.
        if first.radiograph is False or self._settled(first.straight.logit, threshold):
            return self._view(first, None)
        return self._view(first, self._load_graph()(first.pixels[:, ::-1]))

    def _settled(self, logit: float, threshold: float | None) -> bool:
        """Whether an image of this logit stays below all limits, whatever the logit of its mirror image."""
        measured = self.card.mirrored_pass
        if measured is None or logit >= measured.straight_below:
            return False
        lowest = self.limits.low if threshold is None else threshold
        # The measurement holds for its own limit and for higher ones: an adjusted model may have a lower one.
        return probability_of(measured.limit, self._temperature) <= lowest + _EQUAL

    def _fitted(self, image: Radiograph) -> NDArray[np.uint8]:
        return fit(image.pixels, self._size, self._fit)

    def _framed(self, image: Radiograph) -> Frame:
        return frame(image.width, image.height, self._size, self._fit)

    def _view(self, first: FirstPass, mirrored: Output | None) -> View:
        straight = first.straight
        logits = (straight.logit,) if mirrored is None else (straight.logit, mirrored.logit)
        detector = self.ood_detector
        return View(
            name=first.name,
            logits=logits,
            probability=probability_of(sum(logits) / len(logits), self._temperature),
            by_side=tuple(probability_of(logit, self._temperature) for logit in logits),
            heat=heat_map(straight, mirrored, self._size),
            framed=first.framed,
            embedding=straight.embedding,
            known=None if detector is None else detector.in_distribution(straight.embedding),
            radiograph=first.radiograph,
            find_regions=cache(partial(self._regions, first, mirrored)),
        )

    def embedding(self, image: Radiograph) -> NDArray[np.float32]:
        """What the image is compared by with the training images (F,): one pass, where :meth:`view` takes two."""
        return self._load_graph()(self._fitted(image)).embedding

    def logits(self, fitted: Sequence[NDArray[np.uint8]]) -> list[float]:
        """The logits of fitted images (S, S), without their mirror images; as many at once as the server has cores."""
        return [output.logit for output in self._load_graph().run_all(*fitted)]

    def _regions(self, first: FirstPass, mirrored: Output | None) -> tuple[Region, ...]:
        """The candidate regions, where the card says how their boxes are made."""
        recorded = self.card.regions
        if recorded is None or not self.shows_places:
            return ()
        places = mean_places(first.straight, mirrored, first.framed.size)
        if recorded.finder is None:
            return find_regions(places, first.framed, recorded.fit, recorded.calibration)
        # An image without its mirror image is clearly negative: no box in it would be worth the time.
        if mirrored is None:
            return ()
        try:
            boxes = find_boxes(self._finder_file, recorded.finder.enlarged, first.pixels)
        except ModelError as error:
            _log.warning("Model %s shows no candidate regions: %s", self.name, error)
            return ()
        return regions_of(boxes, places, first.framed, recorded.finder.weights)

    def heat(self, view: View, width: int, height: int) -> NDArray[np.float32]:
        """The heat map of a view over its image drawn at any size in px: (height, width), in the view's units."""
        return unfit(view.heat, view.framed, width, height)


def load_classifier(name: str, root: Path | None = None, adjustments: Adjustments | None = None) -> Classifier:
    """The classifier of the model called ``name``, with the adjustments that are given.

    Raises:
        ModelError: there is no such model, it is not finished, or it is damaged.
    """
    return Classifier(model_folder(name, root), adjustments)
