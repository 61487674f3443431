"""The app as somebody starts it, on a free port of loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fracture.home import PROJECT


@contextmanager
def served(log: Path, homes: dict[str, str] | None = None) -> Iterator[str]:
    """The address of the app while it is served; what it says goes into ``log``.

    ``homes``: the variables that name its folders, where they are not those of this process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options],
            cwd=PROJECT, stdout=out, stderr=out, env={**os.environ, **(homes or {})},
        )  # fmt: skip
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def homes_in(place: Path) -> dict[str, str]:
    """The variables by which the app's folders lie in ``place``; they are made where they are missing."""
    folders = {"FRACTURE_DATA": "data", "FRACTURE_MODELS": "models", "FRACTURE_CACHE": "cache"}
    for folder in folders.values():
        (place / folder).mkdir(parents=True, exist_ok=True)
    return {variable: str(place / folder) for variable, folder in folders.items()}


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended at once"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
