"""What the class predicted, and what it did: kept in this browser tab."""

from fracture.app.lesson.checks import Values, values_of
from fracture.app.shared import state
from fracture.teaching.entries import Entry
from fracture.teaching.lesson import Lesson, Step


def predicted(step: Step) -> int | None:
    """The place of the choice that the class predicted; None before."""
    made = state.predictions().get(step.name)
    return made if made is not None and made < len(step.settings.choices) else None


def predict(step: Step, choice: int) -> None:
    """Keep a prediction; the first one holds until it is withdrawn."""
    state.predictions().setdefault(step.name, choice)


def withdraw(step: Step) -> None:
    """Forget a prediction, so that the class can choose again."""
    state.predictions().pop(step.name, None)


def outcome(step: Step) -> Values | None:
    """What came out of a step when it was last looked at; None until it was done after its prediction.

    It is kept: the next steps change what other pages hold, such as the trials of the playground.
    """
    if predicted(step) is None:
        return None
    kept = state.outcomes()
    values = values_of(step.settings.check)
    if values is not None:
        kept[step.name] = values
    return kept.get(step.name)


def entries(lesson: Lesson) -> list[Entry]:
    """All steps for the hand-out, with what the class predicted and found."""
    return [_entry(step) for step in lesson.steps]


def _entry(step: Step) -> Entry:
    settings = step.settings
    values = outcome(step)
    return Entry(
        title=settings.title,
        question=settings.question,
        choices=settings.choices,
        prediction=predicted(step),
        answer=None if values is None else settings.answer,
        figure="" if values is None else settings.figure.format_map(values),
        result="" if values is None else step.result,
    )
