"""Starting a run with a mouse, watching it without scrolling, and watching it again."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from fracture.app.train.replay import SECONDS_PER_FRAME
from fracture.files import write_json
from fracture.jobs import process
from fracture.registry.model_folder import ModelFolder, model_folder
from fracture.training.config import TrainConfig
from fracture.training.events import EventLog
from fracture.training.runs import queue
from tests.browser.chromium import new_page, settle
from tests.browser.places import open_settings
from tests.browser.widgets import button, keyed, keyed_from
from tests.support.serving import served

EPOCHS = 6

_RESTS = """ms => {
    const app = document.querySelector('[data-testid=stApp]');
    const rests = app.dataset.testScriptState === 'notRunning';
    window.still = rests ? window.still ?? performance.now() : undefined;
    return performance.now() - window.still > ms;
}"""
"""Whether the page has asked for nothing for so many milliseconds."""


@pytest.fixture
def app(home_with_data, tmp_path):
    """The app with one data set, at its address; runs that a test starts are aborted after it."""
    with served(tmp_path / "server.log") as app:
        yield app.address
        for run in queue.runs():
            if run.active and run.name != "watched":
                queue.end_now(run)


def test_double_click_on_start_starts_one_run(app, page):
    """A double click starts one run, which is in view on a laptop, also from a form with all settings open."""
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{app}/train")
    settle(page)
    start = keyed_from(page, "start").get_by_role("button")
    for expected in ({"drawn-1"}, {"drawn-1", "drawn-2"}):
        if not start.is_visible():
            keyed_from(page, "train view").get_by_role("radio").first.click()
            expect(start).to_be_visible()
        open_settings(page)
        expect(start).to_be_in_viewport()
        keyed(page, "weights").get_by_role("combobox").click()
        page.get_by_role("option", name="bundled-8bit").click()
        settle(page)
        start.dblclick()
        expect(start).not_to_be_visible()
        settle(page)
        assert {run.name for run in queue.runs() if not run.folder.bundled} == expected
        expect(keyed(page, "run").get_by_role("combobox")).to_have_value(max(expected))
        expect(page.get_by_text(re.compile("^(running|queued|finished)$"))).to_be_in_viewport()


class Watched:
    """A run that this process pretends to be: a test decides when an epoch ends."""

    def __init__(self, folder: ModelFolder, data: str, images: list[str]) -> None:
        self._folder = folder
        folder.path.mkdir(parents=True)
        self._config = TrainConfig(data=data, name=folder.name, weights="none", epochs=EPOCHS).to_json()
        self._status("running")
        counts = {"images": 20, "training": 12, "validation": 8, "positives": 9, "label_names": ["normal", "abnormal"]}
        self._say("data", **counts, problems=[])
        labels = [number % 2 for number in range(len(images))]
        self._say("followed", image_ids=images, paths=images, labels=labels)
        self._images = len(images)

    def end_epoch(self, epoch: int) -> None:
        """The loss falls, and the images are told apart better."""
        loss = round(0.8 - epoch / 10, 2)
        metrics = {"loss": loss, "val_loss": loss, "accuracy": 1 - loss, "val_accuracy": 1 - loss}
        self._say("epoch", epoch=epoch, epochs=EPOCHS, seconds=0.1, learning_rate=0.001, **metrics)
        probabilities = [abs(number % 2 - loss) for number in range(self._images)]
        self._say("look", epoch=epoch, confusion=[4, 0, 0, 4], probabilities=probabilities)

    def end(self) -> None:
        """As a run that was stopped after its last epoch, without a model."""
        self._say("kept", epoch=EPOCHS)
        self._status("stopped")

    def _say(self, kind: str, **values: object) -> None:
        log = EventLog(self._folder.events)
        log(kind, **values)
        log.close()

    def _status(self, state: str) -> None:
        status = {"state": state, "config": self._config, "started": time.time(), **process.identity()}
        write_json(self._folder.status, status)


@pytest.fixture
def watched(home_with_data) -> Watched:
    """A run of six epochs that has read its images; eight of them are followed."""
    data = home_with_data / "data" / "drawn"
    images = [str(path) for path in sorted(data.rglob("*.png"))[:8]]
    return Watched(model_folder("watched"), str(data), images)


def charts(page: Page) -> Locator:
    return keyed(page, "run curves").locator("svg.marks")


def wait_for_epochs(page: Page, count: int) -> None:
    page.wait_for_function(
        """count => [...document.querySelectorAll('.st-key-run-curves svg.marks')].slice(0, 1).some(
            // A point for each epoch of training and of validation.
            chart => chart.querySelectorAll('.layer_1_layer_1_marks path').length === 2 * count)""",
        arg=count,
    )


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 720)])
def test_live_run_shows_its_curves_within_the_first_screen(watched, app, page, width, height):
    """Both curves stand beside each other below the bar, and stay in their place while epochs end."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{app}/train")  # the run opens by itself
    expect(charts(page)).to_have_count(2)
    expect(keyed_from(page, "stop").get_by_role("button")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("progressbar").first).to_be_in_viewport()
    before = [chart.bounding_box() for chart in charts(page).all()]
    assert all(box and box["y"] + box["height"] <= height for box in before), before
    assert before[0]["y"] == before[1]["y"] and {box["height"] for box in before} == {300}
    for epoch in (1, 2):
        watched.end_epoch(epoch)
        wait_for_epochs(page, epoch)
    expect(keyed(page, "followed images").locator("img")).to_have_count(8)
    assert [chart.bounding_box() for chart in charts(page).all()] == before


