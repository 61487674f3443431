"""The lesson: steps in files that teachers can change and translate.

A language is a folder of :data:`fracture.paths.PROJECT` / ``lesson`` with ``lesson.toml`` (title, name of the language,
direction of reading) and a file for each step, in the order of their names. A step has four parts, each after a line
``+++``: its settings in TOML, the task, the result, and what the teacher should know; the last three are Markdown.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from fracture.documents import Document, Whole, sentence
from fracture.errors import LessonError
from fracture.paths import PROJECT

FOLDER = PROJECT / "lesson"

DEFAULT = "en"
"""The language that is shown first."""

SEPARATOR = "+++"

T = TypeVar("T", bound=Document)

CHECKS: Mapping[str, frozenset[str]] = {
    "looked": frozenset(),
    "guessed": frozenset(
        {"images", "right", "model_right", "sensitivity", "specificity", "model_sensitivity", "model_specificity"}
    ),
    "trained": frozenset({"heads", "auc", "rate", "low_auc", "low_rate"}),
    "overfitted": frozenset({"epoch", "lowest", "last"}),
    "leaked": frozenset({"image", "patient", "gap"}),
    "ablated": frozenset({"metal", "plain", "gap"}),
    "masked": frozenset({"before", "after"}),
    "chosen": frozenset({"threshold", "sensitivity", "specificity"}),
    "doubted": frozenset({"total", "right", "model_right"}),
}
"""What the app can check, and the values of each that a step's ``figure`` may name."""


class Settings(Document):
    """The settings of a step."""

    title: str
    minutes: Annotated[Whole, Field(ge=1, le=60)]
    page: str
    """The page of the app on which it is done, as in its address."""
    query: dict[str, str] = Field(default_factory=dict)
    """Of that page's address."""
    link: str
    """What the button says that leads there."""
    question: str
    """What the class predicts before it sees the result."""
    choices: Annotated[tuple[str, ...], Field(min_length=2, strict=False)]
    answer: Annotated[Whole, Field(ge=0)] | None = None
    """The place of the right choice, from 0; None where it depends on the class."""
    check: Literal["looked", "guessed", "trained", "overfitted", "leaked", "ablated", "masked", "chosen", "doubted"]
    """What must have been done; a key of :data:`CHECKS`."""
    todo: str
    """What is still to be done, until the check is met."""
    figure: str = ""
    """The class's own figures in a sentence, with values of the check in braces."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.answer is not None and self.answer >= len(self.choices):
            raise ValueError(
                f"answer must be below the number of choices, {len(self.choices)}. Received: {self.answer}"
            )
        named = {name for _, name, _, _ in Formatter().parse(self.figure) if name is not None}
        if unknown := named - CHECKS[self.check]:
            allowed = ", ".join(sorted(CHECKS[self.check])) or "none"
            raise ValueError(f"figure may name {allowed}. Received: {', '.join(sorted(unknown))}")
        return self


class Step(Document):
    """A step of the lesson."""

    name: str
    """Of its file, without the ending."""
    settings: Settings
    task: str
    result: str
    teacher: str


class Lesson(Document):
    """All steps in one language."""

    title: str
    language: str
    """Its own name for itself."""
    direction: Literal["ltr", "rtl"] = "ltr"
    steps: tuple[Step, ...] = ()


def list_languages(folder: Path = FOLDER) -> list[str]:
    """The names of the folders that hold a lesson, the default one first."""
    names = sorted(path.parent.name for path in folder.glob("*/lesson.toml"))
    return sorted(names, key=lambda name: name != DEFAULT)


def read_lesson(name: str, folder: Path = FOLDER) -> Lesson:
    """The lesson in a language.

    Args:
        name: of its folder, one of :func:`list_languages`.
        folder: that holds the folders of all languages.

    Raises:
        LessonError: a file can't be read, or isn't what this module says.
    """
    place = folder / name
    lesson = _validate(Lesson, _toml(place / "lesson.toml", _text(place / "lesson.toml")), place / "lesson.toml")
    steps = tuple(_read_step(path) for path in sorted(place.glob("*.md")))
    if not steps:
        raise LessonError(f"A lesson needs a file NAME.md for each step. Received: none in {place}.")
    return lesson.model_copy(update={"steps": steps})


def _read_step(path: Path) -> Step:
    before, *parts = _split(_text(path))
    if before.strip() or len(parts) != 4:
        raise LessonError(
            f"A step must have settings, task, result and the teacher's part, each after a line {SEPARATOR}. "
            f"Received: {len(parts)} in {path.name}."
        )
    toml, *texts = parts
    settings = _validate(Settings, _toml(path, toml), path)
    task, result, teacher = (text.strip() for text in texts)
    return Step(name=path.stem, settings=settings, task=task, result=result, teacher=teacher)


def _split(text: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip() == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(line)
    return ["\n".join(lines) for lines in parts]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError(f"{path} can't be read: {error}.") from error


def _toml(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"The settings of {path.name} must be TOML: {error}.") from error


def _validate(kind: type[T], values: dict[str, object], path: Path) -> T:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise LessonError(f"The settings of {path.name} are wrong: {sentence(error)}.") from error
