"""What a JSON document must look like to be used, and where it does not.

A shape is written as what it is the shape of::

    text, flag, whole, finite, number, moment    a plain value, see :data:`WORDS`
    None                                         null
    {"a", "b"}                                   one of these texts or numbers
    [shape]                                      a list of any length
    (shape, shape)                               a list of these, one after the other
    {"a": shape, "b?": shape}                    an object; b may be left out, and others may be there
    {text: shape}                                an object of any names; beside named ones, of all others
    Either(shape, shape)                         one of these

>>> misfit({"labels": ["normal", 7]}, {"labels": (text, text)})
'labels.1 must be a text. Received: 7'
"""

import reprlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Shape = Any

_MOST = 2**53
"""Up to which floats tell whole numbers apart; Python's own know no end, and much that computes with them does."""


class Either(NamedTuple):
    """Whatever fits one of two shapes; what is said of a misfit is by the second one."""

    first: Shape
    second: Shape


def maybe(shape: Shape) -> Either:
    """Of that shape, or null."""
    return Either(None, shape)


def text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def number(value: Any) -> bool:
    """A number; what a division by zero gives counts as one."""
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST)


def finite(value: Any) -> bool:
    """A number that can be computed with."""
    return number(value) and abs(value) < _MOST


def whole(value: Any) -> bool:
    """A whole number."""
    return finite(value) and isinstance(value, int)


def moment(value: Any) -> bool:
    """Seconds since the epoch, of the years 1970 to 2999."""
    return finite(value) and 0 <= value < 32_503_680_000


WORDS: dict[Callable[[Any], bool], str] = {
    text: "a text",
    flag: "true or false",
    number: "a number",
    finite: "a finite number",
    whole: "a whole number",
    moment: "a time in seconds since 1970",
}


def misfit(value: object, shape: Shape, place: str = "it") -> str | None:
    """The first place at which a value is not of a shape, in words; None where it fits."""
    return next(_misfits(value, shape, place), None)


def _misfits(value: Any, shape: Shape, place: str) -> Iterator[str]:
    if isinstance(shape, Either):
        if misfit(value, shape.first, place):
            yield from _misfits(value, shape.second, place)
    elif isinstance(shape, dict):
        yield from _in_object(value, shape, place)
    elif isinstance(shape, list | tuple):
        yield from _in_list(value, shape, place)
    elif isinstance(shape, set):
        if isinstance(value, dict | list) or value not in shape:
            yield _words(value, " or ".join(map(str, sorted(shape))), place)
    elif not (value is None if shape is None else shape(value)):
        yield _words(value, WORDS.get(shape, "null"), place)


def _in_object(value: Any, shape: dict[Any, Shape], place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _words(value, "an object", place)
        return
    named = {name.removesuffix("?"): each for name, each in shape.items() if name is not text}
    if missing := [name for name in shape if name is not text and not name.endswith("?") and name not in value]:
        yield f"{'' if place == 'it' else place + ': '}it lacks {', '.join(missing)}"
    for name, inner in value.items():
        if (wanted := named.get(name, shape.get(text))) is not None or name in named:
            yield from _misfits(inner, wanted, name if place == "it" else f"{place}.{name}")


def _in_list(value: Any, shape: list[Shape] | tuple[Shape, ...], place: str) -> Iterator[str]:
    if not isinstance(value, list) or (isinstance(shape, tuple) and len(value) != len(shape)):
        yield _words(value, "a list" if isinstance(shape, list) else f"a list of {len(shape)}", place)
        return
    for position, inner in enumerate(value):
        wanted = shape[0] if isinstance(shape, list) else shape[position]
        yield from _misfits(inner, wanted, str(position) if place == "it" else f"{place}.{position}")


def _words(value: object, allowed: str, place: str) -> str:
    return f"{place} must be {allowed}. Received: {reprlib.repr(value)}"
