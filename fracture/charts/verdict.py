"""A bar that shows a probability between the limits of an answer: drawn as SVG, sharp at any size."""

from typing import NamedTuple

from fracture.charts.style import NEGATIVE_COLOR, POSITIVE_COLOR
from fracture.formatting import format_threshold

DOUBT_COLOR = "#9AA3AB"

_TEXT = "#767676"
"""Stands out by 4.5 to 1 from white and from black: an image doesn't know the theme of its page."""

_WIDTH = 600
_LEFT = 24
_TOP = 22
_THICK = 16
_FULL = _WIDTH + 2 * _LEFT

_LETTER = 12
"""About the width of a digit at the font size of the labels, and a little more."""

_GAP = 6
"""Between two labels."""


def verdict_bar(probability: float, low: float, high: float) -> str:
    """An SVG image of the scale from 0 to 100 % with a pointer at a probability, all of them 0 to 1.

    Blue up to ``low``, where the answer is the negative label; orange from ``high`` on, where it is the positive one;
    gray between the two, where the model does not decide.
    """
    zones = ((0.0, low, NEGATIVE_COLOR), (low, high, DOUBT_COLOR), (high, 1.0, POSITIVE_COLOR))
    bars = "".join(_zone(*zone) for zone in zones if zone[1] > zone[0])
    limits = "".join(_draw(label) for label in _labels(low, high))
    size = f'width="{_FULL}" height="68" viewBox="0 0 {_FULL} 68"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{bars}{limits}{_pointer(probability)}</svg>'


def _across(share: float) -> float:
    return round(_LEFT + _WIDTH * share, 1)


def _zone(begin: float, end: float, color: str) -> str:
    width = round(_WIDTH * (end - begin), 1)
    return f'<rect x="{_across(begin)}" y="{_TOP}" width="{width}" height="{_THICK}" fill="{color}"/>'


def _pointer(probability: float) -> str:
    """A triangle above the bar whose tip touches it, and a line through it."""
    x = _across(probability)
    line = f'<line x1="{x}" x2="{x}" y1="{_TOP - 2}" y2="{_TOP + _THICK + 2}" stroke="{_TEXT}" stroke-width="3"/>'
    return f'<path d="M{x - 11} 2H{x + 11}L{x} {_TOP}Z" fill="{_TEXT}"/>{line}'


class _Label(NamedTuple):
    text: str
    x: float
    anchor: str


def _labels(low: float, high: float) -> list[_Label]:
    """The labels of the limits, below them: beside each other where the limits are near, and never over the edges."""
    if low == high:
        return [_centered(low)]
    texts = [format_threshold(low), format_threshold(high)]
    low_width, high_width = (_LETTER * len(text) for text in texts)
    if _across(high) - _across(low) >= (low_width + high_width) / 2 + _GAP:
        return [_centered(low), _centered(high)]
    end = max(_across(low) - _GAP / 2, low_width)
    start = max(_across(high) + _GAP / 2, end + _GAP)
    start = min(start, _FULL - high_width)
    end = min(end, start - _GAP)
    return [_Label(texts[0], end, "end"), _Label(texts[1], start, "start")]


def _centered(limit: float) -> _Label:
    text = format_threshold(limit)
    half = _LETTER * len(text) / 2
    return _Label(text, min(max(_across(limit), half), _FULL - half), "middle")


def _draw(label: _Label) -> str:
    style = f'text-anchor="{label.anchor}" font-family="sans-serif" font-size="20" fill="{_TEXT}"'
    return f'<text x="{label.x:.1f}" y="{_TOP + _THICK + 22}" {style}>{label.text}</text>'
