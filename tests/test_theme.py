"""The colors of the app, by the contrasts of WCAG 2.2 (success criterion 1.4.3, level AA)."""

import tomllib

import pytest

from fracture.paths import PROJECT

ENOUGH = 4.5
"""Contrast of text and its ground."""

Color = tuple[float, float, float, float]
"""Red, green and blue from 0 to 255, and opacity from 0 to 1."""

WHITE: Color = (255, 255, 255, 1)


def parse(text: str) -> Color:
    """``#RRGGBB`` or ``#RRGGBBAA``."""
    red, green, blue, opacity = bytes.fromhex(text.removeprefix("#").ljust(8, "F"))
    return red, green, blue, opacity / 255


def over(color: Color, ground: Color) -> Color:
    """What is seen of a color on an opaque ground."""
    mixed = [round(color[3] * top + (1 - color[3]) * below) for top, below in zip(color[:3], ground[:3], strict=True)]
    return mixed[0], mixed[1], mixed[2], 1


def faded(color: Color, amount: float) -> Color:
    """Less opaque by an amount, as Streamlit derives one color from another."""
    return *color[:3], max(0.0, color[3] - amount)


def luminance(color: Color) -> float:
    """Relative luminance, as WCAG defines it."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color: Color, ground: Color) -> float:
    """Of a color and an opaque ground, 1 to 21."""
    lower, higher = sorted((luminance(over(color, ground)), luminance(ground)))
    return (higher + 0.05) / (lower + 0.05)


@pytest.fixture(params=["light", "dark"])
def theme(request):
    """The colors of one theme by their names."""
    settings = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())["theme"][request.param]
    return {name: parse(value) for name, value in settings.items()}


def test_known_contrasts():
    """Black and white have the highest there is; #767676 is the lightest gray that white carries as text."""
    assert contrast((0, 0, 0, 1), WHITE) == pytest.approx(21)
    assert contrast(parse("#767676"), WHITE) == pytest.approx(4.54, abs=0.005)
    assert contrast(parse("#00000080"), WHITE) == pytest.approx(contrast(parse("#7F7F7F"), WHITE))


@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_white_on_the_primary_color_can_be_read(theme, ground):
    """So are primary buttons written, which lie on the page, and the tags of a multiselect, which lie in an input."""
    assert contrast(WHITE, over(theme["primaryColor"], theme[ground])) >= ENOUGH


def test_what_is_chosen_can_be_read(theme):
    """A chosen segment or pill is written in the primary color, on a tenth of it; a slider's value on the page."""
    page = theme["backgroundColor"]
    assert contrast(theme["primaryColor"], over(faded(theme["primaryColor"], 0.9), page)) >= ENOUGH
    assert contrast(theme["primaryColor"], page) >= ENOUGH


@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_and_captions_can_be_read(theme, ground):
    """Captions are drawn in 60 % of the color of the text."""
    for amount in (0, 0.4):
        assert contrast(faded(theme["textColor"], amount), theme[ground]) >= ENOUGH
