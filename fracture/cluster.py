"""A Dask cluster: connect to it, check its workers, and joblib's backend for it. Dask is imported here alone."""

import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

import fracture
from fracture.errors import WorkerError

CONNECT_SECONDS = 20
"""For the first answer of a scheduler."""

Need = Callable[[], str]
"""Runs on each worker of a cluster and says what it lacks, as the end of a sentence; "" where it lacks nothing. It can
be pickled."""


class ClusterError(Exception):
    """A task has no result: Dask gave it up after its workers were killed, or the scheduler is gone."""


def connect(cluster: str) -> Any:
    """A client of the scheduler at this address.

    Raises:
        WorkerError: Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkerError(
            f"A cluster needs Dask, which is not installed: pip install 'fracture[cluster]'. Received: {cluster}"
        ) from error
    try:
        return Client(cluster, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise WorkerError(
            "The cluster must be the address of a Dask scheduler that answers, such as tcp://scheduler:8786. "
            f"Received: {cluster}"
        ) from error


def answers(client: Any) -> bool:
    """Whether the scheduler still answers."""
    return bool(client.status == "running")


def check_workers(client: Any, cluster: str, needs: Iterable[Need]) -> int:
    """Check what each worker has, and return how many tasks run at once.

    Raises:
        WorkerError: there is no worker, or one lacks something.
    """
    threads: dict[str, int] = client.nthreads()
    if not threads:
        raise WorkerError(f"The cluster {cluster} has no worker. Start one: dask worker {cluster} --nthreads 1")
    found: dict[str, str | BaseException] = client.run(_lacks, fracture.__version__, tuple(needs), on_error="return")
    for worker, lacks in sorted(found.items()):
        if isinstance(lacks, BaseException):
            raise WorkerError(
                f"Worker {worker} can't run this package: {lacks}. Install fracture {fracture.__version__} there."
            )
        if lacks:
            raise WorkerError(f"Worker {worker} {lacks}")
    return sum(threads.values())


def _lacks(version: str, needs: tuple[Need, ...]) -> str:
    """Run on a worker: the first thing that it lacks, as the end of a sentence; "" where it lacks nothing."""
    host = socket.gethostname()
    if fracture.__version__ != version:
        return f"on {host} must have fracture {version}. Received: {fracture.__version__}; install the same there."
    for need in needs:
        if lacks := need():
            return f"on {host} {lacks}"
    return ""


def lacks_path(path: str) -> str:
    """A need: a file or folder must be there under the same path."""
    if os.path.exists(path):  # noqa: PTH110  what a scheduler sends is text
        return ""
    return f"can't see {path}. Mount the same folder there, under the same path."


def dask_threads() -> int:
    """The threads of the Dask worker that calls this."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def dask_backend(client: Any, count: int) -> Any:
    """Joblib's Dask backend for ``count`` tasks at once, with two differences.

    joblib runs tasks in its own process where a cluster has one thread at the moment, as after a kill, and it waits
    forever for a task that Dask gives up: its callback is called for results alone.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, _: int) -> int:
            return max(2, count)

        async def _collect(self) -> None:
            from asyncio import sleep

            while self._continue:
                async for future, result in self.waiting_futures:
                    del self._results[future]
                    callback = self._callbacks.pop(future)
                    callback(result if future.status == "finished" else ClusterError(str(result)))
                await sleep(0.01)

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, ClusterError):
                raise out
            return super().retrieve_result_callback(out)

    return Backend(client=client)
