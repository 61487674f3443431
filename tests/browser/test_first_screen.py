"""What a visitor sees without scrolling on Home and Classify: the X-ray and the answer, whatever it is."""

import re

import pytest
from playwright.sync_api import Page, expect
from skimage import data

from fracture import sample_radiographs
from fracture.imaging.radiograph import read
from fracture.paths import PROJECT
from tests.browser.chromium import settle
from tests.browser.faults import overflow
from tests.browser.keyboard import has_focus, tab_to
from tests.browser.widgets import button, keyed, keyed_from
from tests.pages.test_pages import as_png
from tests.support.not_radiographs import CHEST, dicom
from tests.support.serving import homes_in, served

SCREENS = ((1366, 768), (1280, 720))


@pytest.fixture(scope="module")
def cloned(tmp_path_factory):
    """The app as it is cloned: the models that come with it, and nothing else."""
    place = tmp_path_factory.mktemp("cloned")
    homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
    with served(place / "server.log", homes=homes) as app:
        yield app.address


def _radiograph() -> bytes:
    [found] = [each for each in sample_radiographs.sample_radiographs() if each.name == sample_radiographs.FIRST]
    return found.path.read_bytes()


def _chest() -> bytes:
    name = CHEST.split()[0]
    return as_png(read(dicom(name), name).pixels)


def _upload(page: Page, app: str, *files: bytes) -> None:
    page.goto(f"{app}/classify")
    settle(page)
    sent = [{"name": f"{number}.png", "mimeType": "image/png", "buffer": each} for number, each in enumerate(files)]
    keyed(page, "uploads").locator("input[type=file]").set_input_files(sent)
    keyed(page, "classify_image").get_by_role("img", name=re.compile(r"^0\.png")).wait_for()
    settle(page)


def _outside(page: Page, *keys: str) -> list[str]:
    """The elements of which some part is beyond the first screen, on either size of screen."""
    found = []
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        settle(page)
        for key in keys:
            box = keyed(page, key).bounding_box()
            assert box is not None and box["height"] > 0
            if box["y"] < 0 or box["y"] + box["height"] > height:
                found.append(f"{key} at {width} x {height}: {box}")
    return found


CLASSIFY = ("classify_image", "classify_verdict")


def test_home_shows_the_xray_and_the_answer_on_the_first_screen(cloned, page):
    """Without a click, and with all that is needed to go on."""
    page.goto(cloned)
    expect(keyed(page, "home_verdict").get_by_test_id("stMetricValue")).to_be_visible()
    settle(page)
    assert _outside(page, "home_image", "home_verdict", "way Beat the model") == []


def test_beating_the_model_begins_with_a_hidden_answer(cloned, page):
    """Home leads to another X-ray whose answer comes at a click."""
    page.goto(cloned)
    settle(page)
    button(page, "way Beat the model").click()
    keyed(page, "classify_image").get_by_role("img").wait_for()
    settle(page)
    assert not page.get_by_test_id("stMetricValue").count()
    keyed_from(page, "show answer").get_by_role("button").click()
    expect(keyed(page, "classify_verdict").get_by_test_id("stMetricValue")).to_be_visible()


def test_sample_shows_its_answer_on_the_first_screen(cloned, page):
    """One click on a real X-ray; a key hides the heat map, and the truth comes on request."""
    page.goto(f"{cloned}/classify")
    settle(page)
    keyed(page, "sample strip").get_by_role("button", name="Leg").first.click()
    expect(keyed(page, "classify_image").get_by_role("img", name="with its heat map")).to_be_visible()
    assert _outside(page, *CLASSIFY) == []
    page.get_by_test_id("stMain").press("h")
    expect(keyed(page, "classify_image").get_by_role("img", name="with its heat map")).to_have_count(0)
    keyed_from(page, "truth of").locator("label").click()
    expect(page.get_by_text("fractured, as FracAtlas's readers decided")).to_be_visible()


@pytest.mark.parametrize("size", SCREENS)
def test_strip_leads_by_keys_to_the_samples_beyond_its_end(cloned, page, size):
    """A button says that there are more, as long as there are; Tab goes on to a sample that has come into view."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{cloned}/classify?sample={sample_radiographs.FIRST}")
    settle(page)
    strip = keyed(page, "sample strip")
    more = strip.get_by_role("button", name="More samples")
    last = strip.get_by_role("button", name="Synthetic F")
    before = strip.get_by_role("button", name="Samples before these")
    expect(before).to_be_hidden()
    expect(last).not_to_be_in_viewport()
    tab_to(page, more)
    for _ in range(30):  # as many as there are samples
        if more.is_hidden():
            break
        page.keyboard.press("Enter")
        settle(page)
    expect(more).to_be_hidden()
    expect(last).to_be_in_viewport(ratio=1)
    tab_to(page, last, most=30)
    page.keyboard.press("Enter")
    expect(keyed(page, "classify_image").get_by_role("img", name="synthetic").first).to_be_visible()
    settle(page)
    assert has_focus(last)
    expect(last).to_be_in_viewport(ratio=1)
    before.click()
    expect(more).to_be_visible()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((_radiograph,), "Fractured"),
        ((_radiograph, _chest), "Fractured"),
        ((lambda: as_png(data.camera()),), "does not look like an X-ray"),
        ((_chest,), "out of distribution"),
    ],
    ids=["radiograph", "two files", "photograph", "unlike"],
)
def test_upload_shows_its_answer_on_the_first_screen(cloned, page, files, says):
    """Also one that no model answers for, and the first of several."""
    _upload(page, cloned, *(make() for make in files))
    expect(keyed(page, "classify_verdict").get_by_text(says).first).to_be_visible()
    assert _outside(page, *CLASSIFY) == []


def test_refused_photo_can_be_rotated(cloned, page):
    """It is no dead end: a click turns it, and it is classified again."""
    _upload(page, cloned, as_png(data.camera()))
    keyed_from(page, "rotate").get_by_role("button").click()
    expect(keyed(page, "classify_image").get_by_role("img", name="changed")).to_be_visible()


@pytest.mark.look("phone")
def test_phone_shows_an_answer_without_scrolling_sideways(cloned, page):
    """Bar, picture and answer are as wide as the screen at most."""
    _upload(page, cloned, _radiograph())
    assert not overflow(page)
