"""Many tasks on the cores of this machine. On a cluster: test_cluster.py."""

import os
import subprocess
import sys
from functools import partial

import pytest

from fracture import parallel
from fracture.errors import RadiographError, WorkerError
from fracture.parallel import open_workers, run_tasks, worker_threads
from tests.support import tasks

EXPECTED = [(number, number**2) for number in range(20)]


def test_run_tasks_with_one_process_starts_none():
    """Results come in order, from this process, which may use as many threads as it likes."""
    with open_workers(1) as workers:
        found = list(run_tasks(tasks.process_and_threads, range(3), workers))
    assert found == [(number, (os.getpid(), None)) for number in range(3)]


def test_run_tasks_by_processes_gives_each_item_once():
    """Every item comes with its result, from another process that knows its threads."""
    with open_workers(2) as workers:
        assert sorted(run_tasks(tasks.square, range(20), workers)) == EXPECTED
        for _, (process, threads) in run_tasks(tasks.process_and_threads, range(4), workers):
            assert process != os.getpid() and threads is not None
    assert worker_threads() is None


@pytest.mark.slow
def test_run_tasks_with_killed_workers_gives_the_same(tmp_path):
    """The items of a worker that was killed with ``kill -9`` are done again by another one."""
    with open_workers(2) as workers:
        found = list(run_tasks(partial(tasks.square_by_another, tmp_path), iter(range(20)), workers))
    assert sorted(found) == EXPECTED
    assert {path.name for path in tmp_path.iterdir()} == {"5", "11"}


@pytest.mark.slow
def test_run_tasks_with_a_deadly_item_gives_up_that_one_alone():
    """An item that kills its worker each time is given up, and the others have their results."""
    with open_workers(2) as workers:
        found = dict(run_tasks(tasks.kill_at_seven, range(20), workers, give_up=lambda _: -1))
        assert found == {**dict(EXPECTED), 7: -1}
        with pytest.raises(WorkerError, match="killed 3 times at the same task"):
            list(run_tasks(tasks.kill_at_seven, range(20), workers))


@pytest.mark.slow
def test_run_tasks_with_a_deadly_item_spares_what_was_under_way_beside_it(tmp_path):
    """Items that were under way at two kills run alone, so that none is given up for another's kill."""
    with open_workers(2) as workers:
        task = partial(tasks.kill_while_six_waits, tmp_path)
        found = dict(run_tasks(task, range(6, 20), workers, give_up=lambda _: -1))
    assert found == {**dict(EXPECTED[6:]), 7: -1}


def test_run_tasks_with_an_error_raises_it():
    """What a task raises is raised here, with its words; so is what the listing of the items raises."""

    def listing():
        yield from range(3)
        raise RadiographError("the folder is gone")

    with open_workers(2) as workers:
        with pytest.raises(RadiographError, match=r"three\.png"):
            list(run_tasks(tasks.refuse_three, range(20), workers))
        with pytest.raises(RadiographError, match="the folder is gone"):
            list(run_tasks(tasks.square, listing(), workers))


def test_default_processes_are_bound_by_memory():
    """A machine with little memory gets fewer processes, and at least one."""
    assert parallel.default_processes(500, 700) == 1
    assert parallel.default_processes(1, 10**6) >= 1


def test_import_loads_neither_joblib_nor_dask():
    """A command that starts no worker does not pay for them."""
    code = "import sys, fracture.parallel; print([m for m in ('joblib', 'dask', 'distributed') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cluster_address_is_the_named_one_or_the_variable(monkeypatch):
    """``FRACTURE_CLUSTER`` counts where no address is given; empty, it names none."""
    monkeypatch.setenv(parallel.VARIABLE, "tcp://a:1")
    assert (parallel.cluster_address("tcp://b:2"), parallel.cluster_address()) == ("tcp://b:2", "tcp://a:1")
    monkeypatch.setenv(parallel.VARIABLE, "")
    assert parallel.cluster_address() is None
