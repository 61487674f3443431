"""Debian's Chromium: a browser, a page in it of a size and a theme, and when that page has come to rest."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.widgets import summary

CHROMIUM = Path("/usr/bin/chromium")
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {"laptop": (1366, 768), "beamer": (1280, 720), "phone": (390, 844)}
"""Width and height in px."""

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
"""As which a phone introduces itself: by that Streamlit knows that its menu covers the page, and folds it away."""

PATIENCE = 90_000
"""ms to wait for what must come: more than it takes, where others are at work beside it."""

ASKED_TWICE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")
"""A page that is called by its address asks for the server below that address first, and gets a 404, then at the root.

Streamlit's own: its front end cannot know whether the app is served below a path.
"""

BROKEN_OFF = "net::ERR_ABORTED"
"""The browser itself gave a request up: the page moved on before the answer came, as it may while a font loads."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def new_page(browser: Browser, size: str = "laptop", theme: Theme = "light") -> Page:
    """An empty page of a new visitor; a phone has a touch screen."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce",
        is_mobile=size == "phone", has_touch=size == "phone", user_agent=PHONE if size == "phone" else None,
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def listen(page: Page) -> list[str]:
    """A list that grows with every error on the page's console, and with every request that fails."""
    errors: list[str] = []

    def note(what: str, where: str) -> None:
        if not ASKED_TWICE.search(where):
            errors.append(f"{what} {where}")

    def note_failure(failure: str, where: str) -> None:
        if failure != BROKEN_OFF:
            note(failure, where)

    page.on("pageerror", lambda error: note(str(error), ""))
    page.on("requestfailed", lambda request: note_failure(str(request.failure), request.url))
    page.on("response", lambda response: None if response.ok else note(str(response.status), response.url))
    page.on(
        "console",
        lambda said: note(said.text, said.location.get("url", "")) if said.type == "error" else None,
    )
    return errors


def broken_pictures(page: Page) -> list[str]:
    """The addresses of pictures that the browser has given up on."""
    broken: list[str] = page.evaluate(
        "[...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"
    )
    return broken


_AT_REST = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const atWork = '[data-stale=true], [data-testid=stSkeleton], [data-testid=stSpinner]';
    const rests = document.querySelector('h1') && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector(atWork);
    window.restsSince = rests ? window.restsSince ?? performance.now() : undefined;
    return performance.now() - window.restsSince > 400;
}"""


def settle(page: Page) -> None:
    """Wait until the page is drawn and has been at rest for 0.4 s."""
    page.evaluate("window.restsSince = undefined")
    page.wait_for_function(_AT_REST, polling=50)
    page.wait_for_load_state("networkidle")


def unfold(page: Page, key: str) -> None:
    """Open the expander with a key, and wait until it has its height: a click into it before goes astray."""
    line = summary(page, key)
    line.click()
    page.wait_for_function(
        "folded => folded.open && !folded.getAnimations().length", arg=line.locator("..").element_handle()
    )
