"""One way to run many tasks: on the cores of this machine, or on a Dask cluster, both through joblib.

::

    items ── two ahead for each worker ──> task(item) in a worker ──> (item, result), in the order of completion
                └── a killed worker's are done again by another ──┘

joblib is imported when the first task runs, and Dask where a cluster is named: ``pip install 'fracture[cluster]'``.
"""

import os
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Generic, TypeVar

from fracture.cluster import ClusterError, Need, answers, check_workers, connect, dask_backend, dask_threads
from fracture.errors import WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")

VARIABLE = "FRACTURE_CLUSTER"
"""The address of a Dask scheduler, such as ``tcp://scheduler:8786``, where no other one is named."""

MAX_KILLS = 3
"""A task whose worker was killed so often is given up: it may need more memory than there is."""

_threads: int | None = None
"""Threads of this worker; None in a process that is none."""


@dataclass(frozen=True)
class Workplace:
    """Where somebody wants tasks to run."""

    processes: int = 1
    """Of this machine; 1 starts none."""
    cluster: str | None = None
    """The address of a Dask scheduler, whose workers run the tasks instead."""


HERE = Workplace()
"""In this process."""


@dataclass(frozen=True)
class Workers:
    """Where tasks run."""

    count: int
    """Tasks that run at once."""
    client: Any = None
    """Of a Dask cluster; None for processes of this machine."""


def worker_threads() -> int | None:
    """How many threads a task may use: those of its worker; None outside of a worker."""
    return _threads


def cluster_address(cluster: str | None = None) -> str | None:
    """The address of the cluster that was named, or that ``FRACTURE_CLUSTER`` names; None without one."""
    return cluster or os.environ.get(VARIABLE) or None


def default_processes(megabytes_each: int, megabytes: int) -> int:
    """One process a core, as many as half of the memory holds; at least one."""
    import joblib

    by_memory = megabytes // 2 // megabytes_each
    cores: int = joblib.cpu_count()
    return max(1, min(cores, by_memory))


@contextmanager
def open_workers(processes: int, cluster: str | None = None, needs: Iterable[Need] = ()) -> Iterator[Workers]:
    """The workers of a cluster, each checked for what it needs; without one, processes of this machine.

    Args:
        processes: how many on this machine; with 1, tasks run in this process.
        cluster: the address of a Dask scheduler, see :func:`cluster_address`.
        needs: what each worker of a cluster must have, beside the same version of this package.

    Raises:
        WorkerError: Dask is not installed, the cluster does not answer, or a worker lacks something.
    """
    if cluster is None:
        try:
            yield Workers(processes)
        finally:
            _end_processes()
        return
    client = connect(cluster)
    try:
        yield Workers(check_workers(client, cluster, needs), client)
    finally:
        client.close()


def run_tasks(
    task: Callable[[Item], Result],
    items: Iterable[Item],
    workers: Workers,
    give_up: Callable[[Item], Result] | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Run a task for each item, and give each item with its result, in the order of completion.

    Args:
        task: a function that a worker can import, or a ``functools.partial`` of one. It may run twice for an item whose
            worker was killed, of which one result is given.
        items: consumed as workers become free, also from other threads.
        workers: of :func:`open_workers`.
        give_up: the result for an item whose worker was killed :data:`MAX_KILLS` times; None raises WorkerError.

    Raises:
        WorkerError: an item is given up, or the cluster no longer answers.
    """
    if workers.client is None and workers.count == 1:
        for item in items:
            yield item, task(item)
        return
    rounds = _Rounds(items)
    while rounds.unfinished:
        for item in rounds.given_up():
            if give_up is None:
                raise WorkerError(
                    f"A worker was killed {MAX_KILLS} times at the same task. There may be too little memory: use "
                    "fewer workers."
                )
            yield item, give_up(item)
        try:
            for number, result in _parallel(workers)(rounds.calls(task, workers)):
                yield rounds.done(number), result
        except _killed() as error:
            rounds.count_kills()
            if workers.client is not None and not answers(workers.client):
                raise WorkerError("The Dask scheduler no longer answers. Start the same command again.") from error


def _end_processes() -> None:
    """End the processes of this machine now: joblib keeps them for five minutes, with all that they have loaded."""
    if "joblib.externals.loky" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


class _Rounds(Generic[Item]):
    """The items that are not done: after a worker was killed, the next round begins with those that were under way."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._new = _Shared(enumerate(items))
        self.pending: dict[int, Item] = {}
        """Dispatched and not done, by number."""
        self.kills: Counter[int] = Counter()
        """How often a worker was killed while an item was under way, by number."""
        self._under_way: set[int] = set()
        """Dispatched in this round."""

    @property
    def unfinished(self) -> bool:
        """Whether there may be anything to do."""
        return bool(self.pending) or not self._new.exhausted

    def given_up(self) -> Iterator[Item]:
        """Remove the items that have killed their workers too often."""
        for number in list(self.pending):
            if self.kills[number] >= MAX_KILLS:
                yield self.done(number)

    def count_kills(self) -> None:
        """A worker was killed: each item that was under way may be why."""
        self.kills.update(self._under_way & self.pending.keys())

    def done(self, number: int) -> Item:
        """Remove an item."""
        self.kills.pop(number, None)
        return self.pending.pop(number)

    def calls(self, task: Callable[[Item], Any], workers: Workers) -> Iterator[Any]:
        """The calls of a round, for joblib. An item that was under way at two kills has a round of its own."""
        from joblib import cpu_count, delayed

        threads = None if workers.client is not None else max(1, cpu_count() // workers.count)
        again = list(self.pending.items())
        # Of many under way, it can't be told which one kills its worker.
        alone = [(number, item) for number, item in again if self.kills[number] == MAX_KILLS - 1][:1]
        self._under_way = set()
        for number, item in alone or chain(again, self._new):
            self.pending[number] = item
            self._under_way.add(number)
            # One tuple: joblib would scatter other large arguments to a single worker of a cluster, and its death would
            # take them along.
            yield delayed(_call)((task, number, item, threads))


class _Shared(Generic[Item]):
    """An iterator that several threads consume: joblib's callbacks do."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()
        self.exhausted = False

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            try:
                return next(self._items)
            except BaseException:
                self.exhausted = True
                raise


def _parallel(workers: Workers) -> Any:
    """Joblib's Parallel, which gives results in the order of completion."""
    from joblib import Parallel, parallel_config

    # An interruption cancels tasks; nobody needs advice on that.
    warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed", module="joblib")
    backend: Any = "loky"
    if workers.client is not None:
        backend = dask_backend(workers.client, workers.count)
    with parallel_config(backend=backend):
        # Batches of one: what is dispatched together would be lost together.
        return Parallel(workers.count, return_as="generator_unordered", pre_dispatch=2 * workers.count, batch_size=1)


def _killed() -> tuple[type[Exception], ...]:
    """What is raised where a worker was killed, or the cluster is gone."""
    from concurrent.futures.process import BrokenProcessPool  # loads multiprocessing

    return (BrokenProcessPool, ClusterError)


def _call(job: tuple[Callable[[Item], Result], int, Item, int | None]) -> tuple[int, Result]:
    """Run in a worker: a task, the number of its item, the item, and the worker's threads; None asks Dask's."""
    global _threads  # noqa: PLW0603  one worker, one number
    task, number, item, threads = job
    if threads is None:
        _threads = dask_threads()
    else:
        _follow(os.getppid())
        _threads = threads
    return number, task(item)


@cache
def _follow(parent: int) -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, however it does."""
    # The parent cancels what is under way; and where it is killed, it can't tell its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
