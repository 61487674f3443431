"""A few worker processes that decode what C libraries may crash on.

A worker is started when the first file needs it and ends when it is idle. A file that crashes it, or takes more time or
memory than allowed, costs one worker and becomes one sentence. ``subprocess`` and not ``multiprocessing``, whose
processes may start none of their own: training on a cluster decodes in such ones.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import psutil
from numpy.typing import NDArray

from fracture import paths
from fracture.errors import RadiographError
from fracture.files import JsonObject
from fracture.imaging.limits import MAX_DECODING_BYTES, check_size

MAX_WORKERS = min(4, os.cpu_count() or 1)
"""Processes that decode at a time; further requests wait for one of them."""

MAX_CPU_SECONDS = 5.0
"""Of processor time that one request may take. 20 million pixels of JPEG 2000 take about two."""

MAX_SECONDS = 60.0
"""By the clock, for a decoder that waits for something that never comes, and on machines with much else to do."""

START_SECONDS = 120.0
"""By the clock, until a worker that was started is ready: on a busy disk reading the libraries takes a while."""

MAX_WORKER_BYTES = 600_000_000
"""Resident memory of a worker, watched from here: for systems on which it can't limit itself."""

ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Of a worker. Else glibc reserves 64 MB of address space for each thread that meets another one at an allocation: on a
busy machine the worker would reach its limit with any file."""

TOO_SLOW = "takes too long to decode with this compression; save it as a PNG."
TOO_MUCH_MEMORY = "takes too much memory to decode with this compression; save it as a PNG."

_MAX_ANSWER_LINE = 4096
_WATCH_SECONDS = 0.05
_SIGKILL = 9
_END_SECONDS = 10.0
"""By the clock, until a process whose pipes are closed has ended; a busy machine may take a while."""

_log = logging.getLogger(__name__)


class DecodedPixels(NamedTuple):
    """Pixels as :mod:`fracture.imaging.codecs.decoders` gives them, what was done in words, and a picture's color."""

    pixels: NDArray[Any]
    steps: tuple[str, ...]
    color: float
    """See :func:`fracture.imaging.codecs.color.measure_color`; 0 for a DICOM frame."""


