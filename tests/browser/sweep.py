"""Find the faults of every place of the app, empty and full, on a laptop and on a phone, in the light and dark theme.

    python -m tests.browser.sweep                                  # draws data, trains, serves, looks; some minutes
    python -m tests.browser.sweep --pictures /tmp/pictures         # and keeps a picture of each
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

TALLEST = 9000
"""px of a picture."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep, print, and say whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.sweep", description=__doc__.splitlines()[0])
    parser.add_argument("--full", metavar="URL", help="an app with phantoms and the models reference and fracatlas")
    parser.add_argument("--empty", metavar="URL", help="an app with nothing in it")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="where a picture of each place is kept")
    parser.add_argument("--only", metavar="WORD", default="", help="only the places whose names contain this")
    parser.add_argument("--weights", default="bundled", help="what the model is trained from, where there is no --full")
    chosen = parser.parse_args(arguments)
    faults, seen = 0, set[Allowed]()
    with ExitStack() as stack:
        urls = _serve(chosen, Path(stack.enter_context(tempfile.TemporaryDirectory())), stack)
        browser = stack.enter_context(chromium())
        for state, place, size, theme in _all(chosen.only):
            wrong, allowed = look(browser, urls[state], place, size, theme, _picture(chosen.pictures, state))
            print(f"{state:5} {place.name:10} {size:6} {theme:5} {'; '.join(wrong) or 'well'}", flush=True)
            faults, seen = faults + len(wrong), seen | allowed
    for rotten in () if chosen.only else set(ALLOWED) - seen:
        print(f"allowed, but not there any more: {rotten.rule} of {rotten.selector}")
        faults += 1
    print(f"{faults} faults")
    return 1 if faults else 0


def _all(only: str) -> Iterator[tuple[str, Place, str, Theme]]:
    places = {"full": full(TRAINED, BUNDLED), "empty": PAGES}
    for state, size, theme in itertools.product(places, SIZES, THEMES):
        for place in places[state]:
            if only in place.name:
                yield state, place, size, theme


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


def look(
    browser: Browser, app: str, place: Place, size: str, theme: Theme, pictures: Path | None
) -> tuple[list[str], set[Allowed]]:
    """The faults of one place on a fresh page, and those that are allowed."""
    page = new_page(browser, size, theme)
    errors = listen(page)
    place.visit(page, app)
    found, allowed = accessibility(page)
    errors += [f"broken: {each}" for each in broken_pictures(page)]
    wide = overflow(page)
    stretch(page)
    if pictures:
        page.screenshot(path=pictures / f"{place.name}-{size}-{theme}.png")
    unseen = unseen_stops(page) if size == "laptop" and theme == "light" else []
    page.context.close()
    return [
        *errors,
        *map(str, found),
        *([f"{wide} px too wide"] if wide else []),
        *(f"no focus is seen at {stop}" for stop in unseen),
    ], allowed


def stretch(page: Page) -> None:
    """Bring the whole page into view, however long: Streamlit scrolls within it, so that the window must grow."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    longer = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") + 80
    page.set_viewport_size({"width": width, "height": max(height, min(longer, TALLEST))})
    settle(page)
    page.wait_for_timeout(700)  # charts and pictures fade in


if __name__ == "__main__":
    sys.exit(main())
