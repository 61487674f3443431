"""The places of the app that tests look at: an address, and the clicks that lead on from there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from fracture.sample_radiographs import sample_radiographs
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
        Place("upload", f"classify?model={second}", _upload),
        Place("judged", f"models?model={second}", _open_card),
        *(Place(name, f"models?model={second}", open_tab(tab)) for name, tab in MODEL_TABS.items()),
        Place("covered", "shortcuts", cover),
        Place("channels", f"inside?model={second}", open_tab("Channels")),
        Place("weights", f"inside?model={second}", open_tab("Class-activation map")),
        Place("sliding", f"inside?model={first}", slide),
        Place("arranged", "map", arrange),
        *_presenting(first),
    )


MODEL_TABS = {
    "threshold": "Threshold",
    "results": "Results",
    "curves": "Curves",
    "errors": "Errors",
    "calibration": "Calibration",
    "heatmaps": "Heat maps",
    "external": "External validation",
    "code": "Code",
}
"""The tabs of a model on the page *Models* by the names of their places; the card has a place of its own."""


PAGES = (
    Place("home", ""),
    Place("data", "data"),
    Place("train", "train"),
    Place("lesson", "lesson"),
    Place("quiz", "quiz"),
    Place("playground", "playground"),
    Place("leakage", "leakage"),
    Place("shortcuts", "shortcuts"),
    Place("vote", "vote"),
    Place("inside", "inside"),
    Place("map", "map"),
    Place("classify", "classify"),
    Place("models", "models"),
)
"""Every page; an empty app has no other places."""


def _presenting(model: str) -> Iterator[Place]:
    """Every page as it is presented, and an answer, a run and a model."""
    for place in PAGES:
        yield Place(f"{place.name}!", f"{place.address}?present=1")
    yield Place("sample!", f"classify?present=1&model={model}", ask_about_a_sample)
    yield Place("trained!", f"train?present=1&run={model}")
    yield Place("judged!", f"models?present=1&model={model}")


def _upload(page: Page) -> None:
    """On the page *Classify*: upload the first of the radiographs that come with the app."""
    file = sample_radiographs()[0].path
    keyed(page, "uploads").locator("input[type=file]").set_input_files(file)
    keyed(page, "classify_image").get_by_role("img", name=file.name).first.wait_for()


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
    """Open a tab of the page *Data*, or of a model."""
    return lambda page: page.get_by_role("tab", name=name).click()


def _open(key: str) -> Callable[[Page], None]:
    return lambda page: unfold(page, key)


def _open_card(page: Page) -> None:
    page.get_by_role("tab", name="Card").click()
    unfold(page, "card")
    page.get_by_test_id("stJson").get_by_text("NULL").first.wait_for()


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


def slide(page: Page) -> None:
    """On the page *Inside the network*: the occlusion map."""
    open_tab("Occlusion")(page)
    button(page, "slide patch").click()
    page.get_by_text("Covered at one of").wait_for()


def arrange(page: Page) -> None:
    """On the page *Data map*: t-SNE."""
    keyed(page, "map projection").get_by_text("t-SNE").click()
    page.get_by_text("its axes mean nothing").wait_for()


def cover(page: Page) -> None:
    """On the page *Shortcuts*: mask the true findings of the X-ray."""
    button(page, "mask truth").click()
    page.get_by_text("of the image is masked").wait_for()
