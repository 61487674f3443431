"""Faults of a page in a browser: accessibility faults that axe-core finds, and overflow."""

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
ALSO = ("heading-order", "landmark-one-main", "page-has-heading-one", "image-redundant-alt")
"""Rules that axe-core takes for less grave, and that these pages keep nevertheless."""


_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""Axe-core checks the size of tap targets, 24 px with the room around them, only when asked to."""


@dataclass(frozen=True)
class Fault:
    """One element that breaks one rule of axe-core."""

    rule: str
    html: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.why}\n    {self.html[:300]}"


@dataclass(frozen=True)
class Allowed:
    """A fault that is Streamlit's own and cannot be put right from outside."""

    rule: str
    selector: str
    """CSS of the element itself."""
    why: str


ALLOWED = (
    Allowed(
        "list", "ul[data-testid=stSidebarNavItems]",
        "A phone's menu with sections: Streamlit's own markup puts a div for each section between the list and its "
        "items, and no setting changes that. The links are reached and named all the same.",
    ),
    Allowed(
        "listitem", "ul[data-testid=stSidebarNavItems] > div > li",
        "The items of that menu.",
    ),
    Allowed(
        "scrollable-region-focusable", ":is([data-testid=stTable] > div, [data-testid=stCode] pre)",
        "A wide table on a phone, or a long script. Chromium and Firefox let Tab stop at what scrolls, so "
        "that the arrows move it.",
    ),
)  # fmt: skip
"""A test of all places must find each of these, so that the list does not outlive its reasons."""


def accessibility(page: Page) -> tuple[list[Fault], set[Allowed]]:
    """The faults that count, and those that are allowed."""
    found, allowed = [], set()
    for violation in Axe().run(page, options=_OPTIONS).response["violations"]:
        if violation["impact"] in GRAVE or violation["id"] in ALSO:
            for node in violation["nodes"]:
                excuse = _excuse(page, violation["id"], node["target"])
                if excuse:
                    allowed.add(excuse)
                else:
                    found.append(Fault(violation["id"], node["html"], _reason(node)))
    return found, allowed


def _excuse(page: Page, rule: str, target: list[str]) -> Allowed | None:
    same = "([selector, target]) => document.querySelector(target)?.matches(selector)"
    for each in ALLOWED:
        if each.rule == rule and page.evaluate(same, [each.selector, target[0]]):
            return each
    return None


def _reason(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])


def overflow(page: Page) -> int:
    """By how many px the page is wider than the screen; 0 where nothing has to be scrolled sideways."""
    wider: int = page.evaluate(
        """() => Math.max(0, ...[document.scrollingElement, document.querySelector('[data-testid=stMain]')]
            .map(part => part.scrollWidth - part.clientWidth))"""
    )
    return wider
