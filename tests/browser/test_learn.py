"""The pages under *Learn* on a fresh clone: a chart without a click, within the first screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.widgets import button, keyed

CHARTS = "[data-testid=stPlotlyChart], [data-testid=stVegaLiteChart]"

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("address", ["playground", "leakage", "shortcuts"])
def test_learn_page_on_a_fresh_clone_shows_a_chart_at_once(fresh, page, address):
    """The first chart is within a laptop's first screen, and nothing is wider than a phone."""
    page.set_viewport_size(LAPTOP)
    page.goto(f"{fresh}/{address}")
    page.locator(CHARTS).first.wait_for()
    settle(page)
    box = page.locator(CHARTS).first.bounding_box()
    assert box["y"] + box["height"] <= LAPTOP["height"]
    page.set_viewport_size(PHONE)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dials_mark_a_result_further_down_as_outdated(fresh, page):
    """The sections below draw themselves without the dials, and follow them all the same."""
    page.set_viewport_size(LAPTOP)
    page.goto(f"{fresh}/playground")
    marks = page.get_by_text("Changed since: learning rate")
    button(page, "show low rate").click()
    expect(marks).to_have_count(1)
    settle(page)
    button(page, "show low rate").click()
    expect(marks).to_have_count(0)


@pytest.mark.look("phone")
def test_leakage_on_a_phone_goes_on_right_below_its_chart(fresh, page):
    """The button that repeats the experiment follows the chart's own, with no gap that looks like the end."""
    page.goto(f"{fresh}/leakage")
    settle(page)
    above = keyed(page, "csv leakage gaps").bounding_box()
    below = keyed(page, "show leakage").bounding_box()
    assert 0 <= below["y"] - (above["y"] + above["height"]) <= 32
