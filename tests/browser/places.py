"""The places of the app that tests look at: an address, and the clicks that lead on from there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.chromium import settle, unfold
from tests.browser.widgets import button, keyed, keyed_from


@dataclass(frozen=True)
class Place:
    """A page after some clicks."""

    name: str
    address: str
    """Behind the app's own."""
    act: Callable[[Page], None] | None = None

    def visit(self, page: Page, app: str) -> None:
        """Go there, and wait until the page is drawn."""
        page.goto(f"{app}/{self.address}")
        settle(page)
        if self.act:
            self.act(page)
            settle(page)


def full(first: str, second: str) -> tuple[Place, ...]:
    """The places of an app with a data set of phantoms and two models, by their names; the first was trained on it."""
    return (
        *PAGES,
        Place("study", "data", _open_a_study),
        Place("import", "data", _open_dialog("import dialog")),
        Place("draw", "data", _open_dialog("phantom dialog")),
        Place("statistics", "data", open_tab("Statistics")),
        Place("checks", "data", open_tab("Checks")),
        Place("decisions", "data", open_tab("Decisions and export")),
        Place("setup", "train", _set_up),
        Place("trained", f"train?run={first}", _open("network")),
        Place("compare", f"models?runs={first}&runs={second}"),
        Place("sample", f"classify?model={first}", ask_about_a_sample),
        Place("judged", f"models?model={second}", _open_card),
        Place("covered", "shortcuts", cover),
    )


PAGES = (
    Place("home", ""),
    Place("data", "data"),
    Place("train", "train"),
    Place("playground", "playground"),
    Place("leakage", "leakage"),
    Place("shortcuts", "shortcuts"),
    Place("classify", "classify"),
    Place("models", "models"),
)
"""Every page; an empty app has no other places."""


def _open_a_study(page: Page) -> None:
    keyed_from(page, "open").first.get_by_role("button").click()
    page.get_by_role("dialog").locator("canvas").wait_for()


def _open_dialog(key: str) -> Callable[[Page], None]:
    """Press the button that opens a dialog."""

    def press(page: Page) -> None:
        button(page, key).click()
        page.get_by_role("dialog").wait_for()

    return press


def open_tab(name: str) -> Callable[[Page], None]:
    """Open a tab of the page *Data*."""
    return lambda page: page.get_by_role("tab", name=name).click()


def _open(key: str) -> Callable[[Page], None]:
    return lambda page: unfold(page, key)


def _open_card(page: Page) -> None:
    page.get_by_role("tab", name="Card").click()
    unfold(page, "card")


def _set_up(page: Page) -> None:
    open_settings(page)


def open_settings(page: Page) -> None:
    """On the page *Train*: all settings of a new run."""
    button(page, "preset custom").click()
    page.get_by_role("tab").first.wait_for()
    settle(page)


def ask_about_a_sample(page: Page) -> None:
    """On the page *Classify*: the first of the drawn studies, and the truth about it."""
    keyed(page, "sample strip").get_by_role("button", name="Synthetic A").click()
    keyed_from(page, "truth of").locator("label").click()
    keyed(page, "classify_image").get_by_role("img").last.wait_for()


def cover(page: Page) -> None:
    """On the page *Shortcuts*: mask the true findings of the X-ray."""
    button(page, "mask truth").click()
    page.get_by_text("of the image is masked").wait_for()
