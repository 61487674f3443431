"""The pages under *Learn* on a fresh clone: a chart without a click, within the first screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.places import open_tab, slide
from tests.browser.widgets import button, keyed, keyed_from

CHARTS = "[data-testid=stPlotlyChart], [data-testid=stVegaLiteChart]"

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("address", ["playground", "leakage", "shortcuts", "map"])
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


def drag(page, chart, corners):
    """Drag over a chart from corner to corner, each as shares of its width and height."""
    box = chart.bounding_box()
    places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def test_inside_on_a_fresh_clone_shows_maps_of_every_kind(fresh, page):
    """The picture and the maps are on the first screen; each part of the page draws, and nothing is too wide."""
    page.set_viewport_size(LAPTOP)
    page.goto(f"{fresh}/inside")
    maps = keyed(page, "network maps").get_by_role("img")
    maps.nth(11).wait_for()
    settle(page)
    box = maps.nth(11).bounding_box()
    assert box["y"] + box["height"] <= LAPTOP["height"]
    page.get_by_text("the served model's").wait_for()
    open_tab("Channels")(page)
    keyed(page, "exemplars").get_by_role("img").nth(3).wait_for()
    open_tab("Class-activation map")(page)
    page.get_by_role("slider").last.press("ArrowRight")
    page.get_by_text("Learned").last.wait_for()
    slide(page)
    page.get_by_role("img", name="Occlusion map").wait_for()
    page.set_viewport_size(PHONE)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_region_of_the_map_opens_its_images_and_their_like(fresh, page):
    """A box around points shows their images; one of them leads to those most similar, and back."""
    page.set_viewport_size(LAPTOP)
    page.goto(f"{fresh}/map")
    page.locator(CHARTS).first.wait_for()
    settle(page)
    drag(page, page.locator(".nsewdrag").first, [(0.3, 0.3), (0.5, 0.3), (0.5, 0.6), (0.3, 0.6), (0.3, 0.3)])
    tiles = keyed(page, "map gallery").get_by_role("img")
    tiles.nth(5).wait_for()
    settle(page)
    keyed_from(page, "alike").first.get_by_role("button").click()
    keyed(page, "map alike").get_by_role("img").nth(5).wait_for()
    button(page, "leave alike").click()
    tiles.nth(5).wait_for()
