"""A lesson held in a browser, step by step, as its texts say."""

import re
from collections.abc import Callable, Iterator

from playwright.sync_api import Page, expect

from fracture.teaching.lesson import read_lesson
from tests.browser.chromium import settle
from tests.browser.widgets import button, keyed, keyed_from

STEPS = [step.name for step in read_lesson("en").steps]


def hold_lesson(page: Page, address: str) -> Iterator[tuple[str, str]]:
    """The name of each step and the words of its result, while that is on the page."""
    page.goto(address)
    for number, (step, act) in enumerate(zip(STEPS, ACTS, strict=True), start=1):
        begin(page, number)
        act(page)
        yield step, result(page, number)
        if step != STEPS[-1]:
            button(page, "next lesson step").click()


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
    """Go back to the lesson: the words of the step's result."""
    page.get_by_role("link", name=f"Step {number}").click()
    shown = keyed(page, f"result {STEPS[number - 1]}")
    expect(shown).to_be_visible()
    settle(page)
    return shown.inner_text()


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


def _look(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Show another X-ray|Next X-ray")).click()
    settle(page)


def _guess(page: Page) -> None:
    for _ in range(10):
        button(page, "answer positive").click()
        button(page, "next question").click()
        expect(button(page, "answer positive")).to_be_visible()
        settle(page)


def _train(page: Page) -> None:
    press(page, "show low rate")


def _overfit(page: Page) -> None:
    press(page, "show low rate")  # back to the learning rate of before
    slide_to(page, "patients", "Home")
    slide_to(page, "Dropout", "Home")
    slide_to(page, "Epochs", "End")


def _leak(page: Page) -> None:
    press(page, "show leakage")


def _ablate(page: Page) -> None:
    press(page, "run hardware")


def _choose(page: Page) -> None:
    press(page, "point high_sensitivity")


def _doubt(page: Page) -> None:
    for place in (1, 4, 6):  # the first one was seen on Home, and does not count
        keyed(page, "sample strip").get_by_role("button", name=re.compile(".")).nth(place).click()
        keyed_from(page, "guess positive").get_by_role("button").click()
        expect(page.get_by_text("You decided")).to_be_visible()
        settle(page)


ACTS: tuple[Callable[[Page], None], ...] = (_look, _guess, _train, _overfit, _leak, _ablate, _choose, _doubt)
"""What is done in each step, on its page."""
