"""A bar that shows an AUC with its interval, between chance and perfect: drawn as SVG, sharp at any size."""

from fracture.charts.style import MODEL
from fracture.estimate import Estimate

TRACK = "#9AA3AB"
_TEXT = "#767676"
"""Stands out by 4.5 to 1 from white and from black: an image doesn't know the theme of its page."""

TEXT_SIZE = 18
"""Of the labels, in units of which the bar is 672 wide."""
PRESENTED_TEXT_SIZE = 28
"""20 px in a presentation, where the bar is 477 px wide."""

_WIDTH = 600
_LEFT = 36
_TOP = 8
_THICK = 14
_FULL = _WIDTH + 2 * _LEFT
_CHANCE = 0.5


def auc_bar(auc: Estimate, text_size: int = TEXT_SIZE) -> str:
    """An SVG image of the scale from 0.5 (chance) to 1 (perfect) with the interval of an AUC and its value.

    The scale starts at 0 where the AUC or its interval reaches below chance. Without an interval there is a mark alone;
    an AUC that is not defined has an empty scale.
    """
    value = auc["value"]
    low = auc["low"]
    high = auc["high"]
    known = [each for each in (value, low) if each is not None]
    start = 0.0 if min(known, default=1.0) < _CHANCE else _CHANCE
    parts = [_rectangle(0.0, 1.0, _TOP + _THICK / 2 - 2, 4, TRACK)]
    if low is not None and high is not None:
        parts.append(_rectangle(_share(low, start), _share(high, start), _TOP, _THICK, MODEL))
    if value is not None:
        parts.append(_mark(_share(value, start)))
    parts += [_label(tick, start, text_size) for tick in sorted({start, _CHANCE, 1.0})]
    height = text_size + 32
    size = f'width="{_FULL}" height="{height}" viewBox="0 0 {_FULL} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def _share(auc: float, start: float) -> float:
    return (auc - start) / (1 - start)


def _rectangle(begin: float, end: float, top: float, height: float, color: str) -> str:
    x = round(_LEFT + _WIDTH * begin, 1)
    width = round(_WIDTH * (end - begin), 1)
    return f'<rect x="{x}" y="{top:g}" width="{width}" height="{height}" fill="{color}"/>'


def _mark(share: float) -> str:
    x = round(_LEFT + _WIDTH * share, 1)
    return f'<rect x="{x - 3}" y="{_TOP - 6}" width="6" height="{_THICK + 12}" fill="{_TEXT}"/>'


def _label(tick: float, start: float, size: int) -> str:
    x = round(_LEFT + _WIDTH * _share(tick, start), 1)
    text = "0.5 chance" if tick == _CHANCE else f"{tick:g}"
    anchor = "start" if tick == start else "middle"
    left = x - _LEFT / 2 if tick == start else x
    style = f'text-anchor="{anchor}" font-family="sans-serif" font-size="{size}" fill="{_TEXT}"'
    return f'<text x="{left:g}" y="{_TOP + _THICK + size + 6}" {style}>{text}</text>'
