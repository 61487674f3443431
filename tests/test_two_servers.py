"""Two processes of the app over one home, as behind a load balancer."""

import threading
from functools import partial

import pytest

from fracture.registry.model_folder import ModelFolder, model_folder
from fracture.training.events import read_events
from fracture.training.runs import queue
from tests.support.drawing import draw_mura
from tests.support.serving import homes_in, served
from tests.support.tab import Shown, Tab
from tests.support.waiting import wait


@pytest.fixture
def tabs(tmp_path, monkeypatch):
    """A tab in each of two servers that share a home with a drawn data set."""
    homes = homes_in(tmp_path)
    del homes["FRACTURE_SHIPPED"]  # the weights are those of a shipped model
    for variable, folder in homes.items():
        monkeypatch.setenv(variable, folder)
    draw_mura(tmp_path / "data" / "drawn", train_patients=8, valid_patients=4)
    with served(tmp_path / "1.log") as first, served(tmp_path / "2.log") as second:
        opened = [Tab(first.address), Tab(second.address)]
        yield opened
        for tab in opened:
            tab.close()


def keyed(tab: Tab, kind: str, key: str) -> Shown:
    """The widget of a key, which its id ends with."""
    (found,) = [shown for shown in tab.all(kind) if shown.content.id.endswith(f"-{key}")]
    return found


def start_run(tab: Tab) -> None:
    """Press the button of the form; without TensorFlow."""
    tab.open("train")
    tab.put(keyed(tab, "selectbox", "weights"), string_value="bundled-8bit")
    tab.put(keyed(tab, "button", "start 0"), trigger_value=True)


def at_once(action, tabs) -> None:
    """Do something in all tabs at the same time."""
    threads = [threading.Thread(target=action, args=(tab,)) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def offered_runs(tab: Tab) -> set[str]:
    """The runs that the picker of *Train* offers."""
    tab.open("train", "run=drawn-2")
    return set(keyed(tab, "selectbox", "run").content.options)


def own_runs() -> list[queue.Run]:
    """Those of this test, without the models that come with the project."""
    return [run for run in queue.runs() if not run.folder.bundled]


def states() -> list[str]:
    """Of the runs, the newest first."""
    return [run.state for run in own_runs()]


def starts(folder: ModelFolder) -> int:
    """How often a process has begun a run."""
    return sum(event["kind"] == "data" for event in read_events(folder.events)[0])


def watch_until_ended(tabs) -> None:
    """Open *Train* in all tabs whenever a run has changed its state: as its end does, the page starts the next run."""
    now = states()
    while {"queued", "running"} & set(now):
        assert now.count("running") <= 1
        at_once(lambda tab: tab.open("train"), tabs)
        wait(partial(changed_from, now))
        now = states()


def changed_from(before: list[str]) -> bool:
    """Whether a run has another state now."""
    return states() != before


@pytest.mark.slow
def test_runs_queued_in_two_servers_are_seen_in_both_and_started_once(tabs):
    """Under names of their own, one at a time, while pages of both watch; a deleted run is gone from both."""
    at_once(start_run, tabs)
    assert {run.name for run in own_runs()} == {"drawn-1", "drawn-2"}
    watch_until_ended(tabs)
    assert states() == ["finished", "finished"]
    assert [starts(run.folder) for run in own_runs()] == [1, 1]
    assert all(offered_runs(tab) >= {"drawn-1", "drawn-2"} for tab in tabs)
    queue.delete(model_folder("drawn-1"))
    for tab in tabs:
        offered = offered_runs(tab)
        assert "drawn-1" not in offered and "drawn-2" in offered
