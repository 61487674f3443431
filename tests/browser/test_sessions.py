"""Two visitors of one server: neither gets at what the other has uploaded; and what an upload changes on its page."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import new_page, settle
from tests.browser.widgets import button, keyed
from tests.hostile import dicoms, pictures


@pytest.fixture
def visitors(browser):
    """Two browsers that share nothing, at one page each."""
    return [new_page(browser) for _ in range(2)]


def test_upload_of_another_visitor_is_not_visible(make_model, server, visitors):
    """Neither name nor picture of an upload reaches another visitor; two files of one name stay apart."""
    make_model("first")
    mine, theirs = visitors
    pictures_of = {mine: dicoms.dicom(pictures.RAMP), theirs: pictures.encoded(255 - pictures.RAMP)}
    for page in visitors:
        page.goto(f"{server}/classify")
        keyed(page, "uploads").wait_for()
    mine.locator("input[type=file]").first.set_input_files(
        {"name": "same.png", "mimeType": "image/png", "buffer": pictures_of[mine]}
    )
    mine.get_by_text("same.png ·").wait_for()
    theirs.reload()
    keyed(theirs, "uploads").wait_for()
    settle(theirs)
    assert theirs.get_by_text("same.png").count() == 0
    theirs.locator("input[type=file]").first.set_input_files(
        {"name": "same.png", "mimeType": "image/png", "buffer": pictures_of[theirs]}
    )
    theirs.get_by_text("same.png ·").wait_for()
    shown = [keyed(page, "classify_image").locator("img").first.get_attribute("src") for page in visitors]
    assert shown[0] != shown[1]
    assert all(picture.startswith("data:image/jpeg;base64,") for picture in shown)


def test_upload_moves_the_samples_into_the_bar(make_model, server, browser):
    """They fill the page until there is an X-ray; then they would push its answer below the fold."""
    make_model("first")
    page = new_page(browser)
    page.goto(f"{server}/classify")
    button(page, "other samples").wait_for()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "arm.png", "mimeType": "image/png", "buffer": pictures.encoded(255 - pictures.RAMP)}
    )
    page.get_by_text("arm.png ·").wait_for()
    expect(button(page, "other samples")).to_be_hidden()
    settle(page)
    strip = keyed(page, "sample strip").bounding_box()
    assert strip is not None and strip["height"] < 80
