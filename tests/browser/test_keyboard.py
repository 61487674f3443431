"""The app without a mouse: three journeys by Tab, Enter, Space and arrows, and a focus that is always seen."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import settle
from tests.browser.keyboard import has_focus, tab_to, unseen_stops
from tests.browser.places import full
from tests.browser.widgets import button, keyed, keyed_from, menu_link, summary

A_TRAINING = 900_000
"""ms that it may take where others are at work beside it; about 15 s where not."""


def test_data_set_by_keyboard_is_browsed_and_curated(lab, page):
    """Keys open and close dialogs and a study, exclude an image, and undo that."""
    page.goto(lab)
    settle(page)
    tab_to(page, menu_link(page, "data"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    opener = keyed_from(page, "open").first.get_by_role("button")
    expect(opener).to_be_visible()
    settle(page)
    dialog = page.get_by_role("dialog")
    for dialog_key, field in (("import dialog", "kaggle part"), ("phantom dialog", "phantom patients")):
        tab_to(page, button(page, dialog_key))
        page.keyboard.press("Enter")
        inside = keyed(dialog, field).locator("input").first
        expect(inside).to_be_visible()
        settle(page)
        tab_to(page, inside, most=12)
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()
        settle(page)
    tab_to(page, opener)
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(re.compile("^1 of"))).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(re.compile("^2 of"))).to_be_visible()
    settle(page)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    settle(page)
    assert has_focus(opener)

    tab_to(page, page.get_by_role("checkbox", name=re.compile("image")).first, "Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    settle(page)
    tab_to(page, summary(page, "decide"), "Shift+Tab")
    page.keyboard.press("Enter")
    exclude = button(page, "exclude selected")
    expect(exclude).to_be_enabled()
    settle(page)
    tab_to(page, exclude)
    page.keyboard.press("Enter")
    expect(page.get_by_text("excluded", exact=True)).to_be_visible()
    settle(page)
    tab_to(page, button(page, "undo"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("excluded", exact=True)).not_to_be_visible()


def test_training_by_keyboard_leads_to_an_answer(server, page, drawn):
    """Keys set up a run, follow it across a reload, and classify an upload with its model."""
    page.goto(server)
    settle(page)
    tab_to(page, keyed(page, "next step").get_by_role("link"))
    page.keyboard.press("Enter")
    name = keyed_from(page, "name").get_by_role("textbox")
    expect(name).to_be_visible()
    settle(page)
    tab_to(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.type("by-keys")
    tab_to(page, keyed(page, "weights").get_by_role("combobox"))
    page.keyboard.type("none")
    page.keyboard.press("Enter")
    settle(page)
    tab_to(page, button(page, "preset custom"), "Shift+Tab")
    page.keyboard.press("Enter")
    settle(page)
    for arrow, key, value in (("ArrowRight", "reference image_size", "75"), ("ArrowLeft", "reference epochs", "2")):
        tab_to(page, page.locator("[role=tab][aria-selected=true]"), "Tab" if arrow == "ArrowRight" else "Shift+Tab")
        page.keyboard.press(arrow)
        page.keyboard.press("Enter")
        tab_to(page, keyed(page, key).get_by_role("spinbutton"))
        page.keyboard.press("Control+A")
        page.keyboard.type(value)
    page.keyboard.press("Tab")
    settle(page)
    tab_to(page, keyed_from(page, "start").get_by_role("button"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("running|queued")).first).to_be_visible()
    expect(keyed(page, "run curves").locator("svg.marks").first).to_be_visible(timeout=A_TRAINING)
    page.reload()
    expect(page.get_by_text("2 of 2 epochs done")).to_be_visible(timeout=A_TRAINING)
    expect(keyed(page, "run curves").locator("svg.marks").first.get_by_text("Validation", exact=True)).to_be_visible()

    ask = page.get_by_role("link", name="Classify an X-ray")
    expect(ask).to_be_visible(timeout=A_TRAINING)
    settle(page)
    tab_to(page, ask)
    page.keyboard.press("Enter")
    expect(keyed(page, "uploads")).to_be_visible()
    settle(page)
    upload = keyed(page, "uploads").get_by_test_id("stFileUploaderDropzone").locator("button")
    # From here on Chromium hands its dialogs over. Asked only at the press, a busy one lets the key overtake that.
    page.on("filechooser", lambda _: None)
    tab_to(page, upload)
    settle(page)
    assert has_focus(upload)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(next(Path(drawn).glob("valid/**/study1_positive/*.png")))
    expect(page.get_by_text("Probability of abnormal")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue")).to_have_text(re.compile(r"\d+%"))
    expect(page.get_by_role("img", name=re.compile("with its heat map"))).to_be_visible()


def test_focus_at_each_stop_is_visible(lab, page):
    """Tab leads through a page and out of it, and each stop shows the focus."""
    page.set_viewport_size({"width": 1366, "height": 2400})
    next(place for place in full("trained", "again") if place.name == "setup").visit(page, lab)
    assert unseen_stops(page) == []


STREAMLITS_OWN = {"Add files"}
"""Stops that hide their focus in Streamlit 1.67: its buttons without a border have neither an outline nor a ring."""


def test_focus_beside_an_upload_is_visible(lab, page):
    """Of the list of files, too: no stop hides the focus but the one that Streamlit draws so."""
    page.set_viewport_size({"width": 1366, "height": 2400})
    next(place for place in full("trained", "again") if place.name == "upload").visit(page, lab)
    assert set(unseen_stops(page)) <= STREAMLITS_OWN
