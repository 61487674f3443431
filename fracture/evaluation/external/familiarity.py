"""The threshold of the out-of-distribution check, refitted on unlabeled radiographs of another source.

Radiographs of another machine or another hospital may lie farther from the training images than the validation images
do. The threshold is then chosen on them, as :mod:`fracture.evaluation.ood_fit` chose it: of new radiographs like
these, on average at most ``MAX_REFUSED`` is refused. What is no radiograph must not be among them: the farthest ones
are named.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fracture.data.measurements import digests
from fracture.errors import DatasetError, ModelError, RadiographError
from fracture.evaluation.ood_fit import MAX_REFUSED, ROUNDING, conformal_threshold
from fracture.imaging.radiograph import load
from fracture.inference.classifier import Classifier
from fracture.registry.adjustments import FamiliarityThreshold

MIN_IMAGES = 50
"""Fewer radiographs say too little about the farthest of the next ones."""

FOLDS = 5

FARTHEST = 5
"""How many of the farthest images are named."""

Distances = NDArray[np.float64]


@dataclass(frozen=True)
class Familiarity:
    """A refitted threshold, and what a person needs to check it."""

    fitted: FamiliarityThreshold
    farthest: tuple[tuple[str, float], ...]
    """The farthest images, each with its distance in units of the model's own threshold."""
    errors: tuple[str, ...]
    """A sentence for each image that could not be read."""


def _ignore(done: int, total: int) -> None:
    """Report no progress."""


def refit_familiarity(
    classifier: Classifier, images: Sequence[Path], source: str, on_progress: Callable[[int, int], None] = _ignore
) -> Familiarity:
    """Choose the threshold on radiographs that need no labels.

    Args:
        classifier: the model as its card says, without adjustments.
        images: at least ``MIN_IMAGES`` files; copies, and images that the model was trained on, are left out.
        source: what the images are called.
        on_progress: called with the number of images done, and of all.

    Raises:
        ModelError: the model has no out-of-distribution check.
        DatasetError: there are too few different images that can be read.
    """
    detector = classifier.ood_detector
    if detector is None:
        raise ModelError(
            f"Model {classifier.name!r} has no out-of-distribution check whose threshold could be adjusted. Choose "
            "another model."
        )
    different = _different(classifier, images)
    _check_enough(len(different), len(images), source)  # before the minutes that their distances take
    distances, names, errors = _distances(classifier, different, on_progress)
    _check_enough(len(distances), len(images), source)
    threshold = conformal_threshold(distances, MAX_REFUSED) * (1 + ROUNDING)
    fitted = FamiliarityThreshold(
        source=source,
        made=time.time(),
        images=len(distances),
        left_out=len(images) - len(different),
        threshold=threshold,
        threshold_before=detector.threshold,
        refused_before=int((distances > detector.threshold).sum()),
        refused_after=_refused_held_out(distances),
    )
    order = np.argsort(-distances)[:FARTHEST]
    farthest = tuple((names[place], float(distances[place] / detector.threshold)) for place in order)
    return Familiarity(fitted, farthest, tuple(errors))


def _check_enough(usable: int, files: int, source: str) -> None:
    if usable >= MIN_IMAGES:
        return
    raise DatasetError(
        f"At least {MIN_IMAGES} different radiographs that can be read and that the model was not trained on are "
        f"needed. Received: {usable:,} such ones among the {files:,} images in {source}; choose a folder with more."
    )


def _different(classifier: Classifier, images: Sequence[Path]) -> list[Path]:
    """One of each image that the model was not trained on."""
    sha256 = digests([str(path) for path in images])
    detector = classifier.ood_detector
    trained_on = np.zeros(len(images), np.bool_)
    if detector is not None:
        trained_on = detector.trained_on([path.name for path in images], sha256)
    by_file: dict[str, Path] = {}
    for path, digest, was_trained_on in zip(images, sha256, trained_on, strict=True):
        if not was_trained_on:
            by_file.setdefault(digest or str(path), path)
    return list(by_file.values())


def _distances(
    classifier: Classifier, images: Sequence[Path], on_progress: Callable[[int, int], None]
) -> tuple[Distances, list[str], list[str]]:
    """The distance of each image that can be read, their names, and a sentence for each other one."""
    detector = classifier.ood_detector
    distances: list[float] = []
    names: list[str] = []
    errors: list[str] = []
    for done, path in enumerate(images, start=1):
        try:
            view = classifier.view(path.name, load(path))
        except RadiographError as error:
            errors.append(str(error))
        else:
            if detector is not None:
                distances.append(detector.distance(view.embedding))
                names.append(path.name)
        on_progress(done, len(images))
    return np.array(distances, np.float64), names, errors


def _refused_held_out(distances: Distances) -> int:
    """How many are beyond a threshold that was chosen without their fold.

    On the images that a threshold was chosen on, it refuses hardly any by construction.
    """
    shuffled = np.random.default_rng(0).permutation(distances)
    folds = np.array_split(shuffled, FOLDS)
    refused = 0
    for number, held_out in enumerate(folds):
        others = np.concatenate([fold for place, fold in enumerate(folds) if place != number])
        threshold = conformal_threshold(others, MAX_REFUSED) * (1 + ROUNDING)
        refused += int((held_out > threshold).sum())
    return refused
