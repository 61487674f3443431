"""The app as a host of public demos starts it: ``requirements.txt`` alone in a fresh environment, headless.

    python -m benchmarks.deployment

What git knows of the project is copied, its requirements are installed into a new virtual environment, and the app is
started there as a public demo, told so by its secrets. Chromium opens the first page, waits for its answer, uploads a
drawn X-ray to *Classify*, draws patients and trains a head on them. Printed are seconds to the first page, memory of
the server and of all its processes together, and whether TensorFlow is in any of them. The app is then started again,
not as a demo, with copies of the shipped models beside them, which *Automatic* also asks. The exit status is 1 where a
promise of :data:`PROMISED` is not kept. Memory is the proportional set size: what processes share is counted once.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import SHIPPED_MODELS
from tests.browser.chromium import chromium, new_page
from tests.browser.widgets import button, keyed, keyed_from, menu_link
from tests.support.serving import served

PROMISED = {
    "first page, s": 5.0,
    "first visit to the answer, s": 5.0,
    "after one classification, MB": 450.0,
    "with a head training beside it, MB": 1000.0,
}
STARTS = 3


def main() -> None:
    """Install, start, classify, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=60, help="drawn and trained on; the demo allows 200")
    parser.add_argument("--python", help="of an environment that has the requirements, instead of a fresh one")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        app = clone(Path(place) / "app")
        python = args.python or install(app, Path(place) / "venv")
        figures = measure(app, python, args.patients)
        measure_also_asked(app, python)
    broken = [name for name, limit in PROMISED.items() if figures[name] > limit]
    for name, limit in PROMISED.items():
        print(f"{name}: {figures[name]:.1f}, promised {limit:g}{' NOT KEPT' if name in broken else ''}")
    sys.exit(1 if broken else 0)


def clone(target: Path) -> Path:
    """The project's files as they are now, without what git ignores; the demo's secrets beside them."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, target / name)
    (target / ".streamlit" / "secrets.toml").write_text('FRACTURE_PUBLIC = "1"\n')
    return target


def install(app: Path, environment: Path) -> str:
    """A fresh virtual environment with the requirements alone; its interpreter."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", str(app / "requirements.txt")], check=True)
    print(f"requirements.txt installed in {time.perf_counter() - began:.0f} s")
    return python


def measure(app: Path, python: str, patients: int) -> dict[str, float]:
    """Start it a few times, then use it; figures by the names of :data:`PROMISED`."""
    with chromium() as browser:
        starts = []
        answers = []
        for _ in range(STARTS):
            with first_page(app, python, browser) as (page, process, seconds):
                starts.append(seconds)
                answers.append(first_answer(page))
        print(f"an X-ray with its answer {', '.join(f'{each:.1f}' for each in answers)} s after the first visit")
        print(f"first page after {', '.join(f'{each:.1f}' for each in starts)} s")
        with first_page(app, python, browser) as (page, process, _):
            print(f"server at rest: {memory(process):.0f} MB")
            classify(page, app.parent / "view.png")
            classified = memory(process)
            print(f"after one classification: {classified:.0f} MB, TensorFlow {tensorflow(process)}")
            peak, _ = train(page, process, patients)
    return dict(zip(PROMISED, (min(starts), min(answers), classified, peak), strict=True))


def measure_also_asked(app: Path, python: str) -> None:
    """Print the memory of a private server whose answer asks the shipped models, then a copy of each as well."""
    (app / ".streamlit" / "secrets.toml").unlink()
    for name in SHIPPED_MODELS:
        shutil.copytree(app / "models" / name, app / "models" / f"own-{name}")
    with chromium() as browser, first_page(app, python, browser) as (page, process, _):
        classify(page, app.parent / "view.png")
        print(f"not as a demo, after one classification: {memory(process):.0f} MB")
        for name in SHIPPED_MODELS:
            began = time.perf_counter()
            if not keyed(page, "also asked").count():
                button(page, "also ask").click()
            keyed(page, "also asked").locator("input").fill(f"own-{name}")
            page.get_by_role("option").first.click()
            page.get_by_text(re.compile(rf"limit: .*own-{name} \d")).wait_for()
            seconds = time.perf_counter() - began
            print(f"own-{name} asked, too: {memory(process):.0f} MB, after {seconds:.1f} s")


