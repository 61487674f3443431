"""Every page in a real browser, on a laptop by day and on a phone by night."""

from playwright.sync_api import Page, expect

from tests.browser.chromium import SIZES, Theme, listen, new_page, settle
from tests.browser.faults import ALLOWED, accessibility, overflow
from tests.browser.places import PAGES, Place, full


def _faults(page: Page, app: str, places: tuple[Place, ...], looks: dict[str, Theme]):
    """What is wrong with each place, and which of the allowed faults are there. ``looks``: a theme a size."""
    wrong, allowed, errors = {}, set(), listen(page)
    for place in places:
        _look(page, *next(iter(looks.items())))
        place.visit(page, app)
        for size, theme in looks.items():
            _look(page, size, theme)
            settle(page)
            found, excused = accessibility(page)
            allowed |= excused
            if all_found := [*map(str, found), *(["too wide"] if overflow(page) else [])]:
                wrong[place.name, size, theme] = all_found
    return {**wrong, **({"console": errors} if errors else {})}, allowed


def test_titles_of_all_pages_differ(empty, browser):
    """Each page has its own title, also when it is reached from another."""
    page = new_page(browser)
    titles = []
    for place in (each for each in PAGES if "?" not in each.address):
        place.visit(page, empty)
        titles.append(page.title())
    assert len(set(titles)) == len(titles)
    page.get_by_role("link", name="Classify").first.click()
    expect(page).to_have_title("Classify · Bone X-ray lab")


def _look(page: Page, size: str, theme: Theme) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)


LOOKED_AT = (
    "home",
    "study",
    "draw",
    "setup",
    "compare",
    "lesson",
    "quiz",
    "vote",
    "playground",
    "leakage",
    "covered",
    "sample",
    "judged",
    "code",
)
"""Each page once; the command ``python -m tests.browser.sweep`` looks at every place in every way."""


def test_pages_of_a_full_app_are_accessible(lab, browser):
    """No console error, no serious fault by axe-core but the allowed ones, and nothing too wide."""
    places = tuple(place for place in full("trained", "again") if place.name in LOOKED_AT)
    wrong, allowed = _faults(new_page(browser), lab, places, {"laptop": "light", "phone": "dark"})
    assert wrong == {}
    assert allowed == set(ALLOWED)


def test_pages_of_an_empty_app_are_accessible(empty, browser):
    """No console error, no serious fault by axe-core, and nothing too wide where there is no data."""
    wrong, _ = _faults(new_page(browser), empty, PAGES, {"phone": "light"})
    assert wrong == {}


def test_menu_on_a_phone_opens_a_page_and_closes(empty, browser):
    """On a phone a tap opens the menu, which leads to a page and closes."""
    page = new_page(browser, "phone")
    errors = listen(page)
    page.goto(empty)
    settle(page)
    leads_on = page.get_by_test_id("stSidebar").get_by_role("link", name="Playground")
    expect(leads_on).not_to_be_in_viewport()
    page.get_by_role("button", name="Expand sidebar").tap()
    leads_on.tap()
    expect(page.get_by_role("heading", name="Playground", level=1)).to_be_in_viewport()
    expect(leads_on).not_to_be_in_viewport()
    assert errors == []
