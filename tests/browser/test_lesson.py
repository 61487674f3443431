"""The lesson in a browser: a step from its prediction to its result, and the way back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.faults import overflow
from tests.browser.widgets import button, keyed


def test_lesson_leads_to_a_page_and_back(fresh, page):
    """The link back is there once a prediction was made."""
    page.goto(f"{fresh}/lesson")
    settle(page)
    keyed(page, "choice 1-look").locator("label").nth(2).click()
    settle(page)
    keyed(page, "predict 1-look").get_by_role("button").click()
    button(page, "go 1-look").click()
    expect(keyed(page, "home_image")).to_be_visible()
    settle(page)
    button(page, "another sample").click()
    settle(page)
    page.get_by_role("link", name="Lesson, step 1").click()
    expect(keyed(page, "result 1-look")).to_be_visible()
    settle(page)
    button(page, "next lesson step").click()
    expect(page.get_by_role("heading", name="2. Guess")).to_be_visible()


@pytest.mark.look("phone", "dark")
def test_lesson_fits_a_phone_in_both_directions(fresh, page):
    """The Arabic sample stands at the right."""
    page.goto(f"{fresh}/lesson")
    settle(page)
    assert overflow(page) == 0
    keyed(page, "lesson language").get_by_role("combobox").click()
    page.get_by_role("option", name="العربية").click()
    heading = page.get_by_role("heading", name=re.compile("انظر"))
    expect(heading).to_have_css("direction", "rtl")
    settle(page)
    assert overflow(page) == 0
