"""A Dask cluster in processes of this machine."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from fracture.paths import PROJECT
from tests.support.waiting import wait


@contextmanager
def start_cluster(folder: Path, workers: int, threads: int = 1) -> Iterator[str]:
    """The address of a scheduler with workers, which end with the block; skips the test without Dask."""
    distributed = pytest.importorskip("distributed", reason="needs the extra: pip install 'fracture[cluster]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    commands = [["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]]
    if workers:
        size = ["--nworkers", str(workers), "--nthreads", str(threads), "--memory-limit", "0"]
        commands.append(["worker", address, *size, "--no-dashboard", "--local-directory", str(folder)])
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
        wait(lambda: _workers(distributed, address) == workers)
        yield address
    finally:
        _end(started)


def _workers(distributed, address: str) -> int:
    try:
        with distributed.Client(address, timeout=2, set_as_default=False) as client:
            return len(client.nthreads())
    except OSError:
        return -1


def _end(started: list[psutil.Popen]) -> None:
    for process in reversed(started):
        for each in [*process.children(recursive=True), process]:
            if each.is_running():
                each.kill()
        process.wait()
