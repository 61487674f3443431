"""The viewer by mouse, keys and fingers: window, zoom, rotation, crop, and the answer for a changed picture."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from fracture.imaging.radiograph import read
from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from tests.browser.chromium import new_page, settle
from tests.browser.faults import accessibility, overflow
from tests.browser.keyboard import has_focus
from tests.browser.widgets import keyed_from
from tests.hostile.dicoms import dicom
from tests.support.drawing import draw_mura
from tests.support.serving import homes_in, served

WINDOW = "window 2,000 / 2,600"
"""Of the file; the viewer opens with it."""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with the models that come along, and a small data set."""
    place = tmp_path_factory.mktemp("viewer")
    homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
    draw_mura(place / "data" / "MURA-v1.1")
    with served(place / "server.log", homes=homes) as app:
        yield app.address


@pytest.fixture(scope="module")
def radiograph() -> bytes:
    """A phantom in 12 bits with a window and the spacing of its pixels."""
    return deep_phantom()


def deep_phantom(**elements: str) -> bytes:
    values = generate_sample(123456, views=1)[0].pixels.astype(np.uint16) * 12 + 500
    window = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2000, "WindowWidth": 2600}
    return dicom(values, **window, PixelSpacing=[0.4, 0.4], **elements)


def open_viewer(page: Page, app: str, radiograph: bytes) -> Locator:
    """Upload the radiograph and open it in the viewer."""
    page.goto(f"{app}/classify")
    settle(page)
    file = {"name": "arm.dcm", "mimeType": "application/dicom", "buffer": radiograph}
    page.locator("input[type=file]").first.set_input_files(file)
    return _open(page)


def _open(page: Page) -> Locator:
    keyed_from(page, "open viewer").first.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(state(dialog)).to_contain_text("window")
    settle(page)
    return dialog


def state(viewer: Locator) -> Locator:
    """The line that says how the image is shown."""
    return viewer.locator("[data-out=state]")


def press(viewer: Locator, name: str) -> None:
    viewer.get_by_role("button", name=name, exact=True).click()


def brightness(viewer: Locator) -> float:
    """Mean gray level of the canvas once it is painted."""
    mean = """canvas => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let sum = 0;
        for (let at = 0; at < data.length; at += 4) sum += data[at];
        done(4 * sum / data.length);
    })))"""
    level: float = viewer.locator("canvas").evaluate(mean)
    return level


def center(viewer: Locator) -> tuple[float, float]:
    box = viewer.locator("canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], by: tuple[float, float], button: str = "left") -> None:
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + by[0] / 2, y + by[1] / 2)
    page.mouse.move(x + by[0], y + by[1])
    page.mouse.up(button=button)


def zoom(viewer: Locator) -> int:
    said = re.search(r"Zoom (\d+)%", state(viewer).inner_text())
    assert said
    return int(said[1])


def pixel(viewer: Locator) -> tuple[int, int]:
    """The px of the image below the mouse."""
    said = re.search(r"at (\d+), (\d+)", viewer.locator("[data-out=pixel]").inner_text())
    assert said
    return int(said[1]), int(said[2])


