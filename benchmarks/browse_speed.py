"""Browsing a data set of MURA's size: 40,561 images in some 13,500 studies.

    python -m benchmarks.browse_speed [--images 40561]

The tree is made in a temporary folder, of links to 200 drawn radiographs. Printed are: the index, cold and when nothing
has changed; a gallery page of 48 thumbnails, cold and warm; and the memory of a Streamlit server while Chromium pages
through the gallery, filters it and opens a study.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from fracture.data.catalog import build_catalog
from fracture.data.scan_cache import find_or_scan
from fracture.imaging.thumbnails import thumbnails
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from tests.browser.chromium import chromium, new_page
from tests.browser.widgets import keyed, keyed_from, menu_link
from tests.support.serving import served

PARTS = ("ELBOW", "FINGER", "FOREARM", "HAND", "HUMERUS", "SHOULDER", "WRIST")
PER_PAGE, SIDE = 48, 256


def main() -> None:
    """Make the tree, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=40_561)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "data" / "MURA-v1.1"
        grow(root, args.images, Path(place))
        os.environ["FRACTURE_DATA"], os.environ["FRACTURE_CACHE"] = str(root.parent), f"{place}/cache"
        index(root)
        gallery(root)
        serve(Path(place) / "server.log")


def grow(root: Path, images: int, place: Path) -> None:
    """MURA's tree of links: studies of two to four views, a tenth of them held out."""
    write(place / "drawn", Plan(patients=70))
    drawn, random, made, patient = sorted((place / "drawn").rglob("*.png")), np.random.default_rng(0), 0, 0
    while made < images:
        patient += 1
        split, part = "valid" if made > 0.9 * images else "train", random.choice(PARTS)
        label = random.choice(["positive", "negative"])
        study = root / split / f"XR_{part}" / f"patient{patient:05d}" / f"study1_{label}"
        study.mkdir(parents=True)
        for view in range(1, min(random.integers(2, 5), images - made) + 1):
            os.link(drawn[random.integers(len(drawn))], study / f"image{view}.png")
            made += 1


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def index(root: Path) -> None:
    """The table of the folder."""
    cold = seconds(lambda: find_or_scan(root))
    again = min(seconds(lambda: find_or_scan(root)) for _ in range(3))
    known = seconds(lambda: build_catalog(find_or_scan(root)))
    print(f"index of {len(find_or_scan(root).table):,} files: {cold:.2f} s cold, {again:.2f} s when nothing changed")
    print(f"    with everything that a gallery needs: {known:.2f} s")


def gallery(root: Path) -> None:
    """A page's thumbnails; every page is of other files, as far as there are any."""
    paths = build_catalog(find_or_scan(root))["path"].tolist()[:PER_PAGE]
    cold, warm = seconds(lambda: thumbnails(paths, SIDE)), seconds(lambda: thumbnails(paths, SIDE))
    print(f"{len(paths)} thumbnails: {cold:.3f} s cold, {warm:.4f} s warm")


def serve(log: Path) -> None:
    """Page, filter and look in a browser, and ask what the server weighs."""
    with served(log) as app, chromium() as browser:
        visit(new_page(browser), app.address, app.process)


def visit(page: Any, base: str, server: psutil.Process) -> None:
    """Open the data set, go through twenty pages of the gallery, filter, and look at a study."""
    page.set_default_timeout(120_000)
    page.goto(base)
    menu_link(page, "data").click()
    print(f"server before the data set is chosen: {memory(server)}")
    keyed(page, "data").get_by_role("combobox").click()
    page.get_by_role("option", name="MURA-v1.1").click()
    page.get_by_role("img", name="Radiograph").nth(PER_PAGE - 1).wait_for()
    print(f"server with the first page of the gallery: {memory(server)}")
    turns = [turn(page, number) for number in range(2, 22)]
    back = [turn(page, number) for number in range(20, 10, -1)]
    for what, times in (("a page", turns), ("a page seen before", back)):
        print(f"from the click to the {PER_PAGE} pictures of {what}: median {statistics.median(times):.2f} s")
    print(f"after 20 pages: {memory(server)}")
    text = keyed_from(page, "text of").get_by_role("textbox")
    text.fill("HUMERUS")
    text.press("Enter")
    keyed_from(page, "open").first.get_by_role("button").click()
    page.get_by_role("dialog").get_by_text("Patient").first.wait_for()
    print(f"after a filter and with a study open: {memory(server)}")


def turn(page: Any, number: int) -> float:
    """Seconds from the click on a page's number until the browser draws a frame with all pictures of that page."""
    page.evaluate(WATCH, PER_PAGE)
    page.get_by_role("button", name=f"Page {number}", exact=True).click()
    return float(page.evaluate("window.turned"))


WATCH = """count => {
    const pictures = () => [...document.querySelectorAll("img[alt^=Radiograph]")];
    const before = pictures()[0].src;
    window.turned = new Promise(resolve => document.addEventListener("click", () => {
        const clicked = performance.now();
        const look = () => {
            const shown = pictures();
            if (shown.length !== count || shown[0].src === before || !shown.every(each => each.complete)) return;
            observer.disconnect();
            requestAnimationFrame(() => resolve((performance.now() - clicked) / 1000));
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, {subtree: true, childList: true, attributes: true});
        document.addEventListener("load", look, true);
    }, {capture: true, once: true}));
}"""
"""In the page itself: asking it again and again from outside would wait for what it draws after the pictures."""


def memory(server: psutil.Process) -> str:
    """Resident, in MB."""
    return f"{server.memory_info().rss / 2**20:.0f} MB"


if __name__ == "__main__":
    main()
