"""The lesson in a browser: held from its first step to its hand-out as its texts say, and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from fracture.teaching.lesson import read_lesson
from tests.browser.chromium import settle
from tests.browser.faults import overflow
from tests.browser.places import cover
from tests.browser.widgets import button, keyed, keyed_from

STEPS = [step.name for step in read_lesson("en").steps]


def begin(page: Page, number: int) -> None:
    """Predict, and open the page of a step."""
    step = STEPS[number - 1]
    expect(page.get_by_role("heading", name=re.compile(f"^{number}[.] "))).to_be_visible()
    settle(page)
    keyed(page, f"choice {step}").get_by_role("radio").first.check(force=True)
    settle(page)
    keyed(page, f"predict {step}").get_by_role("button").click()
    button(page, f"go {step}").click()
    expect(page.get_by_role("heading", name="Lesson", level=1)).not_to_be_visible()
    settle(page)


def result(page: Page, number: int) -> str:
    """Go back to the lesson: the words of the step's result. The next step is then on the page."""
    page.get_by_role("link", name=f"Step {number}").click()
    shown = keyed(page, f"result {STEPS[number - 1]}")
    expect(shown).to_be_visible()
    settle(page)
    words = shown.inner_text()
    if number < len(STEPS):
        button(page, "next lesson step").click()
    return words


def press(page: Page, key: str) -> None:
    """Press a button of the page, and wait for what it does."""
    button(page, key).click()
    settle(page)


def slide_to(page: Page, name: str, key: str) -> None:
    """Move a slider to one of its ends."""
    slider = page.get_by_role("slider", name=re.compile(name)).first
    slider.focus()
    slider.press(key)
    settle(page)


def test_lesson_is_held_from_its_first_step_to_its_handout(fresh, page):
    """On a fresh clone each step finds what was done on its page, and has figures of it."""
    page.goto(f"{fresh}/lesson")
    begin(page, 1)
    press(page, "another sample")
    result(page, 1)

    begin(page, 2)
    for _ in range(10):
        button(page, "answer positive").click()
        button(page, "next question").click()
        expect(button(page, "answer positive")).to_be_visible()
        settle(page)
    assert "10 X-rays. Class: sensitivity 100%" in result(page, 2)

    begin(page, 3)
    press(page, "show low rate")
    assert "2 heads trained" in result(page, 3)

    begin(page, 4)
    press(page, "show low rate")  # back to the learning rate of before
    slide_to(page, "patients", "Home")
    slide_to(page, "Dropout", "Home")
    slide_to(page, "Epochs", "End")
    assert "The validation loss was lowest in epoch" in result(page, 4)

    begin(page, 5)
    press(page, "show leakage")
    assert "Split by image: AUC 0." in result(page, 5)

    begin(page, 6)
    cover(page)
    settle(page)
    assert "with the mask" in result(page, 6)

    begin(page, 7)
    press(page, "point high_sensitivity")
    assert "sensitivity 9" in result(page, 7)

    begin(page, 8)
    for place in (1, 4, 6):  # the first one was seen on Home, and does not count
        keyed(page, "sample strip").get_by_role("button", name=re.compile(".")).nth(place).click()
        keyed_from(page, "guess positive").get_by_role("button").click()
        expect(page.get_by_text("You decided")).to_be_visible()
        settle(page)
    assert "Decided on 3 X-rays" in result(page, 8)
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
    expect(keyed(page, "lesson language")).to_be_visible()
    settle(page)
    keyed(page, "lesson language").get_by_role("combobox").click()
    page.get_by_role("option", name="العربية").click()
    heading = page.get_by_role("heading", name=re.compile("انظر"))
    expect(heading).to_have_css("direction", "rtl")
    settle(page)
    assert overflow(page) == 0