@contextmanager
def first_page(app: Path, python: str, browser: Browser) -> Iterator[tuple[Page, psutil.Process, float]]:
    """The app's first page, its process, and the seconds from the start of the process to the page."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    page = new_page(browser)
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.set_default_timeout(300_000)
    began = time.perf_counter()
    with served(app.parent / "server.log", project=app, python=python, environment=kept) as server:
        page.goto(server.address)
        page.get_by_role("heading", name="Bone X-ray lab").wait_for()
        yield page, server.process, time.perf_counter() - began
    page.context.close()


def first_answer(page: Page) -> float:
    """Seconds from the visit to the first page until its X-ray has an answer, without a click."""
    keyed(page, "home_image").get_by_role("img").wait_for()
    keyed(page, "home_verdict").get_by_test_id("stMetricValue").wait_for()
    return float(page.evaluate("performance.now()")) / 1000


def classify(page: Page, file: Path) -> None:
    """Upload a drawn X-ray and wait for its answer."""
    from PIL import Image

    Image.fromarray(generate_sample(1)[0].pixels).save(file)
    menu_link(page, "classify").click()
    page.get_by_role("heading", name="Classify").wait_for()  # Home has an uploader, too
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("img", name="with its heat map").wait_for()


def train(page: Page, process: psutil.Process, patients: int) -> tuple[float, str]:
    """Draw patients, and train a head on them by the demo's own choices.

    The peak memory of all processes meanwhile, MB, and whether TensorFlow was in any of them.
    """
    menu_link(page, "data").click()
    count = keyed(page, "phantom patients").get_by_role("spinbutton")
    count.fill(str(patients))
    count.press("Tab")
    button(page, "generate phantoms").click()
    page.get_by_role("img", name=re.compile("^Radiograph")).first.wait_for()
    menu_link(page, "train").click()
    page.get_by_text(f"Synthetic: {patients} patients").first.wait_for()
    keyed_from(page, "start").get_by_role("button").click()
    began = time.perf_counter()
    with watched(process) as seen:
        page.get_by_text(re.compile("^(running|queued)$")).first.wait_for()
        page.get_by_text("finished", exact=True).first.wait_for()
    print(f"a head trained in {time.perf_counter() - began:.0f} s, TensorFlow {seen['tensorflow']}")
    return float(seen["peak"]), str(seen["tensorflow"])


@contextmanager
def watched(process: psutil.Process) -> Iterator[dict[str, Any]]:
    """The peak of the processes' memory, MB, and whether TensorFlow was in any of them, while something goes on."""
    seen: dict[str, Any] = {"peak": 0.0, "tensorflow": "absent"}
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            seen["peak"] = max(seen["peak"], memory(process))
            if tensorflow(process) == "loaded":
                seen["tensorflow"] = "loaded"

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def memory(process: psutil.Process) -> float:
    """Proportional set size, MB, of a process and all that it has started."""
    return sum(_of(each, lambda one: one.memory_full_info().pss, 0) for each in _all(process)) / 2**20


def tensorflow(process: psutil.Process) -> str:
    """Whether a process, or one that it has started, has TensorFlow's library mapped."""
    maps = [part.path for each in _all(process) for part in _of(each, lambda one: one.memory_maps(), [])]
    return "loaded" if any("libtensorflow" in path for path in maps) else "absent"


def _all(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _of(process: psutil.Process, asked: Any, otherwise: Any) -> Any:
    try:
        return asked(process)
    except psutil.Error:  # it has just ended
        return otherwise


if __name__ == "__main__":
    main()
