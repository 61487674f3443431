"""The places whose pictures the documentation shows; the app has phantoms and the model ``reference``."""

import numpy as np
from playwright.sync_api import FilePayload, Locator, Page
from skimage import data

from fracture.phantoms.samples import generate_sample
from tests.browser.chromium import settle
from tests.browser.furnished import BUNDLED, TRAINED
from tests.browser.places import Place, cover, open_tab
from tests.browser.widgets import button, keyed, keyed_from
from tests.hostile.dicoms import dicom
from tests.pages.test_pages import as_png

HUMERUS = 123456
"""The seed of the synthetic humerus that is uploaded."""


def upload(page: Page, name: str, content: bytes, mime_type: str = "image/png") -> None:
    """Drop a file on the page *Classify*, and wait for its picture."""
    file: FilePayload = {"name": name, "mimeType": mime_type, "buffer": content}
    keyed(page, "uploads").locator("input[type=file]").set_input_files(file)
    keyed(page, "classify_image").get_by_role("img").first.wait_for()


def _humerus(page: Page) -> None:
    upload(page, "humerus.png", as_png(generate_sample(HUMERUS, views=1)[0].pixels))


def _inverted(page: Page) -> None:
    upload(page, "inverted.png", as_png(255 - generate_sample(HUMERUS, views=1)[0].pixels))


def _photograph(page: Page) -> None:
    """By Lav Varshney, CC0."""
    upload(page, "photograph.png", as_png(data.camera()))


def _open_room(page: Page) -> None:
    """A room of a class vote at its first image, as its teacher sees it."""
    button(page, "open room").click()
    button(page, "next image").click()
    page.get_by_role("img", name="Radiograph 1 of 10").wait_for()


def _reveal_sample(page: Page) -> None:
    """A real X-ray of the strip, and the truth about it."""
    keyed(page, "sample strip").get_by_role("button", name="Leg").first.click()
    keyed_from(page, "truth of").locator("label").click()
    keyed(page, "classify_image").get_by_role("img").last.wait_for()
    page.get_by_test_id("stMain").evaluate("each => each.scrollTo(0, 0)")  # a phone has scrolled to the click


def _viewer(page: Page) -> None:
    """A phantom in 12 bits, with a narrower window and a crop."""
    values = generate_sample(HUMERUS, views=1)[0].pixels.astype(np.uint16) * 12 + 500
    file = dicom(values, BitsStored=12, HighBit=11, WindowCenter=2000, WindowWidth=3000, PixelSpacing=[0.4, 0.4])
    upload(page, "phantom.dcm", file, "application/dicom")
    keyed_from(page, "open viewer").first.get_by_role("button").click()
    viewer = page.get_by_role("dialog")
    viewer.locator("canvas").wait_for()
    settle(page)
    _crop_and_window(page, viewer)


def _crop_and_window(page: Page, viewer: Locator) -> None:
    """Drag a crop around the middle of the canvas, and set another window."""
    viewer.get_by_role("button", name="Crop", exact=True).click()
    box = viewer.locator("canvas").bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    y = box["y"] + box["height"] / 2
    page.mouse.move(x - 140, y - 160)
    page.mouse.down()
    page.mouse.move(x + 50, y + 120)
    page.mouse.up()
    viewer.get_by_role("spinbutton", name="Window width").fill("2200")
    viewer.get_by_role("spinbutton", name="Window width").press("Enter")


def _open_study(page: Page) -> None:
    keyed_from(page, "open").first.get_by_role("button").click()
    page.get_by_role("dialog").locator("canvas").wait_for()


def _show_properties(page: Page) -> None:
    open_tab("Checks")(page)
    settle(page)
    _to_the_top(page, page.get_by_text("alone predicts the label").first)


def _cover(page: Page) -> None:
    cover(page)
    page.mouse.move(640, 20)  # off the button, whose help would stay
    settle(page)
    _to_the_top(page, page.get_by_text("Mask the hardware").first)


def _to_the_top(page: Page, target: Locator) -> None:
    target.evaluate("each => each.scrollIntoView()")
    page.get_by_test_id("stMain").evaluate("each => each.scrollBy(0, -80)")  # from under the menu


PAGES = (
    Place("home", ""),
    Place("data", "data"),
    Place("study", "data", _open_study),
    Place("train-new", "train"),
    Place("train", f"train?run={TRAINED}"),
    Place("classify", f"classify?model={BUNDLED}", _reveal_sample),
    Place("classify-humerus", "classify", _humerus),
    Place("classify-photograph", "classify", _photograph),
    Place("classify-inverted", "classify", _inverted),
    Place("models", f"models?model={BUNDLED}"),
    Place("comparison", f"models?runs={TRAINED}&runs={BUNDLED}"),
    Place("lesson", "lesson"),
    Place("quiz", f"quiz?model={BUNDLED}"),
    Place("vote", "vote"),
    Place("vote-room", "vote", _open_room),
    Place("playground", "playground"),
    Place("leakage", "leakage"),
    Place("shortcuts", "shortcuts"),
    Place("inside", f"inside?model={BUNDLED}"),
    Place("map", "map"),
)
"""Every page, on every screen; a picture has the place's name."""

DETAILS = (
    Place("properties", "data", _show_properties),
    Place("masking", "shortcuts", _cover),
    Place("viewer", "classify", _viewer),
)
"""What is further down or one click away, on the laptop alone."""