class _CrashError(Exception):
    """The worker ended within a request; ``reason`` ends a sentence on the file, "" where the file has crashed it."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


def decode_frame(frame: bytes, name: str) -> DecodedPixels:
    """The stored values of a compressed DICOM frame. Raises RadiographError."""
    return _pixels("frame", "", frame, name)


def decode_picture(data: bytes, kind: str, name: str) -> DecodedPixels:
    """A picture in gray, upright, (H, W) uint8 or uint16. Raises RadiographError."""
    return _pixels("picture", kind, data, name)


def picture_size(data: bytes, kind: str, name: str) -> tuple[int, int]:
    """(width, height) in px as :func:`decode_picture` gives it. Raises RadiographError."""
    answer, _ = _request("size", kind, data, name)
    height, width = answer["shape"]
    return width, height


def _pixels(task: str, kind: str, data: bytes, name: str) -> DecodedPixels:
    answer, content = _request(task, kind, data, name)
    pixels = np.frombuffer(content, np.dtype(answer["dtype"]).newbyteorder("<")).reshape(answer["shape"])
    return DecodedPixels(pixels, tuple(answer["steps"]), float(answer["color"]))


def _request(task: str, kind: str, data: bytes, name: str) -> tuple[JsonObject, bytes]:
    """Ask a worker; whatever goes wrong becomes one sentence that begins with ``name``."""
    header = {"task": task, "kind": kind, "bytes": len(data)}
    try:
        with _free:
            answer, content = _ask(header, data)
    except _StartError as failure:
        _log.exception("The decoder can't be started")
        raise RadiographError(
            f"{name} cannot be read now: the decoder can't be started on this machine. Install requirements.txt again, "
            "or save the file as a PNG."
        ) from failure
    except _CrashError as crash:
        _log.warning("A decoder has ended: its file %s", crash.reason or "crashed it")
        if crash.reason:
            raise RadiographError(f"{name} {crash.reason}") from crash
        raise _damaged(name) from crash
    error = answer.get("error")
    if error == "large":
        check_size(answer["width"], answer["height"], name)
    if error == "memory":
        raise RadiographError(f"{name} {TOO_MUCH_MEMORY}")
    if error == "refused":
        raise RadiographError(f"{name} {answer['words']}")
    if error:
        raise _damaged(name)
    return answer, content


def _damaged(name: str) -> RadiographError:
    return RadiographError(f"{name} cannot be read: this file is damaged or cut short.")


def _ask(header: JsonObject, data: bytes) -> tuple[JsonObject, bytes]:
    """One request to a worker that is idle, or new. Raises _CrashError."""
    while True:
        try:
            worker = _idle.pop()
            is_new = False
        except IndexError:
            worker = _Worker()
            is_new = True
        try:
            result = worker.ask(header, data)
        except _CrashError as crash:
            # It may have ended for being idle, a moment before this request.
            if crash.reason or is_new or not worker.ended_idle():
                raise
            continue
        _idle.append(worker)
        return result


class _StartError(Exception):
    """A worker does not start: nothing is known of the file."""


class _Worker:
    """A process that decodes, and its pipes. Raises _StartError where it does not start."""

    def __init__(self) -> None:
        try:
            self._process = self._start()
        except OSError as error:
            raise _StartError from error
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self._reason = ""
        try:
            self._watched(self._read_answer, START_SECONDS, START_SECONDS)
        except _CrashError as crash:
            raise _StartError from crash

    @staticmethod
    def _start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "fracture.imaging.codecs.worker"],
            cwd=paths.PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C on the terminal is for this process, which then closes the pipe
            env={**os.environ, **ENVIRONMENT},
        )

    def ask(self, header: JsonObject, data: bytes) -> tuple[JsonObject, bytes]:
        """The answer to a request, and the bytes behind it. Raises _CrashError; the process is then gone."""

        def exchange() -> tuple[JsonObject, bytes]:
            self._requests.write(json.dumps(header).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
            return self._read_answer()

        return self._watched(exchange, MAX_CPU_SECONDS, MAX_SECONDS)

    def ended_idle(self) -> bool:
        """Whether the process ended by itself, without an error."""
        return self._process.wait() == 0

    def _read_answer(self) -> tuple[JsonObject, bytes]:
        line = self._answers.readline(_MAX_ANSWER_LINE)
        answer: JsonObject = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError("the answer is no object")
        length = int(answer.get("bytes", 0))
        if not 0 <= length <= MAX_DECODING_BYTES:
            raise ValueError("more bytes than any image has")
        content = self._answers.read(length)
        if len(content) < length:
            raise ValueError("the answer is cut short")
        return answer, content

    def _watched(self, work: Any, cpu_seconds: float, seconds: float) -> tuple[JsonObject, bytes]:
        """Do ``work`` with the pipes while a thread watches the process, and ends it where it takes too much."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done, cpu_seconds, seconds), daemon=True)
        watcher.start()
        try:
            result: tuple[JsonObject, bytes] = work()
        except (OSError, ValueError) as error:  # the pipe is closed, or holds half an answer
            done.set()
            watcher.join()
            alone = self._end()
            # Linux kills a process by this signal where memory runs short, as a container does at its limit.
            killed = alone and self._process.returncode == -_SIGKILL
            raise _CrashError(self._reason or (TOO_MUCH_MEMORY if killed else "")) from error
        except BaseException:
            self._process.kill()
            self._end()
            raise
        finally:
            done.set()
        watcher.join()
        if self._reason:  # ended just after its answer
            self._end()
            raise _CrashError(self._reason)
        return result

    def _watch(self, done: threading.Event, cpu_seconds: float, seconds: float) -> None:
        with suppress(psutil.Error):  # the process is gone: the pipe says so
            process = psutil.Process(self._process.pid)
            started = time.monotonic()
            used_before = _cpu_seconds(process)
            while not done.wait(_WATCH_SECONDS):
                if _cpu_seconds(process) - used_before > cpu_seconds:
                    self._reason = TOO_SLOW
                elif time.monotonic() - started > seconds:
                    self._reason = f"was not decoded within {seconds:.0f} s; try again, or save it as a PNG."
                elif process.memory_info().rss > MAX_WORKER_BYTES:
                    self._reason = TOO_MUCH_MEMORY
                if self._reason:
                    self._process.kill()
                    return

    def _end(self) -> bool:
        """Close the pipes of the process, and tell whether it has ended by itself."""
        alone = True
        try:
            # Before the pipes are closed, for which it would end as well: its exit status tells a crash from idleness.
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            alone = False
            self._process.kill()
            self._process.wait()
        with suppress(OSError):  # what is still in the buffer of a broken pipe
            self._requests.close()
        self._answers.close()
        return alone


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


_free = threading.BoundedSemaphore(MAX_WORKERS)
_idle: list[_Worker] = []
"""Workers that wait for a request. Lists pop and append atomically."""

if hasattr(os, "register_at_fork"):
    # Two processes on the two pipes of one worker would read each other's answers.
    os.register_at_fork(after_in_child=_idle.clear)
