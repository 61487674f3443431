"""Processes that outlive the one that started them, known again by what they write about themselves."""

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from fracture import paths
from fracture.documents import Document, Moment, Whole
from fracture.files import JsonObject

HOST_VARIABLE = "FRACTURE_HOST"
"""Names this host, where several have the same name."""

_CLOCK_TOLERANCE = 2.0
"""Seconds by which two readings of when a process began may differ: the kernel counts in ticks."""

_log = logging.getLogger(__name__)


class Identity(Document):
    """Which process wrote a document; without ``pid`` the process has been started and has not written yet."""

    pid: Whole | None = None
    process_started: Moment | None = None
    booted: Moment | None = None
    host: str | None = None
    """Whose process it is; None in files of versions that knew one host alone."""

    @property
    def elsewhere(self) -> bool:
        """Whether it is a process of another host, about which this one can't ask."""
        return self.host not in (None, host())

    @property
    def own(self) -> bool:
        """Whether it is this process."""
        return self.pid == os.getpid() and not self.elsewhere


def host() -> str:
    """The name of this host."""
    return os.environ.get(HOST_VARIABLE) or socket.gethostname()


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
            start_new_session=True,  # Ctrl+C on the server's terminal must not end the job as well
            env={**os.environ, **(variables or {})},
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays behind


def lower_priority() -> None:
    """Let other processes of this machine go first: a prediction must not wait for a run."""
    try:
        os.nice(10)
        # Linux weighs sessions, not processes, against each other, and this process is alone in its session.
        Path("/proc/self/autogroup").write_text("10")
    except (AttributeError, OSError) as error:
        _log.info("The priority of this process stays as it is: %s", error)


def identity() -> JsonObject:
    """The fields of an :class:`Identity` of this process."""
    this = psutil.Process()
    return {"pid": this.pid, "process_started": this.create_time(), "booted": _booted(), "host": host()}


def _booted() -> float:
    """When the machine was booted, by the clock that also says when a process began.

    Linux knows only for how long a process has been running: set the clock back by an hour, and both have begun an
    hour earlier. Their difference stays.
    """
    return psutil.boot_time() if sys.platform == "linux" else 0.0


def alive(writer: Identity) -> bool:
    """Whether the process that wrote a document is running on this host."""
    if writer.elsewhere or writer.pid is None or writer.process_started is None:
        return False
    try:
        process = psutil.Process(writer.pid)
        now_booted = _booted()
        # Process ids are given again after a reboot; the time of creation tells them apart.
        began = process.create_time() - now_booted
        then_booted = now_booted if writer.booted is None else writer.booted
        same = abs(began - (writer.process_started - then_booted)) < _CLOCK_TOLERANCE
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):  # there is none, or such a number is none of a process
        return False


def end(writer: Identity) -> None:
    """Kill the process that wrote a document; does nothing where it has ended already, or is another host's."""
    if not alive(writer):
        return
    try:
        process = psutil.Process(writer.pid)
        process.kill()
        process.wait(10)
    except psutil.Error as error:
        _log.warning("Process %s was not ended: %s", writer.pid, error)
