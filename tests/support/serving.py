"""The app as somebody starts it, on a free port of loopback."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from fracture.paths import PROJECT

HOMES = {
    "FRACTURE_DATA": "data",
    "FRACTURE_MODELS": "models",
    "FRACTURE_SHIPPED": "shipped",
    "FRACTURE_CACHE": "cache",
}
"""The variables that name the app's folders, and a folder for each."""


class Server(NamedTuple):
    """The app at work."""

    address: str
    process: psutil.Popen


@contextmanager
def served(
    log: Path,
    *,
    project: Path = PROJECT,
    python: str = sys.executable,
    environment: Mapping[str, str] = os.environ,
    homes: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    script: str = "streamlit_app.py",
) -> Iterator[Server]:
    """The app, up and answering; what it says goes to the end of ``log``, and a traceback there is an error.

    ``homes``: the variables that name its folders, where they are not those of its ``environment``.
    ``before``: a command that becomes the app. ``script``: its entry file.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*before, python, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    with log.open("a") as out:
        process = psutil.Popen(command, cwd=project, stdout=out, stderr=out, env={**environment, **(homes or {})})
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        with suppress(psutil.NoSuchProcess):  # a test has ended it
            process.terminate()
        process.wait(30)
    if "Traceback" in (said := log.read_text()):
        raise RuntimeError(f"the app said:\n{said}")


def homes_in(place: Path) -> dict[str, str]:
    """The variables by which the app's folders lie in ``place``; they are made where they are missing."""
    for folder in HOMES.values():
        (place / folder).mkdir(parents=True, exist_ok=True)
    return {variable: str(place / folder) for variable, folder in HOMES.items()}


def _wait_until_up(url: str, process: psutil.Popen) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the app ended at once")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the app did not come up")
