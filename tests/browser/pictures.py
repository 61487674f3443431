"""Take the README's screenshots of the pages by one command.

    python -m tests.browser.pictures                                 # draws 200 patients, trains, serves; minutes
    python -m tests.browser.pictures --weights FILE.weights.h5       # trained from other weights than the bundled ones
    python -m tests.browser.pictures http://localhost:8501           # of an app that is served already

The app has a data set of phantoms and the models ``reference``, trained on it, and ``fracatlas``, which comes along.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page
from skimage import data

from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from tests.browser.chromium import chromium, listen, new_page, settle
from tests.browser.furnished import BUNDLED, TRAINED, furnish
from tests.browser.places import Place, ask_about_a_sample, cover, open_tab
from tests.browser.widgets import keyed, keyed_from
from tests.hostile.dicoms import dicom
from tests.support.serving import homes_in, served

PICTURES = PROJECT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 860}
"""px of a picture."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Photograph every page at a laptop's width."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", help="of an app that is served already")
    parser.add_argument("--weights", default="bundled", help="what the model is trained from, where there is no URL")
    parser.add_argument("--out", metavar="DIR", type=Path, default=PICTURES)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        app = chosen.url
        if app is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            app = stack.enter_context(served(place / "server.log", homes=furnish(place, 200, chosen.weights))).address
        page = new_page(stack.enter_context(chromium()))
        page.set_viewport_size(SIZE)
        errors = listen(page)
        for each in SHOWN:
            each.visit(page, app)
            _photograph(page, chosen.out / f"{each.name}.png")
        _photograph_answers(page, chosen.out)
        _photograph_columns(page, chosen.out)
        _photograph_viewer(page, chosen.out)
        page.context.close()
        assert errors == [], errors


def _photograph_answers(page: Page, out: Path) -> None:
    """What *Automatic* says of a synthetic humerus, of the same inverted, and of a photograph (CC0, Lav Varshney)."""
    humerus = generate_sample(123456, views=1)[0].pixels
    pictures = {"humerus": humerus, "inverted": 255 - humerus, "photograph": data.camera()}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
        with served(place / "server.log", homes=homes) as app:
            for name, pixels in pictures.items():
                file = place / f"{name}.png"
                Image.fromarray(pixels).save(file)
                page.goto(f"{app.address}/classify")
                settle(page)
                page.locator("input[type=file]").set_input_files(str(file))
                page.get_by_role("img", name=file.name).first.wait_for()
                _to_the_top(page, keyed(page, "model"))
                _photograph(page, out / f"classify-{name}.png")
            page.goto("about:blank")  # before its server ends, which would be an error on the console


def _photograph_viewer(page: Page, out: Path) -> None:
    """A phantom in 12 bits in the viewer, with a narrower window and a crop."""
    values = generate_sample(123456, views=1)[0].pixels.astype(np.uint16) * 12 + 500
    file = dicom(values, BitsStored=12, HighBit=11, WindowCenter=2000, WindowWidth=3000, PixelSpacing=[0.4, 0.4])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
        with served(place / "server.log", homes=homes) as app:
            page.goto(f"{app.address}/classify")
            settle(page)
            upload = {"name": "phantom.dcm", "mimeType": "application/dicom", "buffer": file}
            page.locator("input[type=file]").set_input_files(upload)
            keyed_from(page, "open viewer").first.get_by_role("button").click()
            viewer = page.get_by_role("dialog")
            viewer.locator("canvas").wait_for()
            settle(page)
            _crop_and_window(page, viewer)
            _photograph(page, out / "viewer.png")
            page.goto("about:blank")


def _crop_and_window(page: Page, viewer: Locator) -> None:
    """Drag a crop around the middle of the canvas, and set another window."""
    viewer.get_by_role("button", name="Crop", exact=True).click()
    box = viewer.locator("canvas").bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    y = box["y"] + box["height"] / 2
    page.mouse.move(x - 140, y - 200)
    page.mouse.down()
    page.mouse.move(x + 50, y + 120)
    page.mouse.up()
    viewer.get_by_role("spinbutton", name="Window width").fill("2200")
    viewer.get_by_role("spinbutton", name="Window width").press("Enter")


def _photograph_columns(page: Page, out: Path) -> None:
    """The form that asks which columns of a table hold what: synthetic images, and a table with two possible labels."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        homes = homes_in(place)
        root = Path(homes["FRACTURE_DATA"]) / "humeri"
        (root / "xrays").mkdir(parents=True)
        lines = ["file;patient;diagnosis;fracture;age"]
        for number in range(12):
            Image.fromarray(generate_sample(100_000 + number, views=1)[0].pixels).save(root / "xrays" / f"{number}.png")
            lines.append(
                f"{number}.png;case-{number // 2};{('S52.5', 'Z00')[number % 2]};{1 - number % 2};{40 + number}"
            )
        (root / "list.csv").write_text("\n".join(lines) + "\n")
        with served(place / "server.log", homes=homes) as app:
            page.goto(f"{app.address}/data")
            keyed(page, "save columns").wait_for()
            page.set_viewport_size({**SIZE, "height": 1180})  # the whole form
            _photograph(page, out / "dataset-columns.png")
            page.set_viewport_size(SIZE)
            page.goto("about:blank")


def _turn_a_dial(page: Page) -> None:
    """So that there are tries to be held against each other."""
    for _ in range(3):
        page.get_by_role("slider").first.press("ArrowRight")
        settle(page)


def _show_properties(page: Page) -> None:
    open_tab("Checks")(page)
    _to_the_top(page, page.get_by_text("alone predicts the label").first)


def _cover(page: Page) -> None:
    cover(page)
    page.mouse.move(640, 20)  # off the button, whose help would stay
    _to_the_top(page, page.get_by_text("Mask the hardware").first)


def _to_the_top(page: Page, target: Locator) -> None:
    settle(page)
    target.evaluate("each => each.scrollIntoView()")
    page.get_by_test_id("stMain").evaluate("each => each.scrollBy(0, -80)")  # from under the menu


SHOWN = (
    Place("home", ""),
    Place("data", "data"),
    Place("properties", "data", _show_properties),
    Place("train", f"train?run={TRAINED}"),
    Place("comparison", f"models?runs={TRAINED}&runs={BUNDLED}"),
    Place("playground", "playground", _turn_a_dial),
    Place("shortcuts", "shortcuts", _cover),
    Place("classify", f"classify?model={BUNDLED}", ask_about_a_sample),
    Place("models", f"models?model={BUNDLED}"),
)
"""Where each picture is taken; it has the place's name."""


def _photograph(page: Page, target: Path) -> None:
    """What is in view, in few enough colors for a repository."""
    settle(page)
    page.wait_for_timeout(1500)  # charts fade in
    page.screenshot(path=target)
    Image.open(target).convert("RGB").quantize(128).save(target, optimize=True)


if __name__ == "__main__":
    main()
