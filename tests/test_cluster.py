"""Tasks on a Dask cluster of this machine; skipped where the extra ``cluster`` is not installed."""

import builtins
import os
import tomllib
from functools import partial

import pytest

import fracture
from fracture import cluster
from fracture.errors import RadiographError, WorkerError
from fracture.parallel import open_workers, run_tasks
from fracture.paths import PROJECT
from tests.support import tasks
from tests.support.clusters import start_cluster

EXPECTED = [(number, number**2) for number in range(20)]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with two workers of one thread."""
    with start_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as found:
        yield found


@pytest.mark.slow
def test_run_tasks_on_a_cluster_gives_each_item_once(address):
    """Its workers have a thread each, and are other processes; errors arrive with their words."""
    with open_workers(1, address) as workers:
        assert workers.count == 2
        assert sorted(run_tasks(tasks.square, range(20), workers)) == EXPECTED
        for _, (process, threads) in run_tasks(tasks.process_and_threads, range(4), workers):
            assert process != os.getpid() and threads == 1
        with pytest.raises(RadiographError, match=r"three\.png"):
            list(run_tasks(tasks.refuse_three, range(20), workers))


@pytest.mark.slow
def test_run_tasks_with_killed_workers_gives_the_same(address, tmp_path):
    """The items of a worker that was killed with ``kill -9`` are done again by another one."""
    with open_workers(1, address) as workers:
        found = list(run_tasks(partial(tasks.square_by_another, tmp_path), range(20), workers))
    assert sorted(found) == EXPECTED


@pytest.mark.slow
def test_worker_that_lacks_something_is_named(address, tmp_path, monkeypatch):
    """By its address, with what it lacks and what to do."""
    assert _refused(address, tasks.lacks_nothing, partial(cluster.lacks_path, str(tmp_path))) == ""
    thing = _refused(address, tasks.lacks_nothing, tasks.lacks_a_thing)
    assert thing.startswith("Worker tcp://") and thing.endswith(" has no thing. Bring one.")
    path = _refused(address, partial(cluster.lacks_path, "/no/such/folder"))
    assert "can't see /no/such/folder. Mount the same folder there" in path
    monkeypatch.setattr(fracture, "__version__", "9.9")
    assert "must have fracture 9.9. Received: " in _refused(address)


def _refused(address, *needs):
    """Why the workers of a cluster can't be used; "" where they can."""
    try:
        with open_workers(1, address, needs):
            return ""
    except WorkerError as error:
        return str(error)


@pytest.mark.slow
def test_cluster_without_a_worker_is_a_sentence(tmp_path):
    """With the command that starts one."""
    with start_cluster(tmp_path, workers=0) as address:
        assert "has no worker. Start one: dask worker tcp://" in _refused(address)


def test_address_that_does_not_answer_is_a_sentence(monkeypatch):
    """What was allowed, what came."""
    pytest.importorskip("distributed", reason="needs the extra: pip install 'fracture[cluster]'")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    for wrong in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(WorkerError, match=f"must be the address of a Dask scheduler.*Received: {wrong}"):
            cluster.connect(wrong)


def test_connect_without_dask_names_the_extra(monkeypatch):
    """A cluster is asked for, and Dask is not installed."""
    real = builtins.__import__

    def without_dask(name, *arguments, **named):
        if name == "distributed":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without_dask)
    with pytest.raises(WorkerError, match=r"pip install 'fracture\[cluster\]'"):
        cluster.connect("tcp://127.0.0.1:8786")


def test_extra_names_what_its_requirements_do():
    """``pip install fracture[cluster]`` and ``pip install -r requirements-cluster.txt`` give the same."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        extra = tomllib.load(file)["project"]["optional-dependencies"]["cluster"]
    lines = (PROJECT / "requirements-cluster.txt").read_text().splitlines()
    assert extra == [line.partition("#")[0].strip() for line in lines if not line.startswith("#")]
