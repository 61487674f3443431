"""The images of a quiz: a random choice that has both labels, and none that the model was trained on."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.measurements import digests
from fracture.errors import DatasetError
from fracture.imaging.annotations import Box, parse_boxes, scale_boxes
from fracture.inference.ood import OodDetector

QUESTIONS = 20
"""In a quiz; half of them have the positive label, so that sensitivity and specificity are known equally well."""

MIN_PER_LABEL = 5
"""The fewest images of either label: fewer say nothing about a reader."""

SEED = 20
"""Of the choice. All visitors read the same images."""


class Question(NamedTuple):
    """An image to read."""

    image_id: str
    path: Path
    label: int
    """1 for the positive one of the data set's labels."""
    boxes: tuple[Box, ...] = ()
    """Around its findings, where the data set knows them, in shares of the image's width and height, 0 to 1."""


def choose_questions(table: pd.DataFrame, detector: OodDetector | None, number: int = 0) -> list[Question]:
    """The images of a quiz, in random order; a validation part is taken alone where the data set has one.

    Images are of different patients or groups, as long as there are enough of these.

    Args:
        table: the images of a data set.
        detector: the out-of-distribution detector of the model, which knows its training images; None leaves no image
            out but those of the training part.
        number: of the quiz; each number is another random choice, which may share images with others.

    Raises:
        DatasetError: a label has fewer than ``MIN_PER_LABEL`` images.
    """
    validation = table[table["split"] == "valid"]
    if len(validation):
        table = validation
    table = table.sample(frac=1, random_state=np.random.default_rng([SEED, number]))
    chosen = [_first_of(table[table["label"] == label], detector, QUESTIONS // 2) for label in (0, 1)]
    fewest = min(map(len, chosen))
    if fewest < MIN_PER_LABEL:
        raise DatasetError(
            f"A quiz needs {MIN_PER_LABEL} images of either label that the model was not trained on. "
            f"Received: {fewest} of one of them; choose another data set or model."
        )
    questions = [*chosen[0], *chosen[1]]
    return shuffle_questions(questions, [SEED, number])


def shuffle_questions(questions: Sequence[Question], seed: int | Sequence[int]) -> list[Question]:
    """The images in another order, so that neighbors in a class do not read the same one at the same time."""
    order = np.random.default_rng(seed).permutation(len(questions))
    return [questions[place] for place in order]


def _first_of(table: pd.DataFrame, detector: OodDetector | None, count: int) -> list[Question]:
    """The first images that the model was not trained on, those of new groups before further ones of a group."""
    again = table["group"].duplicated()
    ordered = pd.concat([table[~again], table[again]])
    return list(islice(_not_trained_on(ordered, detector), count))


def _not_trained_on(table: pd.DataFrame, detector: OodDetector | None) -> Iterator[Question]:
    # A few at a time: to tell whether the model knows a file, all of it is read.
    for start in range(0, len(table), QUESTIONS):
        part = table.iloc[start : start + QUESTIONS]
        trained_on = _trained_on(part, detector)
        for row in part[~trained_on].itertuples():
            yield _question(row)


def _trained_on(table: pd.DataFrame, detector: OodDetector | None) -> NDArray[np.bool_]:
    if detector is None:
        return np.zeros(len(table), np.bool_)
    return detector.trained_on(table["image_id"].tolist(), digests(table["path"].tolist()))


def _question(row: Any) -> Question:
    # An image that can't be read has no size; the quiz offers to skip it.
    known = parse_boxes(row.boxes) if row.width else []
    boxes = scale_boxes(known, 1 / row.width, 1 / row.height) if known else []
    return Question(row.image_id, Path(row.path), int(row.label), tuple(boxes))