def test_viewer_by_mouse_moves_zooms_and_sets_the_window(app, page, radiograph):
    """A drag moves, the wheel zooms where the mouse is, the right button sets the window, a double click resets."""
    viewer = open_viewer(page, app, radiograph)
    expect(state(viewer)).to_contain_text(WINDOW)
    x, y = center(viewer)
    fitted, level = zoom(viewer), brightness(viewer)

    page.mouse.move(x + 20, y + 10)
    before = pixel(viewer)
    page.mouse.wheel(0, -400)
    expect(state(viewer)).not_to_contain_text(f"Zoom {fitted}%")
    page.mouse.move(x + 21, y + 10)
    page.mouse.move(x + 20, y + 10)
    assert np.abs(np.subtract(pixel(viewer), before)).max() <= 1

    drag(page, (x, y), (60, 30))
    page.mouse.move(x + 80, y + 40)
    assert np.abs(np.subtract(pixel(viewer), before)).max() <= 2

    drag(page, (x, y), (-80, 0), "right")
    expect(viewer.get_by_role("spinbutton", name="Window width")).not_to_have_value("2600")
    viewer.get_by_role("spinbutton", name="Window center").fill("1000")
    viewer.get_by_role("spinbutton", name="Window center").press("Enter")
    expect(state(viewer)).to_contain_text("window 1,000 /")
    assert brightness(viewer) > level

    viewer.locator("canvas").dblclick()
    expect(state(viewer)).to_have_text(f"Zoom {fitted}% · {WINDOW}")
    assert brightness(viewer) == pytest.approx(level)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_viewer_shows_the_gray_levels_that_the_model_sees(app, page, kind):
    """Until the window is changed, also where the lowest value is white."""
    radiograph = deep_phantom(PhotometricInterpretation=kind)
    viewer = open_viewer(page, app, radiograph)
    x, y = center(viewer)
    for _ in range(8):  # until one pixel of the image takes at least four on the screen, and isn't smoothed
        press(viewer, "Zoom in")
    page.mouse.move(x, y)
    page.mouse.move(x + 2, y + 2)
    column, row = pixel(viewer)
    shown = viewer.locator("canvas").evaluate(
        """canvas => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
            const dots = canvas.width / canvas.clientWidth;
            const at = [canvas.clientWidth / 2 + 2, canvas.clientHeight / 2 + 2].map(each => Math.floor(each * dots));
            done(canvas.getContext('2d').getImageData(...at, 1, 1).data[0]);
        })))"""
    )
    near = read(radiograph).pixels[row - 1 : row + 2, column - 1 : column + 2].astype(int)
    assert near.min() - 1 <= shown <= near.max() + 1


def test_viewer_by_keys_does_all_that_the_mouse_does(app, page, radiograph):
    """Arrows, plus and minus, I, R and 0 act on the image; no key reaches the page behind it."""
    viewer = open_viewer(page, app, radiograph)
    canvas = viewer.locator("canvas")
    fitted = zoom(viewer)
    viewer.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Tab")
    assert has_focus(canvas)
    assert canvas.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"  # the focus is visible
    level = brightness(viewer)
    canvas.press("+")
    expect(state(viewer)).not_to_contain_text(f"Zoom {fitted}%")
    canvas.press("-")
    expect(state(viewer)).to_contain_text(f"Zoom {fitted}%")
    canvas.press("i")
    expect(state(viewer)).to_contain_text("inverted")
    assert brightness(viewer) != pytest.approx(level)
    canvas.press("r")
    expect(state(viewer)).to_contain_text("rotated 90°")
    canvas.press("Shift+ArrowRight")
    expect(state(viewer)).not_to_contain_text("/ 2,600")
    canvas.press("Shift+ArrowUp")
    expect(state(viewer)).not_to_contain_text("window 2,000")
    moved_from = brightness(viewer)
    for _ in range(6):
        canvas.press("ArrowRight")
    assert brightness(viewer) != pytest.approx(moved_from)
    canvas.press("0")
    expect(state(viewer)).to_have_text(f"Zoom {fitted}% · {WINDOW}")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_viewer_crop_is_classified_and_marked(app, page, radiograph):
    """The drawn crop, the rotation and the inversion are classified; the answer names them, and undoing ends it."""
    viewer = open_viewer(page, app, radiograph)
    classify = viewer.get_by_role("button", name="Classify this view")
    expect(classify).to_be_disabled()
    press(viewer, "Crop")
    x, y = center(viewer)
    drag(page, (x - 60, y - 80), (130, 150))
    expect(state(viewer)).to_contain_text("crop")
    crop = re.search(r"crop (\d+) × (\d+) px at (\d+), (\d+)", state(viewer).inner_text())
    assert crop
    press(viewer, "Rotate")
    classify.click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    width, height, left, top = crop.groups()
    steps = f"cropped to {width} x {height} px at {left}, {top}, rotated by 90° clockwise."
    expect(page.get_by_text(steps)).to_be_visible()
    expect(page.get_by_text("arm.dcm (changed)").first).to_be_visible()
    settle(page)

    viewer = _open(page)
    expect(state(viewer)).to_contain_text(f"rotated 90° · crop {width} × {height} px")
    expect(viewer.get_by_role("button", name="Classify this view")).to_be_disabled()
    expect(viewer.locator("[data-out=notes]")).to_contain_text(f"The model saw this picture cropped to {width} x")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    keyed_from(page, "undo changes").get_by_role("button").click()
    expect(page.get_by_text("(changed)")).to_have_count(0)


