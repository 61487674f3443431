"""What stands around every page: a presentation by keys, the terms, and a chart's downloads."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import new_page, settle
from tests.browser.faults import overflow
from tests.browser.places import PAGES
from tests.browser.widgets import button, keyed, keyed_from, menu_link
from tests.support.serving import homes_in, served

BEAMER = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The app as it is cloned: with the models and the samples that come with it."""
    place = tmp_path_factory.mktemp("cloned")
    homes = {name: folder for name, folder in homes_in(place).items() if name != "FRACTURE_SHIPPED"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FRACTURE_SHIPPED", raising=False)
        with served(place / "server.log", homes=homes) as app:
            yield app.address


def _above_the_bar(page: Page, *elements: Locator) -> bool:
    """Whether these elements end before the bar of the presentation begins."""
    top = keyed(page, "presenting").bounding_box()["y"]
    boxes = [element.bounding_box() for element in elements]
    return all(box["y"] >= 0 and box["y"] + box["height"] <= top for box in boxes)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_presentation_by_keys_leads_from_sample_to_sample_and_on(shipped, browser, theme):
    """Arrow and page keys show the next and the previous X-ray, also after a click; the whole picture is seen."""
    page = new_page(browser, theme=theme)
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/?present=1")
    bar = keyed(page, "presenting")
    place = bar.get_by_text(re.compile(r"\d+ of \d+"))
    expect(place).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stHeader")).not_to_be_visible()
    assert overflow(page) == 0
    picture = keyed(page, "home_image").get_by_role("img").first
    bottom = picture.bounding_box()["y"] + picture.bounding_box()["height"]
    assert bottom <= bar.bounding_box()["y"]
    first = place.inner_text()
    count = int(first.split()[-1])
    for key, step in (("ArrowRight", 1), ("PageDown", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        expect(place).to_have_text(f"{(int(first.split()[0]) + step - 1) % count + 1} of {count}")
        settle(page)
    keyed(page, "home heat map").locator("label").first.click()
    settle(page)
    page.keyboard.press("PageUp")
    expect(place).to_have_text(first)


@pytest.mark.parametrize("sample", ["fractured", "not fractured"])
def test_presented_home_says_the_truth_above_the_bar(shipped, page, sample):
    """Also of an X-ray without a fracture, over which no boxes are drawn."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/?present=1")
    settle(page)
    if sample != "fractured":
        page.keyboard.press("ArrowRight")
        settle(page)
    keyed_from(page, "home truth of").locator("label").click()
    truth = page.get_by_text(f"FracAtlas's readers: {sample}")
    expect(truth).to_be_visible()
    settle(page)
    assert _above_the_bar(page, truth, keyed(page, "home heat map"), keyed(page, "home_words"))


def test_presentation_holds_on_the_next_page_until_its_end(shipped, page):
    """Where nothing is to step through, the keys lead on; the address presents until the end, and then does not."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/train?present=1")
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Classify", level=1)).to_be_visible()
    settle(page)
    assert "present=1" in page.url
    page.reload()
    expect(button(page, "end_presenting")).to_be_visible()
    settle(page)
    button(page, "end_presenting").click()
    expect(button(page, "present")).to_be_visible()
    settle(page)
    assert "present" not in page.url
    menu_link(page, "train").click()
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    expect(button(page, "present")).to_be_visible()


def test_menu_of_pages_closes_after_a_choice(shipped, page):
    """The page that was chosen is seen, not the menu over it."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/train?present=1")
    settle(page)
    keyed_from(page, "present_pages").get_by_role("button").click()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", level=1)).to_be_visible()
    settle(page)
    expect(page.get_by_role("link", name="Models")).to_have_count(0)
    expect(button(page, "end_presenting")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menu_of_pages_shows_every_page(shipped, browser, theme):
    """No link lies outside the window or below the edge of the menu."""
    page = new_page(browser, theme=theme)
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/train?present=1")
    settle(page)
    keyed_from(page, "present_pages").get_by_role("button").click()
    menu = keyed(page, "present_menu")
    links = menu.get_by_role("link")
    expect(links).to_have_count(len(PAGES))
    for link in links.all():
        expect(link).to_be_in_viewport(ratio=1)


def test_presented_table_of_models_shows_its_last_row(shipped, page):
    """The larger type does not push rows out of the table."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/models?present=1")
    scroller = keyed(page, "table of runs").locator(".dvn-scroller")
    expect(scroller).to_be_visible()
    settle(page)
    assert scroller.evaluate("each => each.scrollHeight - each.clientHeight") <= 0


def test_presented_pictures_of_occlusion_have_one_size(shipped, page):
    """The same place stands at the same height in the picture to draw on and in the one with the heat map."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/shortcuts?present=1")
    settle(page)
    canvas = keyed_from(page, "canvas").locator(".layer-below image, .imagelayer image").bounding_box()
    heat = keyed_from(page, "heat of").locator(".layer-below image, .imagelayer image").bounding_box()
    for side in ("y", "width", "height"):
        assert heat[side] == pytest.approx(canvas[side], abs=1)


def test_presented_sample_has_its_heat_map_controls_above_the_bar(shipped, page):
    """The samples stand in one row, and the picture of one with its controls on one screen."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/classify?present=1")
    strip = keyed(page, "sample strip")
    expect(strip.get_by_role("button", name="Leg").first).to_be_visible()
    settle(page)
    tops = {tile.bounding_box()["y"] for tile in strip.locator(".strip button").all()}
    assert len(tops) == 1
    page.keyboard.press("ArrowRight")
    expect(keyed(page, "opacity")).to_be_visible()
    settle(page)
    assert _above_the_bar(page, keyed(page, "classify_image"), keyed(page, "opacity"), keyed(page, "heat map"))


