"""How far a visitor is in a quiz: the answers so far, which stay while the visitor looks at other pages."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fracture.app.shared import state
from fracture.teaching.questions import Question, shuffle_questions
from fracture.teaching.reading import Reading


class Answered(NamedTuple):
    """The answers of a visitor and of the model to one image."""

    positive: bool
    seconds: float
    """From the moment at which the image was shown."""
    model_probability: float
    model_positive: bool
    model_seconds: float
    """Of the model for this image, on this machine."""


@dataclass
class Progress:
    """A quiz that a visitor has begun."""

    questions: list[Question]
    """In this visitor's order."""
    answers: list[Answered] = field(default_factory=list)
    """To the first questions."""
    place: int = 0
    """Of the question on the page, from 0."""
    _shown_at: float | None = None

    @property
    def question(self) -> Question:
        """The question on the page."""
        return self.questions[self.place]

    @property
    def answered(self) -> Answered | None:
        """The answers to the question on the page; None until the visitor has given one."""
        return self.answers[self.place] if self.place < len(self.answers) else None

    @property
    def finished(self) -> bool:
        """Whether the visitor has gone on from the last question."""
        return self.place >= len(self.questions)

    def note_shown(self) -> None:
        """The question is on the page from now on."""
        if self._shown_at is None:
            self._shown_at = time.monotonic()

    def seconds(self) -> float:
        """Since the question was shown."""
        return time.monotonic() - (self._shown_at or time.monotonic())

    def next(self) -> None:
        """Go on to the next question."""
        if self.answered is not None:
            self.place += 1
            self._shown_at = None

    def skip(self) -> None:
        """Leave the question on the page out: its image can't be read."""
        del self.questions[self.place]
        self._shown_at = None

    @property
    def labels(self) -> list[int]:
        """Of the answered questions."""
        return [question.label for question in self.questions[: len(self.answers)]]

    def reading(self) -> Reading:
        """The visitor's answers."""
        return Reading(
            np.array([each.positive for each in self.answers]), np.array([each.seconds for each in self.answers])
        )

    def model_reading(self) -> Reading:
        """The model's answers."""
        return Reading(
            np.array([each.model_positive for each in self.answers]),
            np.array([each.model_seconds for each in self.answers]),
        )


def progress_of(quiz: str, questions: Sequence[Question]) -> Progress:
    """The visitor's progress in a quiz; it begins where there is none. ``quiz`` tells quizzes apart."""

    def begin() -> Progress:
        return Progress(shuffle_questions(questions, secrets.randbits(32)))

    return state.get_or_create(f"quiz {quiz}", begin)
