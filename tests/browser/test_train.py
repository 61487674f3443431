"""Starting a training with a mouse: one run, and it is in sight."""

import re

import pytest
from playwright.sync_api import expect

from fracture.training.runs import queue
from tests.browser.chromium import settle, unfold
from tests.browser.widgets import keyed, keyed_from, summary
from tests.support.serving import served


@pytest.fixture
def app(home_with_data, tmp_path):
    """The app with one data set, at its address; runs that a test starts are aborted after it."""
    with served(tmp_path / "server.log") as app:
        yield app.address
        for run in queue.runs():
            if run.active:
                queue.end_now(run)


def test_double_click_on_start_starts_one_run(app, page):
    """A double click starts one run, which is in view on a laptop, also for a form that was opened by hand.

    The form is as tall as it can be: all choices are open, and the page is scrolled down to the button.
    """
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{app}/train")
    settle(page)
    form = summary(page, "new run").locator("..")
    for expected in ({"drawn-1"}, {"drawn-1", "drawn-2"}):
        if form.get_attribute("open") is None:
            unfold(page, "new run")
        unfold(page, "advanced")
        keyed(page, "weights").get_by_role("combobox").click()
        page.get_by_role("option", name="bundled-8bit").click()
        settle(page)
        keyed_from(page, "start").get_by_role("button").dblclick()
        expect(form).not_to_have_attribute("open", "")
        settle(page)
        assert {run.name for run in queue.runs() if not run.folder.bundled} == expected
        expect(keyed(page, "run").get_by_role("combobox")).to_have_value(max(expected))
        expect(page.get_by_text(re.compile("^(running|queued|finished)$"))).to_be_in_viewport()
