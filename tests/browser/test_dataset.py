"""The page of a data set in a browser: what is seen without scrolling, and the way to Classify."""

import pytest
from playwright.sync_api import Locator, Page, expect

from fracture.paths import PROJECT
from tests.browser.chromium import new_page, settle
from tests.browser.faults import accessibility, overflow
from tests.browser.widgets import button, keyed, keyed_from
from tests.support.drawing import draw_mura
from tests.support.serving import homes_in, served


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with the models that come along, and a small data set."""
    place = tmp_path_factory.mktemp("browse")
    homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
    draw_mura(place / "data" / "MURA-v1.1")
    with served(place / "server.log", homes=homes) as app:
        yield app.address


def bottom(element: Locator) -> float:
    """The lower edge of an element, in px from the top of the window."""
    box = element.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def tiles(page: Page) -> Locator:
    """The pictures of the gallery."""
    return keyed(page, "tiles").get_by_role("img")


@pytest.mark.parametrize("height", [768, 720])
def test_first_row_of_tiles_is_seen_without_scrolling(app, page, height):
    """Whole tiles with their labels and buttons stand in the first window, in rows of one height."""
    page.set_viewport_size({"width": 1366 if height == 768 else 1280, "height": height})
    page.goto(f"{app}/data")
    settle(page)
    opener = keyed_from(page, "open").first.get_by_role("button")
    assert bottom(tiles(page).first) < bottom(opener) < height
    boxes = [box for picture in tiles(page).all() if (box := picture.bounding_box())]
    assert len({round(box["height"]) for box in boxes}) == 1
    assert len({round(box["y"]) for box in boxes[:4]}) == 1
    expect(keyed(page, "tiles").get_by_text("abnormal").first).to_be_visible()


def test_study_fills_the_window_and_hides_its_label(app, page):
    """The canvas takes the window but for 200 px; the label comes when it is asked for, and the model's answer, too."""
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{app}/data")
    settle(page)
    keyed_from(page, "open").first.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    canvas = dialog.locator("canvas")
    canvas.wait_for()
    settle(page)
    box = canvas.bounding_box()
    assert box is not None
    assert box["height"] == 768 - 200
    assert bottom(canvas) <= 768
    assert bottom(button(dialog, "classify viewed")) < 768
    expect(dialog.get_by_text("Label", exact=True)).to_have_count(0)
    button(dialog, "reveal").click()
    expect(dialog.get_by_text("Label", exact=True)).to_be_visible()
    before = dialog.locator("[data-out=state]").inner_text()
    dialog.get_by_role("button", name="Auto window").click()
    expect(dialog.locator("[data-out=state]")).not_to_have_text(before)
    settle(page)
    assert [str(fault) for fault in accessibility(page)[0]] == []


def test_classify_this_image_leads_to_its_answer(app, page):
    """A click in a study opens Classify with the image as the upload there."""
    page.goto(f"{app}/data")
    settle(page)
    keyed_from(page, "open").first.get_by_role("button").click()
    button(page.get_by_role("dialog"), "classify viewed").click()
    page.wait_for_url("**/classify*")
    expect(page.get_by_text("image1.png").first).to_be_visible()


def test_tabs_fit_a_phone(app, browser):
    """Every tab fits the width, and the tiles come before the filters, which are folded away."""
    page = new_page(browser, "phone")
    page.goto(f"{app}/data")
    settle(page)
    assert bottom(tiles(page).first) < 844
    for tab in page.get_by_role("tab").all():
        tab.click()
        settle(page)
        assert overflow(page) == 0
    page.context.close()


@pytest.mark.look("laptop", "dark")
def test_tabs_have_no_serious_fault(app, page):
    """What axe-core finds in any tab."""
    page.goto(f"{app}/data")
    settle(page)
    for tab in page.get_by_role("tab").all():
        tab.click()
        settle(page)
        assert [str(fault) for fault in accessibility(page)[0]] == []
