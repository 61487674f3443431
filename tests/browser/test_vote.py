"""A class vote in browsers: a teacher on a projector and two phones."""

import re

import pytest
from playwright.sync_api import expect

from fracture.paths import PROJECT
from tests.browser.chromium import broken_pictures, listen, new_page, settle
from tests.browser.faults import accessibility, overflow
from tests.browser.widgets import button, keyed
from tests.support.serving import homes_in, served

IMAGES = 5


@pytest.fixture(scope="module")
def cloned(tmp_path_factory):
    """The app as it is cloned: the models that come with it, and nothing else."""
    place = tmp_path_factory.mktemp("cloned")
    homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
    with served(place / "server.log", homes=homes) as app:
        yield app.address


@pytest.mark.look("beamer", "light")
def test_class_votes_from_two_phones(cloned, page, browser):
    """From the open room to the closed one: votes reach the projector, the reveal and the end reach the phones."""
    code = _open_room(page, cloned)
    phones = [new_page(browser, "phone", "dark"), new_page(browser, "phone")]
    errors = [listen(phone) for phone in phones]
    for phone, name in zip(phones, ("Ada", ""), strict=True):
        _join(phone, f"{cloned}/vote?room={code}", name)
    page.get_by_text("Ada", exact=True).wait_for()
    button(page, "next image").click()
    for image in range(IMAGES):
        button(phones[0], f"vote {'positive' if image % 2 else 'negative'}").click()
        button(phones[1], "vote positive").click()
        page.get_by_text("2 of 2").wait_for()
        if image == 1:
            _reload(phones[0])
            _reload_teacher(page)
            _check_accessible(page, *phones)
        _check_first_screen(page)
        _check_phone(phones[0])
        button(page, "reveal").click()
        for phone in phones:
            phone.get_by_text("The truth is").wait_for()
            expect(phone.get_by_text("Orange speaks for")).to_be_visible()
        button(page, "next image").click()
        if image < IMAGES - 1:
            for phone in phones:
                phone.get_by_text(f"Image {image + 2} of {IMAGES}").wait_for()
    phones[0].get_by_text("You were right on").wait_for()
    page.get_by_test_id("stPlotlyChart").wait_for()
    _look_back(page, phones[0])
    assert overflow(page) == overflow(phones[0]) == 0
    _check_accessible(page, phones[0])
    _close(page)
    for phone in phones:
        phone.get_by_text("was closed by the teacher").wait_for()
    assert errors == [[], []]
    for phone in phones:
        assert broken_pictures(phone) == []
        phone.context.close()


def _open_room(page, app):
    page.goto(f"{app}/vote")
    settle(page)
    keyed(page, "vote images").get_by_role("slider").press("Home")
    settle(page)
    button(page, "open room").click()
    button(page, "next image").wait_for()
    expect(page).to_have_url(re.compile(r"room=[A-Z]{6}"))
    return re.search(r"room=([A-Z]{6})", page.url)[1]


def _join(phone, address, name):
    phone.goto(address)
    keyed(phone, "nickname").get_by_role("textbox").fill(name)
    button(phone, "join room button").click()
    phone.get_by_text("You have joined").wait_for()


def _look_back(page, phone):
    """From the results to the last image, also in a presentation, where its marks are named above the bar."""
    button(page, "present").click()
    button(page, "back to images").click()
    phone.get_by_text(f"Image {IMAGES} of {IMAGES}").wait_for()
    settle(page)
    marks = page.get_by_text("Orange speaks for").bounding_box()
    bar = keyed(page, "presenting").bounding_box()
    assert marks["y"] + marks["height"] <= bar["y"]
    button(page, "next image").click()
    keyed(page, "end_presenting").get_by_role("button").click()
    phone.get_by_text("You were right on").wait_for()
    page.get_by_test_id("stPlotlyChart").wait_for()


def _check_accessible(*pages):
    """No serious fault by axe-core but the allowed ones."""
    for each in pages:
        settle(each)
        found, _ = accessibility(each)
        assert [str(fault) for fault in found] == []


def _reload(phone):
    """The vote is still the phone's own."""
    phone.get_by_text("You voted").wait_for()
    phone.reload()
    phone.get_by_text("You voted").wait_for()


def _reload_teacher(page):
    """The room is still the teacher's, though its address does not say so."""
    page.reload()
    expect(button(page, "reveal")).to_be_visible()
    assert "teacher=" not in page.url
    page.get_by_text("2 of 2").wait_for()


def _check_first_screen(page):
    """Picture, buttons, votes and code are within the first screen of a projector."""
    settle(page)
    parts = [
        keyed(page, "vote head"),
        page.get_by_role("img", name=re.compile("^Radiograph")),
        page.get_by_test_id("stVegaLiteChart"),
    ]
    for part in [*parts, page.get_by_role("img", name=re.compile("^QR code"))]:
        box = part.first.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"], box


def _check_phone(phone):
    """The picture and both buttons are within the first screen, and nothing is wider."""
    settle(phone)
    for key in ("vote positive", "vote negative"):
        box = keyed(phone, key).bounding_box()
        assert box["y"] + box["height"] <= phone.viewport_size["height"], box
    assert overflow(phone) == 0


def _close(page):
    keyed(page, "room menu").get_by_role("button").click()
    keyed(page, "confirm close").locator("label").click()
    expect(button(page, "close room")).to_be_enabled()
    button(page, "close room").click()
    page.get_by_text("everything in it is deleted").wait_for()
