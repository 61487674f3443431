"""Journeys with a mouse and with a finger: draw, by night; import, on a phone; and straight to a page."""

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from fracture.phantoms.job import find_phantom_job
from tests.browser.chromium import unfold
from tests.browser.widgets import button, keyed, keyed_from, menu_link
from tests.importers.test_fracatlas import picture, rows_of
from tests.support.servers import Figshare, zip_of


@pytest.mark.look("laptop", "dark")
def test_phantoms_from_an_empty_app_are_generated_and_opened(server, page, homes):
    """The empty app shows its first synthetic radiograph while others are being generated, and all in the end."""
    for folder in (homes / "data").iterdir():
        shutil.rmtree(folder)
    page.goto(server)
    keyed(page, "next step").get_by_role("link").click()
    _fill_number(page, "phantom patients", "12")
    button(page, "generate phantoms").click()
    expect(page.get_by_role("img", name=re.compile("^Radiograph ")).first).to_be_visible()
    (root,) = (homes / "data").iterdir()
    while (job := find_phantom_job(root)) is None or job.state != "complete":
        page.wait_for_timeout(500)
    images = len(list((homes / "data").rglob("image*.png")))
    expect(page.get_by_text(f"{images} of {images} images")).to_be_visible()
    keyed_from(page, "open").first.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"1 of {images} shown")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(f"2 of {images} shown")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_text(f"1 of {images} shown")).to_be_visible()
    button(dialog, "reveal").click()
    expect(dialog.get_by_text(re.compile("nothing abnormal|fracture|nail|plate", re.IGNORECASE)).first).to_be_visible()
    page.keyboard.press("ArrowRight")  # the button has the focus, and the arrows still lead on
    expect(dialog.get_by_text(f"2 of {images} shown")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    expect(button(dialog, "reveal")).to_have_attribute("kind", "secondary")  # of another study: hidden again


@pytest.fixture
def figshare(monkeypatch):
    """A figshare on this machine, with a FracAtlas of 60 images of noise."""
    rows = rows_of(range(60))
    images = {f"FracAtlas/images/{name}": picture(number) for number, name in enumerate(rows["image_id"])}
    coco = json.dumps({"images": [], "annotations": []})
    tables = {"dataset.csv": rows.to_csv(index=False), "Annotations/COCO_fracture_masks.json": coco}
    archive = zip_of({**images, **{f"FracAtlas/{name}": text.encode() for name, text in tables.items()}})
    with Figshare(archive) as here:
        monkeypatch.setenv("FRACTURE_FIGSHARE", here.url)
        yield here


@pytest.mark.look("phone", "light")
def test_imported_image_when_excluded_can_be_restored(figshare, server, page, homes):
    """An import reaches the gallery; an image is excluded, and the decision undone."""
    page.goto(server)
    keyed(page, "to data").get_by_role("link").click()
    button(page, "import dialog").click()
    page.get_by_role("dialog").get_by_role("tab", name="FracAtlas").click()
    _fill_number(page, "fracatlas images", "30")
    button(page, "import fracatlas").click()
    expect(page.get_by_role("img", name=re.compile("^Radiograph IMG")).first).to_be_visible()
    images = len(list((homes / "data").rglob("IMG*.jpg")))
    expect(page.get_by_text(f"{images} of {images} images")).to_be_visible()
    assert figshare.requested_ranges() and all(figshare.requested_ranges())  # never the whole

    page.get_by_role("checkbox", name="IMG").first.check(force=True)
    unfold(page, "rail")
    expect(page.get_by_text("1 selected")).to_be_visible()
    unfold(page, "decide")
    button(page, "exclude selected").click()
    expect(page.get_by_text("excluded", exact=True)).to_be_visible()
    button(page, "undo").click()
    expect(page.get_by_text("excluded", exact=True)).not_to_be_visible()


def test_address_of_a_fresh_server_opens_its_page(server, page, homes):
    """The first request to a new server opens a page with its data set and its menu."""
    name = next(path.name for path in (homes / "data").iterdir())
    page.goto(f"{server}/data?data={name}")
    expect(page.get_by_role("img", name=re.compile("^Radiograph")).first).to_be_visible()
    expect(menu_link(page, "train")).to_be_visible()
    assert page.url.endswith(f"/data?data={name}")


def _fill_number(page, key: str, value: str) -> None:
    box = keyed(page, key).get_by_role("spinbutton")
    box.fill(value)
    box.press("Tab")
