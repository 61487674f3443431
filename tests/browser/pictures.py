"""Take the documentation's pictures of the pages by one command.

    python -m tests.browser.pictures                                 # draws 200 patients, trains, serves; minutes
    python -m tests.browser.pictures --home DIR                      # DIR has data and models from before; it is copied
    python -m tests.browser.pictures --weights FILE.weights.h5       # trained from other weights than bundled-8bit
    python -m tests.browser.pictures http://localhost:8501           # of an app that is served already
    python -m tests.browser.pictures --only classify                 # only the pictures whose names contain this

The app has a data set of phantoms and the model ``reference``, trained on it, beside the models that come along.
Pictures of a laptop lie in ``docs/pictures``, those of a projector and a phone in folders below it.
"""

import argparse
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from tests.browser.chromium import Theme, chromium, listen, new_page, settle
from tests.browser.furnished import furnish_clone
from tests.browser.lesson import hold_lesson
from tests.browser.places import Place
from tests.browser.shown import DETAILS, PAGES
from tests.browser.widgets import keyed
from tests.support.serving import homes_in, served

PICTURES = PROJECT / "docs" / "pictures"
COLORS = 256
"""Of a PNG file, chosen by coverage: the few pixels in a label's color keep it among many grays."""
QUALITY = 80
"""Of a WebP file."""
PATIENCE = 300_000
"""ms to wait for a page: the first visit of *Data* measures all images."""


@dataclass(frozen=True)
class Screen:
    """What the pages are looked at on."""

    folder: str
    """Below that of all pictures; empty for the laptop."""
    kind: str
    """As ``new_page`` takes it."""
    width: int
    """px"""
    height: int
    """px"""
    theme: Theme
    presents: bool = False

    def path(self, out: Path, name: str) -> Path:
        """The file of a picture."""
        if self.folder:
            return out / self.folder / f"{name}.webp"
        return out / f"{name}.png"

    def place(self, place: Place) -> Place:
        """The place as this screen shows it."""
        if not self.presents:
            return place
        sign = "&" if "?" in place.address else "?"
        return Place(place.name, f"{place.address}{sign}present=1", place.act)


LAPTOP = Screen("", "laptop", 1366, 768, "light")
PROJECTOR = Screen("presenting", "laptop", 1280, 720, "dark", presents=True)
PHONES = (
    Screen("phone-light", "phone", 390, 844, "light"),
    Screen("phone-dark", "phone", 390, 844, "dark"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", help="of an app that is served already")
    parser.add_argument("--home", metavar="DIR", type=Path, help="with data and models, instead of new ones")
    parser.add_argument("--weights", default="bundled-8bit", help="what a new model is trained from")
    parser.add_argument("--only", metavar="WORD", default="", help="only the pictures whose names contain this")
    parser.add_argument("--out", metavar="DIR", type=Path, default=PICTURES)
    chosen = parser.parse_args(arguments)
    expect.set_options(timeout=PATIENCE)
    with ExitStack() as stack:
        app = chosen.url or stack.enter_context(_app(chosen))
        browser = stack.enter_context(chromium())
        for screen in (LAPTOP, PROJECTOR, *PHONES):
            places = (*PAGES, *DETAILS) if screen is LAPTOP else PAGES
            shown = [place for place in places if chosen.only in place.name]
            _take(browser, app, screen, shown, chosen.out)
        if chosen.only in STEPS:
            for screen in (PROJECTOR, PHONES[0]):
                _take_steps(browser, app, screen, chosen.out)
        if chosen.only in COLUMNS:
            _take_columns(browser, chosen.out)


@contextmanager
def _app(chosen: argparse.Namespace) -> Iterator[str]:
    """The address of an app with data and a trained model."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        homes = furnish_clone(place, 200, chosen.weights, chosen.home)
        with served(place / "server.log", homes=homes) as app:
            yield app.address


@contextmanager
def _looking(browser: Browser, screen: Screen) -> Iterator[Page]:
    """A tab on a screen; no page may say an error on the console."""
    page = new_page(browser, screen.kind, screen.theme)
    page.context.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": screen.width, "height": screen.height})
    errors = listen(page)
    yield page
    page.context.close()
    assert errors == [], (screen, errors)


def _take(browser: Browser, app: str, screen: Screen, places: Sequence[Place], out: Path) -> None:
    """Pictures of places on one screen; each address is a new session."""
    with _looking(browser, screen) as page:
        for place in places:
            screen.place(place).visit(page, app)
            _take_picture(page, screen.path(out, place.name))


STEPS = "lesson-steps"


def _take_steps(browser: Browser, app: str, screen: Screen, out: Path) -> None:
    """A lesson from its beginning to its end: each step with its result."""
    lesson = screen.place(Place(STEPS, "lesson"))
    with _looking(browser, screen) as page:
        for step, _ in hold_lesson(page, f"{app}/{lesson.address}"):
            _take_picture(page, screen.path(out, f"lesson-{step}"))


COLUMNS = "dataset-columns"


def _take_columns(browser: Browser, out: Path) -> None:
    """The form that asks which columns of a table hold what: synthetic images, and a table with two possible labels."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        homes = homes_in(place)
        _write_humeri(Path(homes["FRACTURE_DATA"]) / "humeri")
        with served(place / "server.log", homes=homes) as app:
            page = new_page(browser)
            page.set_viewport_size({"width": 1366, "height": 1180})  # the whole form
            page.goto(f"{app.address}/data")
            keyed(page, "save columns").wait_for()
            _take_picture(page, LAPTOP.path(out, COLUMNS))
            page.context.close()


def _write_humeri(root: Path) -> None:
    (root / "xrays").mkdir(parents=True)
    lines = ["file;patient;diagnosis;fracture;age"]
    for number in range(12):
        Image.fromarray(generate_sample(100_000 + number, views=1)[0].pixels).save(root / "xrays" / f"{number}.png")
        diagnosis = ("S52.5", "Z00")[number % 2]
        lines.append(f"{number}.png;case-{number // 2};{diagnosis};{1 - number % 2};{40 + number}")
    (root / "list.csv").write_text("\n".join(lines) + "\n")


def _take_picture(page: Page, target: Path) -> None:
    """What is in view, as small as a repository needs it."""
    settle(page)
    page.wait_for_timeout(1500)  # charts fade in
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".webp":
        picture.save(target, quality=QUALITY, method=6)
    else:
        picture.quantize(COLORS, Image.Quantize.MAXCOVERAGE).save(target, optimize=True)
    print(target.relative_to(target.parents[1]), f"{target.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
