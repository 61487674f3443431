"""Find the faults of every place of the app, empty and full, on three screens, in the light and dark theme.

    python -m tests.browser.sweep                                  # draws data, trains, serves, looks; some minutes
    python -m tests.browser.sweep --pictures /tmp/pictures         # and keeps a picture of each
    python -m tests.browser.sweep --size phone --only home         # only some of it
    python -m tests.browser.sweep --full URL --empty URL           # two apps that are already served

Prints a line for each place: the errors on its console, its grave faults by axe-core, by how much it is too wide, and
where Tab leads without a focus to be seen. Ends with status 1 where there is any. The full app has the models
``reference`` and ``fracatlas``.
"""

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.chromium import SIZES, THEMES, Theme, broken_pictures, chromium, listen, new_page, settle
from tests.browser.faults import ALLOWED, Allowed, accessibility, overflow
from tests.browser.furnished import BUNDLED, TRAINED, furnish
from tests.browser.keyboard import unseen_stops
from tests.browser.places import PAGES, Place, full
from tests.support.serving import homes_in, served

Look = tuple[str, Theme]
"""A size and a theme."""

TALLEST = 9000
"""px of a page that is brought into view as a whole."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep, print, and say whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.sweep", description=__doc__.splitlines()[0])
    parser.add_argument("--full", metavar="URL", help="an app with phantoms and the models reference and fracatlas")
    parser.add_argument("--empty", metavar="URL", help="an app with nothing in it")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="where a picture of each place is kept")
    parser.add_argument("--only", metavar="WORD", default="", help="only the places whose names contain this")
    parser.add_argument("--size", choices=SIZES, action="append", help="only this size, and each that is named so")
    parser.add_argument("--weights", default="bundled", help="what the model is trained from, where there is no --full")
    chosen = parser.parse_args(arguments)
    faults, seen = 0, set[Allowed]()
    with ExitStack() as stack:
        urls = _serve(chosen, Path(stack.enter_context(tempfile.TemporaryDirectory())), stack)
        browser = stack.enter_context(chromium())
        for state, place, looks in _all(chosen.only, chosen.size or list(SIZES)):
            for view, wrong, allowed in visit(browser, urls[state], place, looks, _picture(chosen.pictures, state)):
                print(f"{state:5} {place.name:12} {view:12} {'; '.join(wrong) or 'well'}", flush=True)
                faults, seen = faults + len(wrong), seen | allowed
    for rotten in () if chosen.only or chosen.size else set(ALLOWED) - seen:
        print(f"allowed, but not there any more: {rotten.rule} of {rotten.selector}")
        faults += 1
    print(f"{faults} faults")
    return 1 if faults else 0


def _all(only: str, sizes: Sequence[str]) -> Iterator[tuple[str, Place, list[Look]]]:
    """Every place with the looks that one visit takes in: a phone is a device of its own."""
    places = {"full": full(TRAINED, BUNDLED), "empty": PAGES}
    devices = (["phone"], [size for size in SIZES if size != "phone"])
    for device, state in itertools.product(devices, places):
        looks = list(itertools.product([size for size in device if size in sizes], THEMES))
        for place in places[state]:
            if looks and only in place.name:
                yield state, place, looks


def _serve(chosen: argparse.Namespace, place: Path, stack: ExitStack) -> dict[str, str]:
    """The addresses of both apps; those that are not given are made and served."""
    urls = {"full": chosen.full, "empty": chosen.empty}
    if not chosen.full:
        homes = furnish(place / "full", 60, chosen.weights)
        urls["full"] = stack.enter_context(served(place / "full.log", homes=homes)).address
    if not chosen.empty:
        urls["empty"] = stack.enter_context(served(place / "empty.log", homes=homes_in(place / "empty"))).address
    return urls


def _picture(folder: Path | None, state: str) -> Path | None:
    if folder:
        (folder / state).mkdir(parents=True, exist_ok=True)
    return folder / state if folder else None


def visit(
    browser: Browser, app: str, place: Place, looks: Sequence[Look], pictures: Path | None
) -> Iterator[tuple[str, list[str], set[Allowed]]]:
    """The faults of one place on a fresh page, and those that are allowed, by its size and theme."""
    page = new_page(browser, *looks[0])
    errors = listen(page)
    place.visit(page, app)
    for size, theme in looks:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme)
        settle(page)
        found, allowed = accessibility(page)
        wrong = [*errors, *map(str, found), *(f"broken: {each}" for each in broken_pictures(page))]
        errors.clear()
        if wide := overflow(page):
            wrong.append(f"{wide} px too wide")
        if pictures:
            page.screenshot(path=pictures / f"{place.name}-{size}-{theme}.png")
        if (size, theme) == ("laptop", "light"):
            stretch(page)
            wrong += [f"no focus is seen at {stop}" for stop in unseen_stops(page)]
        yield f"{size} {theme}", wrong, allowed
    page.context.close()


def stretch(page: Page) -> None:
    """Bring the whole page into view, however long: Streamlit scrolls within it, so that the window must grow."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    longer = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") + 80
    page.set_viewport_size({"width": width, "height": max(height, min(longer, TALLEST))})
    settle(page)
    page.wait_for_timeout(700)  # charts and pictures fade in


if __name__ == "__main__":
    sys.exit(main())
