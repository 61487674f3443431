"""The problems that checks find."""

from collections.abc import Iterable, Sized
from dataclasses import dataclass

from fracture.formatting import format_count

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """A problem of a data set.

    ``kind``: a word or two, for programs. ``severity``: ``error`` (results would be wrong, or training fails),
    ``warning`` (look at it) or ``note`` (bear it in mind). ``message``: what was found, with numbers, and what to do.
    ``why``: why that matters, in a sentence. ``images``: the image_ids of all its images, duplicates side by side;
    empty where the problem is that of the whole data set.
    """

    kind: str
    severity: str
    message: str
    why: str
    images: tuple[str, ...] = ()


def by_severity(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems, errors first and notes last; of one severity in the order in which they came."""
    return sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))


def number(things: Sized, noun: str, nouns: str = "") -> str:
    """How many things there are: ``1 image``, ``1,272 images``; ``nouns`` where the plural needs more than an s."""
    return format_count(len(things), noun, nouns)