_WATCH_CHARTS = """() => {
    window.views = [...document.querySelectorAll('.st-key-run-curves svg.marks, .st-key-run-images svg.marks')];
    window.gone = [];
    new MutationObserver(() => {
        for (const view of window.views)
            if (!view.isConnected || !view.checkVisibility({visibilityProperty: true, opacityProperty: true}))
                window.gone.push(view.getAttribute('aria-label') ?? 'chart');
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
"""Notes each chart of the run that is taken away or hidden from now on."""


def open_ended_run(watched, app, page):
    """End the run, and open its page."""
    for epoch in range(1, EPOCHS + 1):
        watched.end_epoch(epoch)
    watched.end()
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{app}/train?run=watched")
    wait_for_epochs(page, EPOCHS)
    settle(page)


def test_replay_draws_in_the_same_charts(watched, app, page):
    """No chart of a replay is mounted again, not even for a moment: it would go blank."""
    open_ended_run(watched, app, page)
    page.evaluate(_WATCH_CHARTS)
    assert page.evaluate("window.views.length") == 4
    button(page, "play watched").click()
    expect(button(page, "pause watched")).to_be_visible()
    wait_for_epochs(page, 2)
    expect(button(page, "play watched")).to_be_visible()
    wait_for_epochs(page, EPOCHS)
    assert page.evaluate("window.gone") == []


def test_replay_shows_a_run_again_epoch_by_epoch_and_comes_to_rest(watched, app, page):
    """The slider moves on by itself; charts stay in place; after the last epoch nothing repeats itself."""
    open_ended_run(watched, app, page)
    before = [chart.bounding_box() for chart in charts(page).all()]
    page.evaluate(
        """() => { window.seen = []; setInterval(() => {
            const value = document.querySelector('.st-key-replay [role=slider]')?.getAttribute('aria-valuenow')
                ?? document.querySelector('.st-key-replay input[type=range]')?.value;
            if (value && window.seen.at(-1) !== value) window.seen.push(value);
        }, 20); }"""
    )
    button(page, "play watched").click()
    expect(button(page, "pause watched")).to_be_visible()
    expect(button(page, "play watched")).to_be_visible()
    wait_for_epochs(page, EPOCHS)
    page.wait_for_function(f"window.seen.length >= 3 && window.seen.at(-1) == {EPOCHS}")
    seen = [int(value) for value in page.evaluate("window.seen")]
    # The slider stood at the last epoch; a slow machine may not draw each one.
    assert seen[0] == EPOCHS, seen
    assert seen[1:] == sorted(seen[1:]) and seen[1] < EPOCHS, seen
    assert [chart.bounding_box() for chart in charts(page).all()] == before
    settle(page)
    page.wait_for_function(_RESTS, arg=2000 * SECONDS_PER_FRAME, polling=20)


@pytest.mark.parametrize("view", ["train", "train?run=watched"])
def test_train_on_a_phone_does_not_overflow(watched, app, browser, view):
    """Cards, steps, charts and followed images fit its width."""
    for epoch in (1, 2):
        watched.end_epoch(epoch)
    watched.end()
    phone = new_page(browser, "phone")
    phone.goto(f"{app}/{view}")
    settle(phone)
    width = phone.get_by_test_id("stMain").evaluate("main => main.scrollWidth")
    phone.context.close()
    assert width == 390
