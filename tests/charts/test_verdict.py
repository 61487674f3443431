"""The bar that shows a probability between the limits of an answer."""

import xml.etree.ElementTree as ET

import pytest

from fracture.charts import NEGATIVE_COLOR, POSITIVE_COLOR, verdict_bar
from fracture.charts.verdict import DOUBT_COLOR

SVG = "{http://www.w3.org/2000/svg}"


def zones(image: str) -> dict[str, tuple[float, float]]:
    """Where the zones begin and end, 0 to 1, by their colors."""
    rectangles = ET.fromstring(image).findall(f"{SVG}rect")
    return {
        each.attrib["fill"]: (
            (float(each.attrib["x"]) - 24) / 600,
            (float(each.attrib["x"]) - 24 + float(each.attrib["width"])) / 600,
        )
        for each in rectangles
    }


def test_bar_with_doubt_has_three_zones():
    """Blue up to the low limit, orange from the high one on, gray between."""
    found = zones(verdict_bar(0.9, 0.1, 0.4))
    assert found[NEGATIVE_COLOR] == pytest.approx((0, 0.1))
    assert found[DOUBT_COLOR] == pytest.approx((0.1, 0.4))
    assert found[POSITIVE_COLOR] == pytest.approx((0.4, 1))


def test_bar_with_one_limit_has_two_zones_and_one_label():
    """A model that always decides has no gray zone."""
    image = verdict_bar(0.2, 0.5, 0.5)
    assert set(zones(image)) == {NEGATIVE_COLOR, POSITIVE_COLOR}
    assert [each.text for each in ET.fromstring(image).iter(f"{SVG}text")] == ["50.0%"]


@pytest.mark.parametrize("probability", [0.0, 0.353, 1.0])
def test_pointer_is_at_the_probability(probability):
    """Its line crosses the bar there."""
    line = ET.fromstring(verdict_bar(probability, 0.1, 0.4)).find(f"{SVG}line")
    assert line is not None
    assert float(line.attrib["x1"]) == pytest.approx(24 + 600 * probability, abs=0.1)


def spans(image: str) -> list[tuple[float, float]]:
    """From where to where each label goes, in px, at widths of letters as browsers draw them."""
    found = []
    for each in ET.fromstring(image).iter(f"{SVG}text"):
        text = each.text or ""
        width = sum({".": 5.6, "%": 17.8}.get(letter, 11.1) for letter in text)  # Helvetica at 20 px
        begin = float(each.attrib["x"]) - {"start": 0, "middle": width / 2, "end": width}[each.attrib["text-anchor"]]
        found.append((begin, begin + width))
    return found


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.31, 0.334), (0.45, 0.5), (0.0, 0.001), (0.002, 0.01), (0.9985, 0.9995), (0.02, 0.9995), (0.123456, 0.25)],
)
def test_labels_of_near_limits_stand_beside_each_other_within_the_image(low, high):
    """Neither over each other nor cut off at an edge."""
    (begin, end), (next_begin, next_end) = spans(verdict_bar(0.5, low, high))
    assert begin >= 0 and end < next_begin and next_end <= 648


def test_label_of_a_limit_just_below_one_is_not_rounded_up():
    """It reads as in the sentences of the page."""
    texts = [each.text for each in ET.fromstring(verdict_bar(0.5, 0.025, 0.9995)).iter(f"{SVG}text")]
    assert texts == ["2.5%", "99.95%"]
