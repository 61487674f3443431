"""Going through the app by keys alone."""

from playwright.sync_api import FloatRect, Locator, Page

MOST_STOPS = 120
"""Presses of a key that somebody would put up with at the most."""


def tab_to(page: Page, target: Locator, key: str = "Tab", most: int = MOST_STOPS) -> None:
    """Press a key until the target has the focus, ``most`` times at the most."""
    for _ in range(most):
        page.keyboard.press(key)
        if has_focus(target):
            return
    raise AssertionError(f"{key} does not lead to {target}")


def has_focus(target: Locator) -> bool:
    """Whether the keys go there now; a target that is not there has no focus."""
    # Within a component, which is a document of its own for this, as on the page.
    return any(target.evaluate_all("all => all.map(each => each === each.getRootNode().activeElement)"))


_STOP = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;  // a component has stops of its own
    if (!at || at === document.body) return null;
    const {x, y, width, height} = (at.closest('label') ?? at).getBoundingClientRect();
    const name = (at.getAttribute('aria-label') || at.innerText || at.tagName).replace(/\\s+/g, ' ').slice(0, 60);
    const drawnElsewhere = at.closest('[data-testid=stDataFrame], .modebar') !== null;
    const stuck = at === window.stopBefore && !drawnElsewhere;
    window.stopBefore = at;
    const inToolbar = at.closest('[data-testid=stElementToolbar]') !== null;
    return {name, box: {x, y, width, height}, drawnElsewhere, inToolbar, stuck};
}"""
"""A table draws the chosen cell on its canvas, and Plotly's small bar lights up no button: neither is ours."""

LOOKS = 40
"""Pictures that are taken of a stop at most, until one shows the focus."""

_AROUND = 8
"""px around an element in which its focus may be visible."""


def unseen_stops(page: Page) -> list[str]:
    """Go through the page by Tab, and name the stops that hold the focus for good, or do not show that they have it.

    The page must be in view as a whole.
    """
    unseen: list[str] = []
    page.keyboard.press("Tab")
    for _ in range(MOST_STOPS):
        stop = page.evaluate(_STOP)
        if stop is None:
            break
        if stop["stuck"]:
            return [*unseen, f"{stop['name']} (a trap)"]
        if stop["inToolbar"]:
            _wait_for_tooltip(page)
        focused = None if stop["drawnElsewhere"] or stop["inToolbar"] else _picture(page, stop["box"])
        page.keyboard.press("Tab")
        if focused and _picture(page, stop["box"]) == focused and not _shows_focus(page):
            unseen.append(stop["name"])
    return unseen


def _wait_for_tooltip(page: Page) -> None:
    """Wait until a tooltip names the button of a chart's tool bar that has the focus.

    Streamlit leaves the bar itself invisible to the keyboard. The tooltip stands above the button, so that a picture of
    the button shows it only while it moves there: whether it did depended on how fast the machine was.
    """
    page.get_by_test_id("stTooltipContent").last.wait_for()


def _shows_focus(page: Page) -> bool:
    """Whether the stop before shows the focus when looked at again, and until it does.

    It may have moved between the two pictures, and what the focus calls up may come late.
    """
    page.keyboard.press("Shift+Tab")
    stop = page.evaluate(_STOP)
    page.keyboard.press("Tab")
    if stop is None:
        return False
    unfocused = _resting_picture(page, stop["box"])
    page.keyboard.press("Shift+Tab")
    shown = any(_picture(page, stop["box"]) != unfocused for _ in range(LOOKS))
    page.keyboard.press("Tab")
    return shown


def _resting_picture(page: Page, box: dict[str, float]) -> bytes:
    """The first picture that is like the one before: everything that the focus had called up is gone."""
    before = _picture(page, box)
    for _ in range(LOOKS):
        now = _picture(page, box)
        if now == before:
            break
        before = now
    return before


def _picture(page: Page, box: dict[str, float]) -> bytes:
    """A part of the page as it looks when all its transitions have ended.

    A ring of focus fades in and out. On a slow machine a picture would show the first frame of that, in which nothing
    has changed yet: a stop that has just lost the focus would look as if it still had it.
    """
    width, height = page.evaluate("[innerWidth, innerHeight]")
    left, top = max(0, box["x"] - _AROUND), max(0, box["y"] - _AROUND)
    clip: FloatRect = {
        "x": left,
        "y": top,
        "width": min(width - left, box["width"] + 2 * _AROUND),
        "height": min(height - top, box["height"] + 2 * _AROUND),
    }
    return page.screenshot(clip=clip, animations="disabled")
