"""The quiz in a browser: on one screen, by keys, and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.faults import overflow
from tests.browser.widgets import button

LAPTOP = {"width": 1366, "height": 768}


def test_quiz_shows_the_xray_and_both_answers_on_the_first_screen(fresh, page):
    """And keys answer and go on."""
    page.goto(f"{fresh}/quiz")
    settle(page)
    xray = page.get_by_role("img", name="X-ray 1")
    for part in (xray, button(page, "answer positive"), button(page, "answer negative")):
        box = part.bounding_box()
        assert box["y"] + box["height"] <= LAPTOP["height"]
    page.keyboard.press("2")
    expect(button(page, "next question")).to_be_visible()
    expect(page.get_by_text("Truth:")).to_be_visible()
    settle(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="X-ray 2")).to_be_visible()
    expect(page.get_by_text("Truth:")).not_to_be_visible()


@pytest.mark.look("phone", "dark")
def test_quiz_fits_a_phone(fresh, page):
    """The buttons stand below the picture."""
    page.goto(f"{fresh}/quiz")
    settle(page)
    button(page, "answer positive").click()
    expect(button(page, "next question")).to_be_visible()
    settle(page)
    assert overflow(page) == 0
