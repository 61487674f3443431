"""A Dask cluster in processes of this machine, and the death of its workers and of joblib's processes."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from fracture.paths import PROJECT
from tests.support.waiting import LONGEST_SECONDS, wait


@contextmanager
def start_cluster(folder: Path, workers: int, threads: int = 1) -> Iterator[str]:
    """The address of a scheduler with workers, which end with the block; skips the test without Dask."""
    distributed = pytest.importorskip("distributed", reason="needs the extra: pip install 'fracture[cluster]'")
    place = folder / "scheduler.json"
    # Dask takes a free port itself: one that is chosen here may be taken by another program before it starts.
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place), "--no-dashboard"]]
    if workers:
        size = ["--nworkers", str(workers), "--nthreads", str(threads), "--memory-limit", "0"]
        commands.append(
            ["worker", "--scheduler-file", str(place), *size, "--no-dashboard", "--local-directory", str(folder)]
        )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    started = []
    try:
        with (folder / "dask.log").open("wb") as log:
            for command in commands:
                started.append(
                    psutil.Popen(
                        [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]],
                        stdout=log,
                        stderr=log,
                        env=environment,
                        cwd=PROJECT,
                    )
                )
        wait(place.exists)
        with distributed.Client(scheduler_file=str(place), timeout=LONGEST_SECONDS, set_as_default=False) as client:
            if workers:
                client.wait_for_workers(workers, timeout=LONGEST_SECONDS)
            address = client.scheduler.address
        yield address
    finally:
        _end(started)


def _end(started: list[psutil.Popen]) -> None:
    for process in reversed(started):
        for each in [*process.children(recursive=True), process]:
            if each.is_running():
                each.kill()
        process.wait()


def kill_a_worker() -> int:
    """Kill one of the processes that joblib has started for this one, as ``kill -9`` does, and return its id."""
    # Children of earlier tests may have ended and not been waited for: they have no command line.
    processes = psutil.process_iter(["ppid", "cmdline"])
    own = [each for each in processes if each.info["ppid"] == os.getpid()]
    worker = next(each for each in own if "popen_loky" in " ".join(each.info["cmdline"] or []))
    worker.kill()
    return worker.pid


def kill_a_dask_worker(address: str) -> int:
    """Kill a worker of a cluster, as ``kill -9`` does, and return its id. Its nanny starts another one."""
    import distributed

    with distributed.Client(address, timeout=LONGEST_SECONDS, set_as_default=False) as client:
        found = sorted(client.run(os.getpid).values())
    os.kill(found[0], signal.SIGKILL)
    return int(found[0])
