"""The lesson in a browser: held from its first step to its hand-out as its texts say, and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.faults import overflow
from tests.browser.lesson import STEPS, begin, hold_lesson
from tests.browser.widgets import button, keyed

FIGURES = {
    "2-guess": "Class: sensitivity 100%",
    "3-train": "at the learning rate 2e-05",
    "4-overfit": "The validation loss was lowest in epoch",
    "5-split": "Split by image: AUC 0.",
    "6-shortcut": "AUC with metal: 0.9",
    "7-threshold": "sensitivity 9",
    "8-doubt": "Decided on 3 X-rays",
}
"""Of what was done in a step, on the page of its result."""


def test_lesson_is_held_from_its_first_step_to_its_handout(fresh, page):
    """On a fresh clone each step finds what was done on its page, and has figures of it."""
    held = []
    for step, words in hold_lesson(page, f"{fresh}/lesson"):
        held.append(step)
        assert FIGURES.get(step, "") in words
    assert held == STEPS
    with page.expect_download() as handout:
        button(page, "handout").click()
    assert handout.value.suggested_filename == "lesson.pdf"


@pytest.mark.look("phone", "dark")
def test_lesson_fits_a_phone_in_both_directions(fresh, page):
    """The Arabic sample stands at the right."""
    page.goto(f"{fresh}/lesson")
    settle(page)
    assert overflow(page) == 0
    begin(page, 1)
    menu = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    back = page.get_by_role("link", name="Step 1").bounding_box()
    assert menu["x"] + menu["width"] <= back["x"]
    page.get_by_role("link", name="Step 1").click()
    # It is drawn last: what is drawn while a list is open closes it.
    expect(button(page, "next lesson step")).to_be_visible()
    settle(page)
    keyed(page, "lesson language").get_by_role("combobox").click()
    page.get_by_role("option", name="العربية").click()
    heading = page.get_by_role("heading", name=re.compile("انظر"))
    expect(heading).to_have_css("direction", "rtl")
    settle(page)
    assert overflow(page) == 0
