"""The bar of an AUC with its interval."""

import re
from xml.etree import ElementTree

import pytest

from fracture.charts.interval import MODEL, PRESENTED_TEXT_SIZE, auc_bar


def widths(svg: str, color: str) -> list[float]:
    """The widths of the rectangles of a color."""
    root = ElementTree.fromstring(svg)
    return [float(each.get("width", "")) for each in root if each.get("fill") == color and each.tag.endswith("rect")]


def test_auc_bar_has_the_interval_at_its_place():
    """The scale has 600 px from 0.5 to 1: an interval of a tenth has 120."""
    svg = auc_bar({"value": 0.9, "low": 0.85, "high": 0.95})
    assert widths(svg, MODEL) == [120.0]
    assert re.findall(r">([^<>]+)</text>", svg) == ["0.5 chance", "1"]


def test_auc_bar_below_chance_begins_at_zero():
    """Where the interval reaches below chance, the scale shows it."""
    svg = auc_bar({"value": 0.55, "low": 0.4, "high": 0.7})
    assert widths(svg, MODEL) == [180.0]
    assert re.findall(r">([^<>]+)</text>", svg) == ["0", "0.5 chance", "1"]


@pytest.mark.parametrize("value", [None, 0.8])
def test_auc_bar_without_an_interval_has_none(value):
    """A perfect or undefined AUC has no interval."""
    assert widths(auc_bar({"value": value, "low": None, "high": None}), MODEL) == []


def test_auc_bar_with_larger_labels_has_room_for_them():
    """Labels of a presentation are not cut at the lower edge."""
    svg = auc_bar({"value": 0.9, "low": 0.85, "high": 0.95}, PRESENTED_TEXT_SIZE)
    [height] = map(int, re.findall(r'<svg[^>]* height="(\d+)"', svg))
    lines = [int(each) for each in re.findall(r'<text[^>]* y="(\d+)"', svg)]
    assert lines and max(lines) < height
    assert f'font-size="{PRESENTED_TEXT_SIZE}"' in svg