def test_presented_map_shows_its_axes_above_the_bar(shipped, page):
    """All of the plot is seen at once, with the line below it."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/map?present=1")
    chart = keyed_from(page, "data map").first
    expect(chart.locator(".xtitle")).to_be_visible()
    settle(page)
    assert _above_the_bar(page, chart, page.get_by_text("Both components explain"))


@pytest.mark.parametrize("address", ["models?present=1", "models?present=1&model=fracatlas"])
def test_presented_model_shows_its_charts_above_the_bar(shipped, page, address):
    """One thing at a time: the model's threshold and its charts first, the table of all in the next section."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/{address}")
    charts = page.get_by_test_id("stVegaLiteChart")
    for place in range(3):  # of the first row
        expect(charts.nth(place)).to_be_visible()
    settle(page)
    assert _above_the_bar(page, keyed_from(page, "threshold"), *charts.all()[:3])
    table = keyed(page, "table of runs")
    for _ in range(5):  # sections
        page.keyboard.press("ArrowRight")
        settle(page)
        if _above_the_bar(page, table):
            break
    expect(table).to_be_in_viewport(ratio=1)


def test_presented_study_leads_to_its_next_view_by_keys(lab, page):
    """Arrow keys and a remote's page keys show the next image of an open study, also from within the viewer."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{lab}/data?present=1")
    settle(page)
    keyed_from(page, "open").get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    place = dialog.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ shown$"))
    canvas = dialog.locator("canvas").first
    expect(place).to_have_text(re.compile("^1 of"))
    settle(page)
    box = canvas.bounding_box()
    assert box["y"] + box["height"] <= BEAMER["height"]
    for key, shown in (("ArrowRight", "2"), ("PageDown", "3"), ("PageUp", "2"), ("ArrowLeft", "1")):
        page.keyboard.press(key)
        expect(place).to_have_text(re.compile(f"^{shown} of"))
        settle(page)
    canvas.click()
    page.keyboard.press("PageDown")
    expect(place).to_have_text(re.compile("^2 of"))


def test_presented_lesson_leads_to_the_next_page_after_its_last_step(shipped, page):
    """The button is off there, and the keys go on; a click or a key elsewhere leads to the next step."""
    page.set_viewport_size(BEAMER)
    page.goto(f"{shipped}/lesson?present=1")
    bar = keyed(page, "presenting")
    expect(button(page, "previous_step")).to_be_disabled()
    for step in range(2, 9):
        page.keyboard.press("ArrowRight")
        expect(bar.get_by_text(f"{step} of 8")).to_be_visible()
        settle(page)
    expect(button(page, "next_step")).to_be_disabled()
    expect(page.get_by_role("heading", name="Lesson", level=1)).to_be_visible()
    for _ in range(4):  # sections of the last step
        page.keyboard.press("ArrowRight")
        settle(page)
        if not page.url.split("?")[0].endswith("lesson"):
            break
    expect(page.get_by_role("heading", name="Quiz", level=1)).to_be_visible()


def test_keys_of_a_widget_stay_with_it(shipped, page):
    """Arrow keys in a text field move the cursor, not the presentation."""
    page.goto(f"{shipped}/train?present=1")
    settle(page)
    field = page.get_by_role("combobox").first
    field.focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_terms_open_by_keyboard_beside_the_menu(shipped, browser, size):
    """The button stands in the line of the menu, covers none of its links, and explains the page's terms."""
    page = new_page(browser, size)
    page.goto(shipped)
    settle(page)
    tools = keyed(page, "page_tools").bounding_box()
    links = page.get_by_test_id("stTopNavLink")
    ends = [box["x"] + box["width"] for box in (each.bounding_box() for each in links.all()) if box]
    assert all(end <= tools["x"] for end in ends)
    assert tools["y"] + tools["height"] <= 60 and overflow(page) == 0
    button(page, "terms").first.focus()
    page.keyboard.press("Enter")
    meaning = page.get_by_text("A picture of where the model looked").first
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).not_to_be_visible()


def test_chart_gives_its_picture_and_its_numbers(lab, page):
    """Plotly's bar comes by the keyboard's focus, too, and saves a PNG file; the button below saves a CSV file."""
    page.goto(f"{lab}/models?model=trained")
    page.get_by_role("tab", name="Curves").click()
    chart = page.locator(".js-plotly-plot").first
    expect(chart).to_be_visible()
    settle(page)
    saves = chart.locator(".modebar-btn")
    saves.focus()
    expect(chart.locator(".modebar-group")).to_have_css("opacity", "1")
    with page.expect_download() as picture:
        page.keyboard.press("Enter")
    assert picture.value.suggested_filename.endswith(".png")
    with page.expect_download() as numbers:
        keyed_from(page, "csv").first.get_by_role("button").click()
    assert numbers.value.suggested_filename.endswith(".csv")
    assert numbers.value.path().read_text().startswith("series,Epoch,")
