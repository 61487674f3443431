"""A line that is slow, or cut for a while: typed text stays, and the page continues by itself."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from fracture.jobs.process import identity
from tests.browser.chromium import new_page, settle
from tests.browser.network import line_to
from tests.browser.places import open_settings
from tests.browser.widgets import keyed, keyed_from


@pytest.fixture
def far(lab):
    """The line to the app, and the app's address behind it."""
    with line_to(lab) as line:
        yield line


@pytest.fixture
def page(browser):
    """A page whose console may say that the server is gone: it is."""
    page = new_page(browser)
    yield page
    page.context.close()


def _expect_line(page: Page, state: re.Pattern[str]) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", state)


GONE, THERE = re.compile("^(?!CONNECTED)"), re.compile("^CONNECTED$")


def test_typed_text_when_the_line_is_cut_stays(far, page):
    """Sent and unsent text is still there when the line is mended."""
    line, app = far
    page.goto(f"{app}/train")
    settle(page)
    open_settings(page)
    epochs = keyed(page, "reference epochs").get_by_role("spinbutton")
    epochs.fill("7")
    epochs.press("Tab")
    settle(page)
    name = keyed_from(page, "name").get_by_role("textbox")
    name.press("Control+A")
    name.press_sequentially("half-typed")
    line.cut()
    _expect_line(page, GONE)
    expect(name).not_to_be_editable()  # what nobody could take down is not let be typed
    line.mend()
    _expect_line(page, THERE)
    settle(page)
    expect(epochs).to_have_value("7")
    expect(name).to_have_value("half-typed")


def test_upload_over_a_slow_line_that_breaks_is_answered(far, page, drawn):
    """An X-ray sent at 400 kbit/s is answered, though the line breaks as soon as the app begins to answer."""
    line, app = far
    sockets: list[WebSocket] = []
    sent: list[Response] = []
    page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108  Playwright marks what it is given
    page.on("response", lambda response: sent.append(response) if response.request.method == "PUT" else None)
    page.goto(f"{app}/classify?model=trained")
    settle(page)
    line.slow_down()
    view = next(Path(drawn).glob("valid/**/study1_positive/*.png"))
    # After the file the browser asks for an answer; what comes then is the beginning of it.
    asked: list[object] = []
    sockets[-1].on("framesent", lambda frame: asked.append(frame) if sent else None)
    with sockets[-1].expect_event("framereceived", lambda _: bool(asked)):
        page.locator("input[type=file]").set_input_files(str(view))
    line.cut()
    _expect_line(page, GONE)
    line.mend()
    expect(page.get_by_text(re.compile("Probability of|out of distribution"))).to_be_visible()


@pytest.fixture
def at_work(lab_home, trained):
    """The folder of a training after its first epoch, and what ends it: this process pretends to be the one at work."""
    folder = lab_home / "models" / "at-work"
    folder.mkdir()
    events = trained.events.read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(events, 1) if '"kind": "epoch"' in line)
    status = json.loads(trained.status.read_text()) | identity() | {"state": "running", "heartbeat": time.time()}

    def write(state: str, lines: list[str]) -> None:
        (folder / "events.jsonl").write_text("".join(lines))
        (folder / "status.json").write_text(json.dumps({**status, "state": state}))

    write("running", events[:first])
    yield lambda: write("finished", events)
    shutil.rmtree(folder)


def test_run_that_ends_while_the_line_is_cut_is_shown_as_ended(far, page, at_work):
    """The page shows the end of a run when the line is back, without a click."""
    line, app = far
    page.goto(f"{app}/train?run=at-work")
    expect(page.get_by_text("running", exact=True)).to_be_visible()
    line.cut()
    _expect_line(page, GONE)
    at_work()
    line.mend()
    expect(page.get_by_text("finished", exact=True)).to_be_visible()
    expect(page.get_by_text("epochs done")).to_be_visible()
