"""Whether the app, one classification and a training beside it fit on a machine of 1 GB.

Run as ``python -m benchmarks.small_machine --data PATH``. The app is started as a public demo; in Chromium, an
image of the data set is answered by the bundled model, and a training is started as the form proposes it. Where this
user may make control groups (Linux, their first version), the app and all that it starts lie in one that may take
``--limit`` MB and not one more: a process that asks for more is ended by the kernel, and that is counted. Elsewhere
the memory that is theirs alone, and their share of what they share, is sampled.
"""

import argparse
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Page

from fracture.data.dataset import scan
from fracture.registry.model_folder import bundled_model
from fracture.training.runs import queue
from tests.browser.chromium import chromium, new_page
from tests.browser.places import open_settings
from tests.browser.widgets import keyed, keyed_from
from tests.support.serving import served

GROUPS = Path("/sys/fs/cgroup/memory")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a data set's folder")
    parser.add_argument("--limit", type=int, default=1000, help="MB")
    parser.add_argument("--size", type=int, default=150, help="px of the training's images, up to 224")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, grouped(args.limit) as group, chromium() as browser:
        prepare(Path(place), Path(args.data).resolve())
        page = new_page(browser)
        page.set_viewport_size({"width": 1366, "height": 3000})
        page.set_default_timeout(300_000)
        with served(Path(place) / "server.log", before=into(group)) as app:
            classify(page, app.address, scan(args.data).table["path"].iloc[0])
            print(f"after one classification: {together(app.process):.0f} MB")
            train(page, app.address, args.size)
            watch(app.process)
        if group:
            report(group)


def prepare(place: Path, data: Path) -> None:
    """Homes of its own for the demo, with the data set and the bundled model."""
    for name in ("data", "models", "cache"):
        (place / name).mkdir()
        os.environ[f"FRACTURE_{name.upper()}"] = str(place / name)
    os.environ["FRACTURE_PUBLIC"] = "1"
    (place / "data" / "images").symlink_to(data)
    shutil.copytree(bundled_model().path, place / "models" / bundled_model().name)


@contextlib.contextmanager
def grouped(limit: int) -> Iterator[Path | None]:
    """A control group that may take so many MB; None where none can be made."""
    group = GROUPS / f"fracture-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(limit * 10**6))
    except OSError as error:
        print(f"no limit is set, since no control group can be made: {error}")
        yield None
        return
    print(f"limit: {limit} MB for the app and all that it starts")
    try:
        yield group
    finally:
        with contextlib.suppress(OSError):  # something in it is still at work
            group.rmdir()


def into(group: Path | None) -> list[str]:
    """The command that enters a group, if there is one, and then becomes what follows it."""
    return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")] if group else []


def classify(page: Page, address: str, image: str) -> None:
    """Ask the bundled model about an image."""
    page.goto(f"{address}/classify")
    page.locator("input[type=file]").set_input_files(image)
    page.get_by_role("img", name="with its heat map").wait_for()


def train(page: Page, address: str, size: int) -> None:
    """Start what the form proposes, at a size."""
    page.goto(f"{address}/train?data=images")
    open_settings(page)
    page.get_by_role("tab", name="Images").click()
    field = keyed(page, "reference image_size").get_by_role("spinbutton")
    field.fill(str(size))
    field.press("Tab")
    keyed_from(page, "start").get_by_role("button").click()


def watch(server: psutil.Process) -> None:
    """Follow the training to its end, and print how it went."""
    largest, run = 0.0, None
    while run is None or run.active:
        largest = max(largest, together(server))
        run = next((each for each in queue.runs() if each.name != bundled_model().name), None)
        time.sleep(0.2)
    chosen, seconds = run.config, time.time() - run.started
    print(f"training on {chosen['weights']} at {chosen['image_size']} px: {run.state} after {seconds:.0f} s")
    print(f"largest together, sampled: {largest:.0f} MB; the app is {server.status()}")


def together(server: psutil.Process) -> float:
    """MB of the app and of all that it has started, what they share counted once."""
    total = 0
    for process in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # ended meanwhile
            total += process.memory_full_info().pss
    return total / 10**6


def report(group: Path) -> None:
    """What the kernel has counted in a group."""
    killed = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())["oom_kill"]
    largest = int((group / "memory.max_usage_in_bytes").read_text()) / 10**6
    print(f"largest as the kernel counts it, with what it keeps of files: {largest:.0f} MB; ended for want: {killed}")


if __name__ == "__main__":
    main()
