"""Downloads of many files: retries, the shared rate limit, stops, and what is kept."""

import gzip
import hashlib
import threading
import time
from collections import Counter

import pytest
import requests
from PIL import Image

from fracture.errors import Cancelled, FetchError
from fracture.formatting import format_bytes
from fracture.importers import file_checks
from fracture.importers.download import Downloader, RemoteFile
from fracture.importers.file_checks import check_space, has_md5, is_complete_image
from fracture.importers.http import (
    InterruptibleAdapter,
    NotFoundError,
    RateLimiter,
    RetryableError,
    read_body,
    translate_errors,
)
from fracture.paths import leads_out
from tests.support.servers import Response, Server

FILES = {f"folder{number % 3}/{number}.bin": bytes([number]) * (number + 1) for number in range(20)}
FIRST = next(iter(FILES))


def quick(**options) -> RateLimiter:
    return RateLimiter(**{"first_wait": 0.001, "interval": 0.0, **options})


def filled(path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def download(root, read, files=FILES, workers=4, **options):
    wanted = [RemoteFile(name, len(content)) for name, content in files.items()]
    downloader = Downloader(root / ".parts", **{"limiter": quick(), **options})
    downloader.download(root, wanted, read, filled, workers)


def new_session() -> requests.Session:
    return InterruptibleAdapter().prepare(requests.Session())


def contents(root) -> dict[str, bytes]:
    """{name: bytes} of the complete files."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".parts" not in path.parts
    }


def serve(file):
    yield FILES[file.name]


def test_download_into_an_empty_folder_brings_all(tmp_path):
    """All files come with their names and bytes, and the last progress report says so."""
    reports = []
    download(tmp_path, serve, on_progress=reports.append)
    ended = reports[-1]
    assert contents(tmp_path) == FILES
    assert not list((tmp_path / ".parts").iterdir())
    total = sum(map(len, FILES.values()))
    assert (reports[0].files, reports[0].bytes) == (0, 0)
    assert (ended.files, ended.total_files, ended.bytes, ended.total_bytes) == (20, 20, total, total)


def test_download_repeated_brings_only_what_is_missing(tmp_path):
    """Missing files and ones of a wrong size are downloaded, and leftovers of a killed process are deleted."""
    download(tmp_path, serve)
    lost, short, *_ = FILES
    (tmp_path / lost).unlink()
    (tmp_path / short).write_bytes(b"too long for it")
    (tmp_path / ".parts" / "part-left").write_bytes(b"half")
    requested = []

    def read(file):
        requested.append(file.name)
        yield FILES[file.name]

    download(tmp_path, read)
    assert sorted(requested) == sorted([lost, short])
    assert contents(tmp_path) == FILES
    assert not list((tmp_path / ".parts").iterdir())


def test_download_with_four_workers_downloads_four_at_once(tmp_path):
    """As many files are downloaded at once as there are workers."""
    together, at_once, lock = threading.Barrier(4, timeout=20), Counter(), threading.Lock()

    def read(file):
        with lock:
            at_once["now"] += 1
            at_once["most"] = max(at_once["most"], at_once["now"])
        together.wait()
        yield FILES[file.name]
        with lock:
            at_once["now"] -= 1

    download(tmp_path, read, workers=4)
    assert at_once["most"] == 4


def test_download_after_a_retryable_error_tries_again(tmp_path):
    """A file whose first attempts fail comes in the end, and the bytes of failed attempts do not count."""
    attempts = Counter()

    def read(file):
        attempts[file.name] += 1
        yield FILES[file.name][:1]
        if attempts[file.name] < 3:
            raise RetryableError("The connection was cut off.")
        yield FILES[file.name][1:]

    reports = []
    download(tmp_path, read, limiter=quick(attempts=20), on_progress=reports.append)
    assert reports[-1].bytes == sum(map(len, FILES.values()))
    assert contents(tmp_path) == FILES
    assert set(attempts.values()) == {3}


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"!", lambda _: b""])
def test_download_with_a_wrong_size_gives_up(tmp_path, change):
    """A file with too few or too many bytes is refused in each attempt, and the message names it."""

    def read(file):
        yield change(FILES[file.name])

    with pytest.raises(FetchError, match=r"Of folder\d/\d+\.bin, \d+ bytes came.* Gave up after 3 attempts.*are kept"):
        download(tmp_path, read, limiter=quick(attempts=3))
    assert contents(tmp_path) == {}


def test_download_with_a_failing_server_gives_up_early(tmp_path):
    """A server that always fails gets a bounded number of requests, however many files there are."""
    requested = []

    def read(file):
        requested.append(file.name)
        raise RetryableError("Kaggle has problem of its own (500).")
        yield b""

    with pytest.raises(FetchError, match="problem of its own"):
        download(tmp_path, read, limiter=quick(attempts=5))
    assert 5 <= len(requested) <= 5 * 4


def test_download_with_missing_files_brings_the_others(tmp_path):
    """All other files come, and the message names a missing file and counts them."""
    nowhere = [*FILES][3:5]

    def read(file):
        if file.name in nowhere:
            raise NotFoundError(f"There is no {file.name}.")
        yield FILES[file.name]

    with pytest.raises(
        FetchError, match=rf"There is no ({'|'.join(nowhere)})\. Missing: 2 of 20 files; all others were"
    ):
        download(tmp_path, read)
    assert contents(tmp_path) == {name: content for name, content in FILES.items() if name not in nowhere}


def test_download_without_any_file_on_the_server_ends_early(tmp_path):
    """A data set that no longer exists is not requested file by file."""
    requested = []

    def read(file):
        requested.append(file.name)
        raise NotFoundError("There is no such data set.")
        yield b""

    with pytest.raises(FetchError, match=r"no such data set\.$"):
        download(tmp_path, read)
    assert len(requested) < 10


def test_download_after_a_final_error_keeps_what_came(tmp_path):
    """An error that is not retryable ends the download without another attempt, and complete files stay."""
    bad = list(FILES)[10]
    requested = []

    def read(file):
        requested.append(file.name)
        if file.name == bad:
            raise FetchError("not yours")
        yield FILES[file.name]

    with pytest.raises(FetchError, match="not yours"):
        download(tmp_path, read, workers=1)
    assert requested.count(bad) == 1
    assert contents(tmp_path) == {name: content for name, content in FILES.items() if name in requested[:-1]}


def test_download_stopped_in_a_file_keeps_complete_ones(tmp_path):
    """A stop in the middle of a file keeps the complete files and deletes the incomplete one."""
    begun = threading.Event()
    stop = threading.Event()

    def read(file):
        if file.name == FIRST:
            yield FILES[file.name]
            return
        for _ in range(10_000):
            yield b"."
            begun.set()
            stop.wait(0.01)

    def should_stop():
        return begun.is_set() and filled(tmp_path / FIRST)

    with pytest.raises(Cancelled):
        download(tmp_path, read, should_stop=should_stop)
    assert list(contents(tmp_path)) == [FIRST]
    assert not list((tmp_path / ".parts").iterdir())


def test_download_stopped_in_a_pause_ends_at_once(tmp_path):
    """A stop ends a pause that the server requested for."""
    requested = threading.Event()

    def read(file):
        requested.set()
        raise RetryableError("Kaggle asks to slow down (429).", retry_after=500)
        yield b""

    began = time.monotonic()
    reports = []
    with pytest.raises(Cancelled):
        download(tmp_path, read, should_stop=lambda: requested.is_set() and bool(reports), on_progress=reports.append)
    assert time.monotonic() - began < 60
    assert reports[-1].note is None or "Trying again in" in reports[-1].note


@pytest.mark.parametrize("reason", [Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize(("latency", "byte_delay"), [(20, 0), (0, 20)])
def test_download_stopped_while_a_server_is_silent_ends_at_once(tmp_path, reason, latency, byte_delay):
    """A stop, or Ctrl-C, ends a download that waits for a response or for the rest of one."""
    begun = threading.Event()
    adapter = InterruptibleAdapter()

    def read(_):
        with adapter.prepare(requests.Session()) as session, translate_errors("It"):
            if latency:
                begun.set()
            for chunk in read_body(session.get(server.url, stream=True), "It"):
                begun.set()
                yield chunk

    def should_stop():
        if begun.is_set() and reason is KeyboardInterrupt:
            raise KeyboardInterrupt
        return begun.is_set()

    began = time.monotonic()
    response = Response(body=b"x" * 10, byte_delay=byte_delay)
    with Server(lambda _: response, latency=latency) as server, pytest.raises(reason):
        download(tmp_path, read, {"a.bin": b"x" * 10}, should_stop=should_stop, interrupt=adapter.interrupt)
    assert time.monotonic() - began < 8
    assert contents(tmp_path) == {}


@pytest.mark.slow
def test_interrupt_of_one_adapter_leaves_the_responses_of_others():
    """A stopped import does not end the downloads of another one in the same process."""
    stopped = InterruptibleAdapter()
    with (
        Server(lambda _: Response(body=b"x" * 10, byte_delay=0.2)) as server,
        stopped.prepare(requests.Session()) as session,
        new_session() as other_session,
    ):
        response = session.get(server.url, stream=True)
        other_response = other_session.get(server.url, stream=True)
        stopped.interrupt()
        with pytest.raises(RetryableError, match=r"broke off|of 10 bytes"):
            list(read_body(response, "It"))
        assert b"".join(read_body(other_response, "It")) == b"x" * 10


def test_download_interrupted_response_that_looks_complete_is_dropped(tmp_path):
    """What came of a file is dropped after a stop, even where the response ended without an error."""
    begun = threading.Event()
    interrupted = threading.Event()

    def read(_):
        yield b"half"
        begun.set()
        assert interrupted.wait(20)

    with pytest.raises(Cancelled):
        download(tmp_path, read, {"a": b"half"}, should_stop=begun.is_set, interrupt=interrupted.set)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "name", ["../up.bin", "/etc/up.bin", "a/../../up.bin", "C:/up.bin", "a\\..\\up.bin", "", "a//b"]
)
def test_download_with_an_unsafe_name_writes_nothing(tmp_path, name):
    """A single name that leads out of the folder is refused before anything is downloaded or written."""
    root = tmp_path / "root"
    with pytest.raises(FetchError, match="nothing was written"):
        download(root, serve, {"good.bin": b"x", name: b"x"})
    assert leads_out(name)
    assert not root.exists()


def test_rate_limiter_paused_by_one_worker_makes_all_wait():
    """A pause holds for every worker; a shorter pause does not end a longer one."""
    limiter = quick()
    stop = threading.Event()
    limiter.acquire(stop)
    began = time.monotonic()
    limiter.pause(0.3, "Slow down.")
    limiter.pause(0.1)
    waiting = [threading.Thread(target=limiter.acquire, args=(stop,)) for _ in range(3)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert time.monotonic() - began >= 0.3


def test_rate_limiter_while_paused_names_the_reason():
    """The note tells the reason of the pause and the seconds left; without a pause there is no note."""
    limiter = quick()
    assert limiter.note() is None
    limiter.pause(30, "It is away.")
    limiter.pause(20)
    assert limiter.note() == "It is away. Trying again in 30 s."


def test_retrying_waits_twice_as_long_after_each_failure():
    """The pauses double up to the limit, with some jitter; after the last attempt the message tells the reason."""
    limiter = RateLimiter(attempts=6, first_wait=2, max_wait=16, interval=0)
    pauses = []
    limiter.pause = pauses.append

    def fail():
        raise RetryableError("It is away.")

    with pytest.raises(FetchError, match=r"It is away\. Gave up after 6 attempts\. Downloaded files are kept"):
        limiter.retrying()(fail)
    for pause, least in zip(pauses, [2, 4, 8, 16, 16], strict=True):
        assert least <= pause <= least + 1


def test_download_with_retry_after_lets_no_request_out_before(tmp_path):
    """After a Retry-After, no worker sends a request until that time has passed."""
    failed = []
    times = []

    def read(file):
        times.append(time.monotonic())
        if file.name == FIRST and not failed:
            failed.append(time.monotonic())
            raise RetryableError("Slow down.", retry_after=0.5)
        time.sleep(0.01)
        yield FILES[file.name]

    download(tmp_path, read, workers=4)
    # Requests that the other workers had begun are not held back.
    assert not [moment for moment in times if failed[0] + 0.05 < moment < failed[0] + 0.5]
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize(
    ("answer", "words", "after"),
    [
        (Response(429, headers={"Retry-After": "7"}), "asks to slow down", 7),
        (Response(429), "asks to slow down", 0),
        (Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), "problem of its own", 0),
        (Response(500, headers={"Retry-After": "soon"}), "problem of its own", 0),
        (Response(429, headers={"Retry-After": "9" * 5000}), "asks to slow down", 0),
        (Response(503, headers={"Retry-After": "Wed, 21 Oct 99999 07:28:00 GMT"}), "problem of its own", 0),
        (Response(302, headers={"Location": "http://[::1"}), "invalid answer", 0),
        (Response(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "invalid answer", 0),
        (Response(body=b"x" * 500_000, cut_after=200_000), "broke off", 0),
        (Response(body=b"x" * 1000, content_length=2000), "broke off|of 2,000 bytes", 0),
    ],
)
def test_read_body_from_a_faulty_server_raises_a_retryable_error(answer, words, after):
    """The error tells what happened and how long the server asks to wait, and no address."""
    with (
        Server(lambda _: answer) as server,
        new_session() as session,
        pytest.raises(RetryableError, match=words) as error,
    ):
        with translate_errors("It"):
            response = session.get(server.url, stream=True)
            response.raise_for_status()
        for _ in read_body(response, "It"):
            pass
    assert error.value.retry_after == after
    assert server.url not in str(error.value)


def test_read_body_of_a_slow_response_yields_bytes_as_they_come():
    """Few bytes are not held back, compressed ones are decompressed, and the connection is used again."""
    packed = Response(body=gzip.compress(bytes(300_000)), headers={"Content-Encoding": "gzip"})
    answers = [packed, Response(), Response(body=b"abcdef", byte_delay=0.1)]
    with Server(lambda _: answers.pop(0)) as server, new_session() as session:
        came = [list(read_body(session.get(server.url, stream=True), "It")) for _ in range(3)]
        pools = session.get_adapter(server.url).poolmanager.pools
        connections = [pool.num_connections for pool in map(pools.get, pools.keys())]
    assert b"".join(came[0]) == bytes(300_000)
    assert came[1] == []
    assert b"".join(came[2]) == b"abcdef"
    assert len(came[2]) > 1
    assert connections == [1]


def test_translate_errors_without_a_server_raises_a_retryable_error():
    """A port where no server listens is reported as a missing connection."""
    with Server(lambda _: Response()) as server:
        url = server.url
    with pytest.raises(RetryableError, match="cannot be reached: is there a connection"), translate_errors("It"):
        new_session().get(url)


def test_is_complete_image_of_damaged_files_is_false(drawn, tmp_path):
    """An image that lacks its end or has a wrong byte is not complete, nor is a web page or an empty file."""
    content = next(drawn.rglob("*.png")).read_bytes()
    for name, change, whole in [
        ("whole", content, True),
        ("short", content[:-1], False),
        ("without its end", content[:-12], False),
        ("wrong", content[:200] + bytes([content[200] ^ 1]) + content[201:], False),
        ("page", b"<html>Sorry</html>", False),
        ("empty", b"", False),
    ]:
        (tmp_path / name).write_bytes(change)
        assert is_complete_image(tmp_path / name) is whole, name
    assert not is_complete_image(tmp_path / "missing")
    Image.linear_gradient("L").save(tmp_path / "view.jpg")
    assert is_complete_image(tmp_path / "view.jpg")
    (tmp_path / "view.jpg").write_bytes((tmp_path / "view.jpg").read_bytes()[:-2])
    assert not is_complete_image(tmp_path / "view.jpg")


def test_has_md5_of_a_changed_file_is_false(tmp_path):
    """A missing or changed file does not have the sum; where the server states no sum, every file has it."""
    file = tmp_path / "file"
    assert not has_md5(file, "")
    file.write_bytes(b"content")
    assert has_md5(file, hashlib.md5(b"content").hexdigest())
    assert not has_md5(file, hashlib.md5(b"other").hexdigest())
    assert has_md5(file, "")


def test_check_space_on_a_full_disk_raises(tmp_path, monkeypatch):
    """The message tells the space needed and the space left, also for a folder that does not exist yet."""
    monkeypatch.setattr(file_checks.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 300 * 10**6}))
    check_space(tmp_path / "new" / "er", 50 * 10**6)
    with pytest.raises(FetchError, match=r"About 138.0 MB and 209.7 MB to spare.*Received: 300.0 MB"):
        check_space(tmp_path / "new" / "er", 138 * 10**6)
    assert [format_bytes(size) for size in (0, 1_500, 3_200_000_000)] == ["0.0 kB", "1.5 kB", "3.2 GB"]
