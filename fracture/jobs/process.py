"""Processes that go on without whoever started them, known to others by what they write about themselves."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from fracture import paths
from fracture.shapes import Shape, flag, misfit, moment, whole

PROCESS: Shape = {
    "pid?": whole, "process_started?": moment, "booted?": moment, "heartbeat?": moment, "ended?": flag,
}  # fmt: skip
"""What a status says of who wrote it."""

SILENCE = 30.0
"""Seconds that a started process has to say who it is."""


def spawn(arguments: Sequence[str], log: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run this Python in a session of its own, with what it prints appended to ``log``.

    Raises OSError where that cannot be done.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, our own modules
            [sys.executable, *arguments],
            cwd=paths.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, **(variables or {})},
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays behind


def step_back() -> None:
    """Let other processes of this machine go first: who asks a model while another one trains does not wait for it."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
        # Linux weighs sessions, not processes, against each other: a process alone in its own says it there, too.
        Path("/proc/self/autogroup").write_text("10")


def identity() -> dict[str, float]:
    """``pid``, ``process_started`` and ``booted`` of this process, by which :func:`alive` knows it again."""
    me = psutil.Process()
    return {"pid": me.pid, "process_started": me.create_time(), "booted": _booted()}


def _booted() -> float:
    """When the machine came up, by its clock as it is now, where that says when a process began as well.

    Linux knows only for how long a process has been there: set the clock back by an hour, and both have begun an hour
    earlier. Their difference stays.
    """
    return psutil.boot_time() if sys.platform == "linux" else 0.0


def alive(status: Mapping[str, Any]) -> bool:
    """Whether the process that wrote ``status`` is at work.

    ``status`` holds :func:`identity`; or, where the process has not yet spoken, ``heartbeat``, the seconds since the
    epoch at which it was started.
    """
    if misfit(status, PROCESS):
        return False
    if "pid" not in status:  # a clock that was set back meanwhile does not make it wait longer
        return abs(time.time() - status["heartbeat"]) < SILENCE if "heartbeat" in status else False
    with contextlib.suppress(psutil.Error, KeyError, ValueError):
        process, booted = psutil.Process(status["pid"]), _booted()
        # Process ids are given again after a reboot; the time of creation tells them apart.
        since = process.create_time() - booted
        same = abs(since - (status["process_started"] - status.get("booted", booted))) < 2
        return same and process.status() != psutil.STATUS_ZOMBIE
    return False


def end(status: Mapping[str, Any]) -> None:
    """End the process that wrote ``status``, at once; nothing where it has ended already."""
    if "pid" not in status or not alive(status):
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(int(status["pid"]))
        process.kill()
        process.wait(10)


def working(status: Mapping[str, Any]) -> bool:
    """Whether there is more to come of the process that wrote ``status``: alive, and not ``ended`` by its own word."""
    return not status.get("ended", False) and alive(status)


def taken(status: Mapping[str, Any], waiting: bool) -> bool:
    """Whether what ``status`` speaks of is another process's.

    One that was started and has not yet spoken may be this very one; with ``waiting``, this one will only start it.
    """
    return working(status) and (waiting or status.get("pid") not in (None, identity()["pid"]))
