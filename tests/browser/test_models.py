"""The page Models in a real browser: rows that are clicked, and addresses of earlier versions."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import new_page, settle
from tests.browser.faults import overflow
from tests.browser.widgets import keyed

ROW_PX = 35


def click_row(page: Page, row: int) -> None:
    """Click the box at the left of a row of the table, which is a canvas."""
    box = keyed(page, "table of runs").locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + ROW_PX * (row + 1) + ROW_PX / 2)  # a layer above it takes the click
    settle(page)


def test_two_clicked_rows_are_compared(lab, browser):
    """A click on a row opens the run below the table, and a click on another one compares both."""
    page = new_page(browser)
    page.goto(f"{lab}/models")
    settle(page)
    click_row(page, 0)
    page.wait_for_url("**/models?model=*")
    click_row(page, 1)
    page.wait_for_url("**/models?runs=*&runs=*")
    expect(page.get_by_role("heading", name="Significance")).to_be_visible()
    click_row(page, 1)
    expect(page.get_by_role("tab", name="Card")).to_be_visible()


def test_two_models_on_a_phone_have_nothing_over_their_picker(lab, browser):
    """The toolbar of a table with ticked rows stays away, and nothing is wider than the screen."""
    page = new_page(browser, "phone")
    page.goto(f"{lab}/models?runs=trained&runs=again")
    expect(page.get_by_role("heading", name="Significance")).to_be_visible()
    settle(page)
    table = keyed(page, "table of runs")
    expect(table.get_by_test_id("stElementToolbar")).to_have_count(1)
    expect(table.get_by_test_id("stElementToolbar")).not_to_be_visible()
    keyed(page, "runs").get_by_role("combobox").tap()
    expect(page.get_by_role("listbox")).to_be_visible()
    assert overflow(page) == 0
    page.context.close()


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("dataset", "/data?"),
        ("labs", "/leakage"),
        ("labs?lab=Shortcuts", "/shortcuts"),
        ("runs?runs=trained&runs=again", "/models?runs=trained&runs=again"),
    ],
)
def test_former_address_leads_to_the_new_page(lab, browser, former, today):
    """Old links work, with what they name."""
    page = new_page(browser)
    page.goto(f"{lab}/{former}")
    page.wait_for_url(f"{lab}{today}**")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_threshold_row_begins_on_the_first_screen(lab, browser):
    """At 1366 x 768 the table, the model's AUC and the threshold are seen without scrolling."""
    page = new_page(browser)
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{lab}/models?model=trained")
    settle(page)
    for shown in (keyed(page, "table of runs"), page.get_by_role("slider").first, page.get_by_alt_text("AUC").first):
        box = shown.bounding_box()
        assert box is not None and box["y"] + box["height"] <= 768
    charts = page.locator("[data-testid=stVegaLiteChart]").first.bounding_box()
    assert charts is not None and charts["y"] <= 668
