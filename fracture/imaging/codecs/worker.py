"""The worker process: decodes what C libraries may crash on, one request after the other.

Started by :mod:`fracture.imaging.codecs.pool` as ``python -m fracture.imaging.codecs.worker``. A request is a line of
JSON and the bytes of a file or frame; so is its answer, with the bytes of an array in little endian:

::

    {"task": "frame" | "picture" | "size", "kind": "TIFF", "bytes": N}                     + N bytes
    {"shape": [H, W], "dtype": "uint16", "steps": [...], "color": 0.2, "bytes": N}         + N bytes
    {"error": "damaged" | "large" | "memory" | "refused", "width": W, "height": H, "words": "..."}

The limit on its memory is set here, where the operating system has one; time and memory are also watched by the pool.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import psutil

from fracture.files import JsonObject
from fracture.imaging.codecs.decoders import Decoded, RefusedError, TooLargeError, decode_frame, decode_picture, size

MAX_EXTRA_BYTES = 450_000_000
"""Of memory that decoding may take besides what the process has after its start, the file included."""

IDLE_SECONDS = 60
"""Without a request, until the process ends: its memory is then free for others."""

_TASKS: dict[str, Callable[[bytes, str], Decoded]] = {"frame": decode_frame, "picture": decode_picture, "size": size}


def main() -> None:
    """Answer requests until standard input ends, or none comes for :data:`IDLE_SECONDS`."""
    requests = sys.stdin.buffer
    answers = _take_standard_output()
    _limit_memory()
    answers.write(b"{}\n")  # ready: the time that starting takes is not the first file's
    answers.flush()
    while True:
        idle = threading.Timer(IDLE_SECONDS, os._exit, [0])
        idle.daemon = True
        idle.start()
        line = requests.readline()
        idle.cancel()
        idle.join()  # on a busy machine threads that have not ended yet would pile up, each with memory of its own
        if not line:
            return
        _exchange(json.loads(line), requests, answers)


def _exchange(request: JsonObject, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request. A function of its own: what it holds is free before the next one."""
    answer, content = _answer(request, requests.read(request["bytes"]))
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.write(content)
    answers.flush()


def _answer(request: JsonObject, data: bytes) -> tuple[JsonObject, bytes | memoryview]:
    """The answer, and the bytes of the array that follow it."""
    try:
        decoded = _TASKS[request["task"]](data, request["kind"])
    except RefusedError as error:
        return {"error": "refused", "words": str(error)}, b""
    except TooLargeError as error:
        return {"error": "large", "width": error.width, "height": error.height}, b""
    except MemoryError:
        return {"error": "memory"}, b""
    except Exception as error:  # noqa: BLE001 - decoders raise anything for damaged files
        return {"error": "damaged", "words": type(error).__name__}, b""
    pixels = decoded.pixels
    answer = {
        "shape": decoded.shape,
        "dtype": pixels.dtype.name,
        "steps": decoded.steps,
        "color": decoded.color,
        "bytes": pixels.nbytes,
    }
    return answer, pixels.astype(pixels.dtype.newbyteorder("<"), order="C", copy=False).data.cast("B")


def _take_standard_output() -> BinaryIO:
    """Standard output for the answers alone: what a C library prints goes to standard error from here on."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _limit_memory() -> None:
    """Let allocations fail beyond :data:`MAX_EXTRA_BYTES`, and write no core file; where the system can do that."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        most = psutil.Process().memory_info().vms + MAX_EXTRA_BYTES
        limits: list[tuple[int, Any]] = [(resource.RLIMIT_AS, (most, most)), (resource.RLIMIT_CORE, (0, 0))]
        for limit, value in limits:
            resource.setrlimit(limit, value)


if __name__ == "__main__":
    main()
