"""The images of a new room: chosen at random, and answered by the model before the room opens."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from fracture import charts
from fracture.app.shared import heatmap_overlay
from fracture.app.shared.dataset_cache import cached_dataset
from fracture.app.shared.images import encode_jpeg
from fracture.app.shared.prediction_cache import VIEW_PX, Examined
from fracture.data.decisions import apply_decisions
from fracture.errors import RadiographError, RoomError
from fracture.imaging import radiograph as radiographs
from fracture.imaging.annotations import Box, parse_boxes, scale_boxes
from fracture.imaging.radiograph import Radiograph
from fracture.inference.classifier import Classifier
from fracture.phantoms.samples import generate_sample, sample_kind, sample_numbers
from fracture.sample_radiographs import CREDIT, sample_radiographs
from fracture.teaching.rooms import NewImage

OPACITY = 0.5
"""Of the heat map over a picture."""

FRACTURE = "fractur"
"""In the positive label of a model that looks for fractures alone."""


@dataclass(frozen=True)
class Candidate:
    """An image that a room may show."""

    identity: str
    label: int
    """The truth: 0 or 1."""
    load: Callable[[], tuple[Radiograph, str, list[Box]]]
    """The image, the truth in words, and the boxes around its findings in px of the image. Raises RadiographError."""


@dataclass(frozen=True)
class Source:
    """Where the images of a room come from."""

    labels: tuple[str, str]
    candidates: Sequence[Candidate]
    credit: str
    """What its license asks for; empty where it asks for nothing."""


def samples() -> Source:
    """The radiographs of FracAtlas that come with the app."""
    found = sample_radiographs()
    labels = ("not fractured", "fractured")
    chosen = [
        Candidate(each.name, int(each.label == labels[1]), _loader(each.path, each.label, each.boxes, shares=True))
        for each in found
    ]
    return Source(labels, chosen, CREDIT)


def dataset(root: str) -> Source:
    """A data set's images without excluded ones; those of the training part only where there are no others.

    Raises DatasetError.
    """
    found = apply_decisions(cached_dataset(root))
    table = found.table
    unseen = table[table["split"] != "train"]
    offered = unseen if unseen["label"].nunique() == 2 else table
    chosen = [_of_row(row, found.label_names) for _, row in offered.iterrows()]
    return Source(found.label_names, chosen, "")


def phantoms(model: Classifier, count: int) -> Source:
    """New synthetic radiographs; their labels are those of the model."""
    fractures_alone = FRACTURE in model.labels[1].casefold()
    labels = ("not fractured", "fractured") if fractures_alone else ("normal", "abnormal")
    # Hardware may come with a fracture or without: where fractures alone are asked for, it would need a look first.
    kinds = {number: sample_kind(number) for number in sample_numbers(2 * count)}
    chosen = [
        Candidate(f"synthetic {number}", int(kind != "normal"), partial(_generate, number))
        for number, kind in kinds.items()
        if not (fractures_alone and kind == "hardware")
    ]
    return Source(labels, chosen, "")


def _generate(number: int) -> tuple[Radiograph, str, list[Box]]:
    [view] = generate_sample(number, views=1)
    return Radiograph(view.pixels, "PNG"), view.truth.words, list(view.truth.boxes)


def examine(source: Source, model: Classifier, count: int, seed: int | None = None) -> Iterator[NewImage]:
    """At most ``count`` images of a source in random order with the model's answers, half of each label if possible.

    No label comes more than twice in a row as long as there are images of both, so that a vote that ends early has
    images of both labels, too: see :func:`order_of_labels`. Unreadable files are left out. Raises RoomError where no
    image of one label can be read.
    """
    chance = random.Random(seed)  # noqa: S311  no secret
    queues = [_shuffled(source.candidates, label, chance) for label in (0, 1)]
    if not all(queues):
        raise RoomError(
            f"A class vote needs images of both labels, {' and '.join(source.labels)}. Choose other images."
        )
    for label in order_of_labels(count, chance):
        image = _next_readable(queues[label] or queues[1 - label], model)
        if image is not None:
            yield image


def order_of_labels(count: int, chance: random.Random) -> list[int]:
    """Half 0 and half 1, or one 0 more: any order in which neither comes three times in a row is as likely as another.

    Both are among the first three. Of a room of 20 one shuffle in 23 is such an order.
    """
    order = [place % 2 for place in range(count)]
    while True:
        chance.shuffle(order)
        if not any(len(set(three)) == 1 for three in zip(order, order[1:], order[2:], strict=False)):
            return order


def _shuffled(candidates: Sequence[Candidate], label: int, chance: random.Random) -> list[Candidate]:
    chosen = [each for each in candidates if each.label == label]
    chance.shuffle(chosen)
    return chosen


def _next_readable(queue: list[Candidate], model: Classifier) -> NewImage | None:
    while queue:
        candidate = queue.pop()
        try:
            return _examined(candidate, model)
        except RadiographError:
            continue
    return None


def _examined(candidate: Candidate, model: Classifier) -> NewImage:
    image, truth, boxes = candidate.load()
    view = model.view(candidate.identity, image)
    answer = model.answer([view], answer_unlike=True)
    shown = radiographs.shrink(image.pixels, VIEW_PX)
    each = Examined(view, shown, image.format, image.steps, image.synthetic)
    ring = None if answer.outcome == "negative" else heatmap_overlay.likeliest(model, each)
    heated = heatmap_overlay.heated(model, each, OPACITY, heatmap_overlay.full_heat(model, [each]), ring)
    return NewImage(
        identity=candidate.identity,
        picture=radiographs.encode_thumbnail(shown, VIEW_PX),
        label=candidate.label,
        truth=truth,
        probability=view.probability,
        answer="in doubt" if answer.outcome == "doubt" else answer.label,
        heat=encode_jpeg(charts.outlined(heated, boxes, shown.shape[1] / image.width)),
    )


def _of_row(row: "pd.Series[Any]", labels: tuple[str, str]) -> Candidate:
    boxes = parse_boxes(row["boxes"]) if row["boxes"] else []
    truth = labels[row["label"]]
    return Candidate(row["image_id"], int(row["label"]), _loader(Path(row["path"]), truth, boxes, shares=False))


def _loader(
    path: Path, truth: str, boxes: Sequence[Box], *, shares: bool
) -> Callable[[], tuple[Radiograph, str, list[Box]]]:
    def load() -> tuple[Radiograph, str, list[Box]]:
        image = radiographs.load(path)
        across = image.width if shares else 1
        down = image.height if shares else 1
        return image, truth, list(scale_boxes(boxes, across, down))

    return load
