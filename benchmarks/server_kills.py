"""``kill -9`` of the app's server while a visitor uploads, draws, imports and trains: what is lost, and what goes on.

    python -m benchmarks.server_kills

Each is begun in Chromium as a visitor would, in a server of its own, which is then killed; the import is from a small
figshare on this machine. Printed are what the next start shows and in which state the work came to its end. Exit status
1 where the next start did not come up, work did not come to its end, a finished model was changed, or the server wrote
a traceback.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Locator, Page

from fracture.files import file_sha256
from fracture.importers.job import find_import
from fracture.paths import PROJECT
from fracture.phantoms.job import find_phantom_job
from fracture.registry.model_folder import model_folder
from fracture.training.runs.queue import find_run
from tests.browser.chromium import chromium, new_page
from tests.browser.widgets import button, keyed, keyed_from, menu_link
from tests.importers.test_fracatlas import picture, rows_of
from tests.support.drawing import draw_mura
from tests.support.servers import Figshare, zip_of
from tests.support.serving import served
from tests.support.waiting import wait

LONG = 300
"""Seconds within which everything here ends."""


def main() -> int:
    """Do each, print, judge."""
    with tempfile.TemporaryDirectory() as place, figshare() as away:
        base = Path(place)
        for name in ("data", "models", "cache"):
            os.environ[f"FRACTURE_{name.upper()}"] = str(base / name)
            (base / name).mkdir()
        os.environ["FRACTURE_FIGSHARE"] = away.url
        data = draw_mura(base / "data" / "drawn")
        shutil.copytree(PROJECT / "models" / "fracatlas", base / "models" / "finished")
        finished = sums(base / "models" / "finished", data)
        failed = list(kills(base))
        if sums(base / "models" / "finished", data) != finished:
            failed.append("a finished model or data set was changed")
    print("failed:", "; ".join(failed) or "nothing")
    return 1 if failed else 0


@contextmanager
def figshare() -> Iterator[Figshare]:
    """A figshare with a FracAtlas of 60 images of noise, each of which takes its time."""
    rows = rows_of(range(60))
    images = {f"FracAtlas/images/{name}": picture(number) for number, name in enumerate(rows["image_id"])}
    coco = json.dumps({"images": [], "annotations": []})
    tables = {"dataset.csv": rows.to_csv(index=False), "Annotations/COCO_fracture_masks.json": coco}
    with Figshare(zip_of({**images, **{f"FracAtlas/{name}": text.encode() for name, text in tables.items()}})) as away:
        away.on_request = lambda: time.sleep(0.3)
        yield away


def sums(*folders: Path) -> dict[str, str]:
    """The sha256 of every file below some folders."""
    return {str(path): file_sha256(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def kills(base: Path) -> Iterator[str]:
    """Begin each, kill the server, start it again; a sentence for each promise that was not kept."""
    works: dict[str, tuple[Callable[[Page, Path], None], Callable[[], Any], str]] = {
        "upload": (upload, lambda: None, ""),
        "drawing": (draw, lambda: find_phantom_job(folder(base, "phantoms")), "complete"),
        "import": (bring, lambda: find_import(folder(base, "FracAtlas")), "complete"),
        "training": (train, lambda: find_run(model_folder("drawn-1")), "finished"),
    }
    for name, (begin, find, end) in works.items():
        with at_work(base) as (process, page):
            begin(page, base)
            process.kill()
            process.wait()
        at_once = find()
        with at_work(base) as (_, page):
            print(f"server killed during {name}: the next start shows its first page", flush=True)
            if end:
                stood = wait(lambda find=find: (found := find()) and not found.active and found, LONG)
                print(f"    {at_once.state} when it was killed, {stood.state} in the end")
                if stood.state != end:
                    yield f"{name} did not come to its end"
    left = [str(path.relative_to(base)) for path in base.rglob("*") if "view" in path.name]
    print(f"left on the disk of the upload: {left or 'nothing'}")
    if left:
        yield "an upload was left on the disk"


@contextmanager
def at_work(base: Path) -> Iterator[tuple[psutil.Popen, Page]]:
    """The app as a process with its first page in Chromium."""
    with served(base / "server.log") as app, chromium() as browser:
        page = new_page(browser)
        page.set_viewport_size({"width": 1280, "height": 1400})
        page.set_default_timeout(1000 * LONG)
        page.goto(app.address)
        page.get_by_role("heading", name="Bone X-ray lab").wait_for()
        yield app.process, page


def folder(base: Path, stem: str) -> Path:
    """Where a data set of this kind was put."""
    return next((base / "data").glob(f"{stem}*"))


def upload(page: Page, base: Path) -> None:
    """An X-ray whose answer is not waited for."""
    file = next((base / "data" / "drawn").rglob("*.png"))
    menu_link(page, "classify").click()
    content = {"name": "view.png", "mimeType": "image/png", "buffer": file.read_bytes()}
    page.locator("input[type=file]").set_input_files(content)


def draw(page: Page, base: Path) -> None:
    """Forty patients, until the first image is there."""
    menu_link(page, "data").click()
    button(page, "phantom dialog").click()
    fill(keyed(page, "phantom patients").get_by_role("spinbutton"), "40")
    button(page, "generate phantoms").click()
    wait(lambda: list((base / "data").glob("phantoms*/**/*.png")), LONG)


def bring(page: Page, base: Path) -> None:
    """Thirty images of FracAtlas, until the first is there."""
    menu_link(page, "data").click()
    button(page, "import dialog").click()
    page.get_by_role("tab", name="FracAtlas").click()
    fill(keyed(page, "fracatlas images").get_by_role("spinbutton"), "30")
    button(page, "import fracatlas").click()
    wait(lambda: list((base / "data").glob("FracAtlas*/**/*.jpg")), LONG)


def train(page: Page, base: Path) -> None:
    """A head, until its process is at work."""
    page.goto(f"{page.url.rstrip('/')}/train?data=drawn")
    fill(keyed_from(page, "name").get_by_role("textbox"), "drawn-1")
    box = keyed(page, "weights").get_by_role("combobox")
    box.fill("bundled-8bit")
    page.get_by_role("option", name="bundled-8bit", exact=True).click()
    keyed_from(page, "start").get_by_role("button").click()
    wait(lambda: (run := find_run(model_folder("drawn-1"))) and run.state == "running", LONG)


def fill(box: Locator, value: str) -> None:
    """Type into a field and leave it."""
    box.fill(value)
    box.press("Tab")


if __name__ == "__main__":
    sys.exit(main())
