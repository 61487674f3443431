"""What a report of an answer says, apart from how it is laid out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from PIL import Image

import fracture
from fracture.estimate import format_number, format_percent
from fracture.imaging.radiograph import PREPROCESSING_VERSION
from fracture.inference.classifier import NOTICE
from fracture.inference.prediction import DOUBT, STATUS_SENTENCES, Answer
from fracture.registry.card import Card
from fracture.registry.metric_names import COUNTED
from fracture.registry.validation import validation_results


class Picture(NamedTuple):
    """An image of the report."""

    caption: str
    image: Image.Image


class Shown(NamedTuple):
    """A view of the study as the page shows it; its answer is the view at the same place of the answer."""

    format: str
    """Of the file that it was read from."""
    steps: tuple[str, ...]
    """From the file to the pixels, in words."""
    plain: Image.Image
    heated: Image.Image
    """With the heat map and the candidate regions."""


class Fact(NamedTuple):
    """A line of the table."""

    name: str
    value: str


@dataclass(frozen=True)
class Report:
    """Everything that stands in the document, in its order. No text is HTML or Markdown."""

    title: str
    """The outcome."""
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]
    facts: tuple[Fact, ...]
    created: datetime
    notice: str = NOTICE


def make_report(answer: Answer, card: Card, shown: Sequence[Shown], created: datetime) -> Report:
    """The report of an answer for one study.

    Args:
        answer: of the model with this card; also one that the model does not give, for which the report says why.
        card: of the model.
        shown: one for each of the answer's views, in their order.
        created: the date that the document gets.
    """
    pictures: list[Picture] = []
    for view, each in zip(answer.views, shown, strict=True):
        outcome = f"{answer.labels[1]} {view.probability:.1%}" if answer.answers(view) else view.status.value
        pictures.append(Picture(view.name, each.plain))
        if answer.answers(view):
            pictures.append(Picture(f"{outcome}, with its heat map", each.heated))
    facts = (*_describe_model(card), *_describe_reading(answer, shown))
    return Report(_title(answer), _sentences(answer), tuple(pictures), facts, created)


def _title(answer: Answer) -> str:
    if not answer.answered:
        return f"No answer: {answer.status.value}"
    return "In doubt" if answer.outcome == DOUBT else answer.label.capitalize()


def _sentences(answer: Answer) -> tuple[str, ...]:
    if not answer.answered:
        return (STATUS_SENTENCES[answer.status],)
    low, high = answer.limits.describe()
    negative, positive = answer.labels
    limits = f"Below {low} the answer is {negative}, from {high} {positive}"
    between = "; between the two the model does not decide" if answer.limits.leave_doubt else ""
    said = [f"Probability of {positive}: {answer.probability:.1%}. {limits}{between}."]
    if len(answer.views) > 1:
        said.append(f"The probability is the mean of {len(answer.counted)} of {len(answer.views)} views.")
    if answer.status in STATUS_SENTENCES:
        said.append(f"{STATUS_SENTENCES[answer.status]} Its metrics don't hold here.")
    if answer.adjusted:
        said.append(answer.adjusted)
    return tuple(said)


def _describe_model(card: Card) -> list[Fact]:
    """The model's card in short."""
    result = validation_results(card)[0]
    level = result.level
    metrics = result.metrics[level]
    name = "balanced" if metrics["points"].get("balanced") else "fixed"  # older cards lack it
    point = metrics["points"].get("balanced") or metrics["points"]["half"]
    facts = [Fact("Model", f"{card.name} ({card.backbone}): {card.labels[0]} or {card.labels[1]}")]
    if card.data is not None:
        facts.append(Fact("Trained on", f"{card.data.name}, {card.data.training_images:,} images"))
        facts += [Fact("Source", f"{source.citation}; {source.licence}") for source in card.data.sources]
    facts += [
        Fact(
            "Validated on",
            f"{result.data}, {metrics['count']:,} {COUNTED[level]}: AUC by {level} {format_number(metrics['auc'])}",
        ),
        Fact(
            f"At the {name} threshold of {point['threshold']:.1%}",
            f"sensitivity {format_percent(point['sensitivity'])}, specificity {format_percent(point['specificity'])}",
        ),
    ]
    return facts + [Fact(f"SHA-256 of {name}", value) for name, value in card.files.items() if name == "model.tflite"]


def _describe_reading(answer: Answer, shown: Sequence[Shown]) -> list[Fact]:
    """How the images were read, and by which version."""
    facts = []
    for view, each in zip(answer.views, shown, strict=True):
        steps = f": {', '.join(each.steps)}" if each.steps else ""
        facts.append(Fact(f"Read {view.name}", f"{each.format}{steps}"))
    version = f"{fracture.__version__}, preprocessing {PREPROCESSING_VERSION}"
    return [*facts, Fact("Version of the app", version)]
