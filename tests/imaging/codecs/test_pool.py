"""The worker processes: crashes, limits, and that they come and go."""

import os
import signal
import subprocess
import sys
import threading

import imagecodecs
import numpy as np
import psutil
import pytest

from fracture.errors import RadiographError
from fracture.imaging.codecs import pool
from fracture.imaging.codecs.worker import MAX_EXTRA_BYTES
from fracture.imaging.radiograph import read
from tests.hostile.pictures import encoded

GRAY = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
FRAME = imagecodecs.jpegls_encode(GRAY)


@pytest.fixture(autouse=True)
def no_worker():
    """Each test begins and ends without a worker."""
    end_all()
    yield
    end_all()


def end_all() -> None:
    while pool._idle:
        worker = pool._idle.pop()
        worker._process.kill()
        worker._end()


def test_decode_frame_uses_one_worker_again():
    """The second file does not wait for a start."""
    assert np.array_equal(pool.decode_frame(FRAME, "a").pixels, GRAY)
    first = pool._idle[0]
    assert np.array_equal(pool.decode_frame(FRAME, "b").pixels, GRAY)
    assert pool._idle == [first]


def test_decode_frame_after_a_crash_is_a_sentence_and_the_next_is_read(monkeypatch):
    """A decoder that ends its process costs one file; the server goes on."""
    pool.decode_frame(FRAME, "a")
    worker = pool._idle[0]
    worker._process.send_signal(signal.SIGSTOP)
    threading.Timer(0.2, worker._process.send_signal, [signal.SIGSEGV]).start()
    threading.Timer(0.3, worker._process.send_signal, [signal.SIGCONT]).start()
    with pytest.raises(RadiographError, match="hit cannot be read: this file is damaged or cut short"):
        pool.decode_frame(FRAME, "hit")
    assert worker._process.returncode == -signal.SIGSEGV
    assert np.array_equal(pool.decode_frame(FRAME, "next").pixels, GRAY)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_decode_frame_after_a_kill_by_the_system_names_the_memory():
    """Where memory runs short the file is not called damaged."""
    pool.decode_frame(FRAME, "a")
    worker = pool._idle[0]
    worker._process.send_signal(signal.SIGSTOP)
    threading.Timer(0.2, worker._process.kill).start()
    with pytest.raises(RadiographError, match="hit takes too much memory"):
        pool.decode_frame(FRAME, "hit")


def test_decode_frame_that_never_ends_is_a_sentence(monkeypatch):
    """By the clock, where the process waits for something; the file may be read at another time."""
    monkeypatch.setattr(pool, "MAX_SECONDS", 0.3)
    pool.decode_frame(FRAME, "a")
    pool._idle[0]._process.send_signal(signal.SIGSTOP)
    with pytest.raises(RadiographError, match=r"stuck was not decoded within 0 s; try again"):
        pool.decode_frame(FRAME, "stuck")


def test_decode_picture_that_takes_much_processor_time_is_called_slow(monkeypatch):
    """By the processor's time, which other programs on the machine do not add to."""
    monkeypatch.setattr(pool, "MAX_CPU_SECONDS", -1.0)
    pool.decode_frame(FRAME, "a")
    pool._idle[0]._process.send_signal(signal.SIGSTOP)
    with pytest.raises(RadiographError, match="slow takes too long to decode"):
        pool.decode_frame(FRAME, "slow")


def test_decode_frame_of_too_much_memory_is_a_sentence(monkeypatch):
    """What the process has is watched from here, for systems on which it can't limit itself."""
    pool.decode_frame(FRAME, "a")
    monkeypatch.setattr(pool, "MAX_WORKER_BYTES", 1000)
    pool._idle[0]._process.send_signal(signal.SIGSTOP)
    with pytest.raises(RadiographError, match="large takes too much memory"):
        pool.decode_frame(FRAME, "large")


def test_ask_after_an_idle_end_starts_another_worker():
    """A worker that has ended because nobody needed it is no crash."""
    pool.decode_frame(FRAME, "a")
    worker = pool._idle[0]
    worker._requests.close()  # as after its idle time, it ends with status 0
    worker._process.wait(30)
    assert np.array_equal(pool.decode_frame(FRAME, "b").pixels, GRAY)
    assert worker not in pool._idle


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory that a process maps")
def test_decode_picture_of_avif_takes_the_same_memory_however_busy_the_machine_is():
    """No thread reserves memory that the limit counts: else a small file could fail where threads meet."""
    data = encoded(GRAY.astype(np.uint8), "AVIF")
    for _ in range(30):
        pool.decode_picture(data, "AVIF", "a")
    process = psutil.Process(pool._idle[0]._process.pid)
    at_start = process.rlimit(psutil.RLIMIT_AS)[0] - MAX_EXTRA_BYTES
    assert process.memory_info().vms - at_start < 40e6


def test_decode_frame_from_many_threads_uses_few_workers():
    """Further requests wait for one."""
    results = []

    def decode() -> None:
        results.append(pool.decode_frame(FRAME, "a").pixels)

    threads = [threading.Thread(target=decode) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12
    assert all(np.array_equal(pixels, GRAY) for pixels in results)
    assert 1 <= len(pool._idle) <= pool.MAX_WORKERS


def test_read_png_and_jpeg_start_no_worker():
    """The first answer waits for none, and no memory is taken for one."""
    code = """
import sys
from fracture.imaging.radiograph import read
for data in sys.stdin.buffer.read().split(b"--next--"):
    read(data)
assert "fracture.imaging.codecs.pool" not in sys.modules and "imagecodecs" not in sys.modules
"""
    data = b"--next--".join([encoded(GRAY), encoded(GRAY.astype(np.uint8), "JPEG")])
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_worker_ends_with_its_server():
    """A server that is killed leaves none behind."""
    code = """
import os, signal, sys
from fracture.imaging.codecs import pool
from fracture.imaging.codecs.worker import MAX_EXTRA_BYTES
pool.decode_frame(sys.stdin.buffer.read(), "a")
print(pool._idle[0]._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], input=FRAME, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    psutil.wait_procs([psutil.Process(pid) for pid in [int(done.stdout)] if psutil.pid_exists(pid)], timeout=60)
    assert not psutil.pid_exists(int(done.stdout)) or psutil.Process(int(done.stdout)).status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_starts_its_own_worker():
    """Two processes on one worker's pipes would read each other's answers."""
    pool.decode_frame(FRAME, "a")
    child = os.fork()
    if child == 0:
        os._exit(len(pool._idle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(pool._idle) == 1


def test_picture_size_of_damaged_file_is_a_sentence():
    """The size of what is none can't be told."""
    with pytest.raises(RadiographError, match="tif cannot be read"):
        pool.picture_size(b"II*\0" + bytes(100), "TIFF", "a.tif")
    assert read(encoded(GRAY.astype(np.uint8), "TIFF")).width == 64