def test_viewer_drops_a_crop_that_the_browser_interrupts(app, page, radiograph):
    """A drag that was canceled, as by a scrolling finger, leaves no crop."""
    viewer = open_viewer(page, app, radiograph)
    press(viewer, "Crop")
    x, y = center(viewer)
    page.mouse.move(x - 60, y - 80)
    page.mouse.down()
    page.mouse.move(x + 70, y + 70)
    viewer.locator("canvas").dispatch_event("pointercancel", {"pointerId": 1})
    page.mouse.up()
    expect(state(viewer)).not_to_contain_text("crop")
    drag(page, (x - 60, y - 80), (130, 150))
    expect(state(viewer)).to_contain_text("crop")


def test_viewer_crops_to_what_is_visible_by_buttons_alone(app, page, radiograph):
    """A crop needs no drag: zoom and move, then crop to the view; a crop of everything is none."""
    viewer = open_viewer(page, app, radiograph)
    press(viewer, "Crop to view")
    expect(state(viewer)).not_to_contain_text("crop")
    for _ in range(5):
        press(viewer, "Zoom in")
    press(viewer, "Crop to view")
    expect(state(viewer)).to_contain_text("crop")
    expect(viewer.get_by_role("button", name="Classify this view")).to_be_enabled()
    assert [str(fault) for fault in accessibility(page)[0]] == []
    press(viewer, "Reset")
    expect(viewer.get_by_role("button", name="Classify this view")).to_be_disabled()


@pytest.mark.look("phone", "dark")
def test_viewer_on_a_phone_zooms_by_two_fingers(app, page, radiograph):
    """A pinch zooms, all controls fit, and axe-core finds no serious fault."""
    viewer = open_viewer(page, app, radiograph)
    fitted = zoom(viewer)
    viewer.locator("canvas").scroll_into_view_if_needed()
    x, y = center(viewer)
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, distance: float) -> None:
        points = [{"x": x + side * distance, "y": y, "id": number} for number, side in enumerate((-1, 1))]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []})

    touch("touchStart", 30)
    for distance in (50, 70, 90):
        touch("touchMove", distance)
    touch("touchEnd", 0)
    expect(state(viewer)).not_to_contain_text(f"Zoom {fitted}%")
    assert zoom(viewer) == pytest.approx(3 * fitted, rel=0.1)
    faults, _ = accessibility(page)
    assert [str(fault) for fault in faults] == []
    assert overflow(page) == 0


def test_viewer_of_a_study_keeps_its_arrow_keys(app, browser):
    """On the image the arrows move it; beside it they lead to the next view, which keeps the inversion."""
    page = new_page(browser)
    page.goto(f"{app}/data")
    settle(page)
    keyed_from(page, "open").first.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(state(dialog)).to_contain_text("window 128 / 256")
    expect(dialog.get_by_role("button", name="Classify this view")).to_be_hidden()
    settle(page)
    press(dialog, "Invert")
    name = dialog.locator("canvas").get_attribute("aria-label")
    dialog.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(re.compile("^1 of"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    settle(page)
    opener = keyed_from(page, "open").first.get_by_role("button")
    assert has_focus(opener)
    opener.click()
    expect(state(dialog)).to_contain_text("window 128 / 256")
    settle(page)
    press(dialog, "Invert")
    dialog.get_by_text(re.compile("^1 of")).click()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(re.compile("^2 of"))).to_be_visible()
    expect(dialog.locator("canvas")).not_to_have_attribute("aria-label", name or "")
    expect(state(dialog)).to_contain_text("inverted")
