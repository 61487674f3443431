"""What a hand-out says about each step of a lesson, or about each image of a class vote."""

from collections.abc import Sequence
from typing import NamedTuple

from fracture.teaching.lesson import Step


class Entry(NamedTuple):
    """A step of a lesson, or a part of another hand-out; what is empty is left out."""

    title: str
    question: str = ""
    """Where it has one and no result yet, there is a line to write on."""
    choices: Sequence[str] = ()
    prediction: int | None = None
    """The place of the choice that the class predicted; None where it has made none."""
    answer: int | None = None
    """The place of the right choice; None where there is none, or it isn't to be told yet."""
    figure: str = ""
    """What the class found."""
    result: str = ""
    """Markdown."""


def guide_entry(step: Step) -> Entry:
    """A step as the teacher's guide has it: with its answer, its result and what the teacher should know."""
    settings = step.settings
    return Entry(
        title=f"{settings.title} · {settings.minutes} min",
        question=settings.question,
        choices=settings.choices,
        answer=settings.answer,
        result=f"{step.task}\n\n{step.result}\n\n{step.teacher}",
    )
