"""A person's choice of what the classes of a data set mean.

The names are those of folders, values of a table's label column, or classes of boxes. A choice is stored by
:mod:`fracture.data.labels.store`.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from pydantic import Field

from fracture.data.labels.words import weak_class_of
from fracture.documents import Document, Time
from fracture.errors import DatasetError, LabelsError
from fracture.files import JsonObject

MAX_LISTED = 12
"""Names of classes that a message lists."""

MAX_SHOWN = 60
"""Letters of a name that a message quotes."""

FORM = "negative=A,B positive=C ignore=D"
"""How a choice is written at the command line."""

KINDS = ("negative", "positive", "ignore")

KNOWN, ANSWERS, CHOSEN = "known words", "digits or answers", "chosen"

_PLAIN = re.compile(r"[\w .()'&+-]{1,40}")
"""A name that can be a model's answer: pages show answers as Markdown, which a folder's name must not write."""


class LabelChoice(Document):
    """The names of classes that have label 0, label 1, and that are left out."""

    time: Time = ""
    """In UTC, when the choice was stored; empty before."""
    negative: list[str] = Field(min_length=1)
    positive: list[str] = Field(min_length=1)
    ignore: list[str] = Field(default_factory=list)
    column: str = ""
    """The column of a table whose values these are; empty for folders, boxes, and where nobody chose columns."""

    def fits(self, column: str) -> bool:
        """Whether the choice was made for the values of this column; a choice that names none fits all."""
        return self.column in ("", column)

    def command(self) -> str:
        """As it is written at the command line, quoted for a shell."""
        words = [f"{kind}={','.join(getattr(self, kind))}" for kind in KINDS if getattr(self, kind)]
        return shlex.join(words)

    def label_of(self) -> dict[str, int | None]:
        """The label of each name; None for one that is left out."""
        labels: dict[str, int | None] = dict.fromkeys(self.ignore)
        labels |= dict.fromkeys(self.negative, 0)
        return labels | dict.fromkeys(self.positive, 1)


@dataclass(frozen=True)
class LabelMapping:
    """How the classes of one data set were read: the names for each label, and who decided."""

    data: str
    """The data set's name."""
    negative: tuple[str, ...]
    positive: tuple[str, ...]
    ignore: tuple[str, ...]
    origin: str
    """:data:`KNOWN`, :data:`ANSWERS` or :data:`CHOSEN`."""

    def to_json(self) -> JsonObject:
        """For the card and the command line."""
        return asdict(self)

    def describe(self) -> str:
        """A sentence on what the names do not say themselves; empty where they are known words."""
        negative = listed(self.negative)
        positive = listed(self.positive)
        if self.origin == ANSWERS:
            return (
                f"In {self.data}, {negative} is read as negative and {positive} as positive; exports in alphabetical "
                "order can have it the other way round."
            )
        if self.origin == CHOSEN:
            ignored = f"; left out: {listed(self.ignore)}" if self.ignore else ""
            return f"By choice, {negative} is negative and {positive} positive in {self.data}{ignored}."
        return ""

    @classmethod
    def from_json(cls, document: JsonObject) -> "LabelMapping":
        """What :meth:`to_json` gave, where tuples have become lists."""
        names = {kind: tuple(document[kind]) for kind in KINDS}
        return cls(document["data"], origin=document["origin"], **names)

    def swapped(self) -> LabelChoice:
        """The choice of the opposite labels."""
        return make_choice({"negative": self.positive, "positive": self.negative, "ignore": self.ignore})


def listed(names: Iterable[str]) -> str:
    """Names in quotes, with commas between them."""
    return ", ".join(repr(name) for name in names)


def parse_choice(words: Iterable[str]) -> LabelChoice:
    """The choice that ``negative=A,B positive=C ignore=D`` states.

    Raises DatasetError for other words, a name that is given twice, and where one of the two labels has no name.
    """
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for word in words:
        kind, equals, given = word.partition("=")
        if kind not in KINDS or not equals:
            raise DatasetError(f"Labels are given as {FORM}. Received: {word[:120]!r}")
        names[kind] += [name.strip() for name in given.split(",") if name.strip()]
    return make_choice(names)


def make_choice(names: Mapping[str, Iterable[str]]) -> LabelChoice:
    """A choice of the names for each of :data:`KINDS`. Raises DatasetError as :func:`parse_choice` does."""
    given = {kind: list(names.get(kind, ())) for kind in KINDS}
    every = [name for kind in KINDS for name in given[kind]]
    twice = [name for name in every if every.count(name) > 1]
    if twice:
        raise DatasetError(f"Each class is negative, positive or ignored. Received twice: {twice[0]!r}")
    missing = [kind for kind in ("negative", "positive") if not given[kind]]
    if missing:
        raise DatasetError(
            f"At least one class must be negative and one positive, as in {FORM}. Received: none that is {missing[0]}"
        )
    return LabelChoice(negative=given["negative"], positive=given["positive"], ignore=given["ignore"])


def label_names(names: dict[int, str], origin: str) -> tuple[str, str]:
    """The words for labels 0 and 1: those of the data set, unless they are no words that a model could answer with."""
    usable = all(_PLAIN.fullmatch(name) and weak_class_of(name) is None for name in names.values())
    if origin == ANSWERS or not usable:
        return ("negative", "positive")
    return (names[0], names[1])


def mapping_of(root: Path, label_of: Mapping[str, int | None], origin: str, choice: LabelChoice | None) -> LabelMapping:
    """How names were read, of those that have a label."""
    negative = tuple(sorted(name for name, label in label_of.items() if label == 0))
    positive = tuple(sorted(name for name, label in label_of.items() if label == 1))
    ignore = tuple(sorted(choice.ignore)) if choice else ()
    return LabelMapping(root.name, negative, positive, ignore, origin)


def unknown_labels(
    root: Path, what: str, images_of: Mapping[str, int], choice: LabelChoice | None = None
) -> LabelsError:
    """The error for classes whose names are not known; ``what`` they are: folders, values, or classes of boxes."""
    counted = [f"{name[:MAX_SHOWN]!r} ({count:,})" for name, count in islice(images_of.items(), MAX_LISTED)]
    more = ["..."] if len(images_of) > MAX_LISTED else []
    shown = ", ".join([*counted, *more]) or "none"
    if choice:
        chosen = listed([*choice.negative, *choice.positive])
        said = f"a negative and a positive class must be among its {what}, as in {FORM}. Received: {chosen}"
    else:
        said = f"it must be known which {what} are negative and which positive"
    return LabelsError(
        f"In {root}, {said}. It has the {what} {shown}, each with its number of images; say which is which with "
        f"--labels {FORM}, or on the page Data.",
        images_of,
        what,
    )
