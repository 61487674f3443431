"""Two visitors of one server: neither gets at what the other has uploaded."""

import re
import urllib.error
import urllib.request

import pytest

from tests.browser.chromium import new_page
from tests.hostile import dicoms, pictures


@pytest.fixture
def visitors(browser):
    """Two browsers that share nothing, at one page each."""
    return [new_page(browser) for _ in range(2)]


def test_nobody_sees_another_visitors_upload(make_model, server, visitors):
    """Neither its name, nor its picture; of two files of one name each has its own; addresses are hashes."""
    make_model("first")
    mine, theirs = visitors
    pictures_of = {mine: dicoms.dicom(pictures.RAMP), theirs: pictures.encoded(255 - pictures.RAMP)}
    addresses = {}
    for page in visitors:
        page.goto(f"{server}/classify")
        page.get_by_text("Drop one X-ray").wait_for(timeout=90_000)
    mine.locator("input[type=file]").first.set_input_files(
        {"name": "same.png", "mimeType": "image/png", "buffer": pictures_of[mine]}
    )
    mine.get_by_text("same.png ·").wait_for(timeout=90_000)
    theirs.reload()
    theirs.get_by_text("Drop one X-ray").wait_for(timeout=90_000)
    assert theirs.get_by_text("same.png").count() == 0
    theirs.locator("input[type=file]").first.set_input_files(
        {"name": "same.png", "mimeType": "image/png", "buffer": pictures_of[theirs]}
    )
    theirs.get_by_text("same.png ·").wait_for(timeout=90_000)
    for page in visitors:
        addresses[page] = page.locator("img[alt*='with its heat map']").first.get_attribute("src")
    assert addresses[mine] != addresses[theirs]
    for address in addresses.values():
        assert re.fullmatch(r".*/media/[0-9a-f]{32,}\.\w+", address)
    guessed = re.sub(r"[0-9a-f]{32,}", "0" * 56, addresses[mine])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(guessed if guessed.startswith("http") else server + guessed)
