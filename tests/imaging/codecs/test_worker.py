"""The worker's own side: its answers in bytes, and its limits."""

import json
import os
import subprocess
import sys
from io import BytesIO

import imagecodecs
import numpy as np
import pytest

from fracture.imaging.codecs import worker
from fracture.imaging.codecs.pool import ENVIRONMENT
from tests.hostile.dicoms import resized_stream
from tests.hostile.pictures import encoded

GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def asked(*requests: tuple[str, str, bytes], setup: str = "") -> list[tuple[dict, bytes]]:
    """The answers of a worker to (task, kind, bytes), after it is ready."""
    lines = [
        json.dumps({"task": task, "kind": kind, "bytes": len(data)}).encode() + b"\n" + data
        for task, kind, data in requests
    ]
    code = f"from fracture.imaging.codecs import worker\n{setup}\nworker.main()"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, input=b"".join(lines), capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answers = BytesIO(done.stdout)
    assert answers.readline() == b"{}\n"
    found = []
    for _ in requests:
        answer = json.loads(answers.readline())
        found.append((answer, answers.read(answer.get("bytes", 0))))
    assert answers.read() == b""
    return found


def test_main_answers_one_request_after_the_other():
    """Pixels in little endian behind their shape; a damaged file in between ends nothing."""
    deep = GRAY.astype(np.uint16) * 300
    first, second, third = asked(
        ("frame", "", imagecodecs.jpegls_encode(deep)),
        ("picture", "TIFF", b"II*\0"),
        ("size", "BMP", encoded(GRAY, "BMP")),
    )
    assert first[0] == {"shape": [6, 8], "dtype": "uint16", "steps": [], "color": 0.0, "bytes": 96}
    assert np.array_equal(np.frombuffer(first[1], "<u2").reshape(6, 8), deep)
    assert second[0]["error"] == "damaged"
    assert (third[0]["shape"], third[1]) == ([6, 8], b"")


def test_main_says_how_large_an_image_is_that_is_too_large():
    """The server makes the sentence."""
    stream = bytearray(imagecodecs.jpeg2k_encode(GRAY, codecformat="j2k"))
    stream[8:16] = (20_000).to_bytes(4, "big") * 2
    answer, _ = asked(("frame", "", bytes(stream)))[0]
    assert answer == {"error": "large", "width": 20_000, "height": 20_000}


def test_what_a_library_prints_does_not_damage_the_answers():
    """Standard output is for answers alone."""
    printing = "import os; worker._TASKS['frame'] = lambda *_: os.write(1, b'Warning!') and 1 / 0"
    assert asked(("frame", "", b"x"), setup=printing)[0][0] == {"error": "damaged", "words": "ZeroDivisionError"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory that a process maps")
def test_main_refuses_memory_beyond_its_limit():
    """An allocation fails, the process goes on."""
    greedy = "import numpy as np; worker._TASKS['frame'] = lambda *_: np.ones(10**9, np.uint8)"
    first, second = asked(("frame", "", b"x"), ("size", "BMP", encoded(GRAY, "BMP")), setup=greedy)
    assert first[0] == {"error": "memory"}
    assert second[0]["shape"] == [6, 8]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory that a process maps")
def test_main_keeps_nothing_of_the_image_before():
    """Two images of a size that needs nearly all memory have the same answer, one after the other."""
    large = resized_stream(7_000, 7_000)
    (first, _), (second, _) = asked(("frame", "", large), ("frame", "", large))
    assert first["shape"] == second["shape"] == [7000, 7000]


def test_main_ends_when_it_is_idle():
    """Its memory is for others, then."""
    code = "from fracture.imaging.codecs import worker\nworker.IDLE_SECONDS = 0.1\nworker.main()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.wait(60) == 0
    assert worker.IDLE_SECONDS > 1
