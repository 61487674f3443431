"""Many files into one folder."""

import gzip
import threading
import time
from collections import Counter

import pytest
from PIL import Image

from fracture.errors import Cancelled, FetchError
from fracture.formatting import format_bytes
from fracture.importers import download, file_checks
from fracture.importers.download import Wanted, fetch_all
from fracture.importers.file_checks import check_space, whole_image
from fracture.importers.http import NotThereError, Pace, Trouble, asking, body, patient_session
from fracture.paths import leads_out
from tests.support.servers import Answer, Server

FILES = {f"folder{number % 3}/{number}.bin": bytes([number]) * (number + 1) for number in range(20)}
FIRST = next(iter(FILES))


def quick(**choices) -> Pace:
    return Pace(**{"first_wait": 0.001, "interval": 0.0, **choices})


def filled(path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def get(root, fetch, files=FILES, **choices):
    wanted = [Wanted(name, len(content)) for name, content in files.items()]
    choices = {"pace": quick(), "whole": filled, **choices}
    return fetch_all(root, wanted, fetch, parts=root / ".parts", **choices)


def contents(root) -> dict[str, bytes]:
    """What a reader finds."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".parts" not in path.parts
    }


def serve(item):
    yield FILES[item.name]


def test_all_files_come(tmp_path):
    """Each under its name, with its bytes; the last word on the progress is that all is there."""
    said = []
    ended = get(tmp_path, serve, say=said.append)
    assert contents(tmp_path) == FILES
    assert not list((tmp_path / ".parts").iterdir())
    total = sum(map(len, FILES.values()))
    assert (said[0].files, said[0].bytes) == (0, 0)
    assert said[-1] == ended
    assert (ended.files, ended.total_files, ended.bytes, ended.total_bytes) == (20, 20, total, total)


def test_what_is_whole_is_not_fetched_again(tmp_path):
    """What is lacking is, what has another size is, and what a killed process left half done is swept away."""
    get(tmp_path, serve)
    lost, short, *_ = FILES
    (tmp_path / lost).unlink()
    (tmp_path / short).write_bytes(b"too long for it")
    (tmp_path / ".parts" / "part-left").write_bytes(b"half")
    asked = []

    def fetch(item):
        asked.append(item.name)
        yield FILES[item.name]

    get(tmp_path, fetch)
    assert sorted(asked) == sorted([lost, short])
    assert contents(tmp_path) == FILES
    assert not list((tmp_path / ".parts").iterdir())


def test_a_few_are_fetched_at_once(tmp_path):
    """As many as there are workers, and no more."""
    together, at_once, lock = threading.Barrier(4, timeout=20), Counter(), threading.Lock()

    def fetch(item):
        with lock:
            at_once["now"] += 1
            at_once["most"] = max(at_once["most"], at_once["now"])
        together.wait()
        yield FILES[item.name]
        with lock:
            at_once["now"] -= 1

    get(tmp_path, fetch, workers=4)
    assert at_once["most"] == 4


def test_trouble_is_tried_again(tmp_path):
    """A file whose first tries fail comes in the end; what came of it before does not count."""
    tries = Counter()

    def fetch(item):
        tries[item.name] += 1
        yield FILES[item.name][:1]
        if tries[item.name] < 3:
            raise Trouble("The connection was cut off.")
        yield FILES[item.name][1:]

    assert get(tmp_path, fetch, pace=quick(tries=20)).bytes == sum(map(len, FILES.values()))
    assert contents(tmp_path) == FILES
    assert set(tries.values()) == {3}


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"!", lambda _: b""])
def test_what_is_not_whole_is_not_let_in(tmp_path, change):
    """Bytes too few or too many are refused, each time, and the sentence names the file."""

    def fetch(item):
        yield change(FILES[item.name])

    with pytest.raises(FetchError, match=r"Of folder\d/\d+\.bin, \d+ bytes came.* Given up after 3 tries.*is kept"):
        get(tmp_path, fetch, pace=quick(tries=3))
    assert contents(tmp_path) == {}


def test_many_failures_in_a_row_end_it(tmp_path):
    """A server that always fails is asked a few times only, however many files and workers there are."""
    asked = []

    def fetch(item):
        asked.append(item.name)
        raise Trouble("Kaggle has trouble of its own (500).")
        yield b""

    with pytest.raises(FetchError, match="trouble of its own"):
        get(tmp_path, fetch, pace=quick(tries=5))
    assert 5 <= len(asked) <= 5 * 4


def test_what_is_nowhere_does_not_hold_up_the_rest(tmp_path):
    """All other files come; then the sentence says which one is missing, and how many."""
    nowhere = [*FILES][3:5]

    def fetch(item):
        if item.name in nowhere:
            raise NotThereError(f"There is no {item.name}.")
        yield FILES[item.name]

    with pytest.raises(
        FetchError, match=rf"There is no ({'|'.join(nowhere)})\. Missing like this: 2 of 20 files; all others are"
    ):
        get(tmp_path, fetch)
    assert contents(tmp_path) == {name: content for name, content in FILES.items() if name not in nowhere}


def test_where_nothing_is_it_ends_soon(tmp_path):
    """A data set that has gone is not asked for each of its files."""
    asked = []

    def fetch(item):
        asked.append(item.name)
        raise NotThereError("There is no such data set.")
        yield b""

    with pytest.raises(FetchError, match=r"no such data set\.$"):
        get(tmp_path, fetch)
    assert len(asked) < 10


def test_an_error_ends_all_and_keeps_what_came(tmp_path):
    """What will not go better is not tried again."""
    bad, asked = list(FILES)[10], []

    def fetch(item):
        asked.append(item.name)
        if item.name == bad:
            raise FetchError("not yours")
        yield FILES[item.name]

    with pytest.raises(FetchError, match="not yours"):
        get(tmp_path, fetch, workers=1)
    assert asked.count(bad) == 1
    assert contents(tmp_path) == {name: content for name, content in FILES.items() if name in asked[:-1]}


def test_it_stops_when_asked(tmp_path):
    """In the middle of a file, too; what is whole stays, what is not goes."""
    begun, stop = threading.Event(), threading.Event()

    def fetch(item):
        if item.name == FIRST:
            yield FILES[item.name]
            return
        for _ in range(10_000):
            yield b"."
            begun.set()
            stop.wait(0.01)

    def should_stop():
        return begun.is_set() and filled(tmp_path / FIRST)

    with pytest.raises(Cancelled):
        get(tmp_path, fetch, should_stop=should_stop)
    assert list(contents(tmp_path)) == [FIRST]
    assert not list((tmp_path / ".parts").iterdir())


def test_it_stops_while_it_waits(tmp_path):
    """A pause that a server asked for does not hold up who wants to stop."""
    asked = threading.Event()

    def fetch(item):
        asked.set()
        raise Trouble("Kaggle asks to slow down (429).", after=500)
        yield b""

    began, said = time.monotonic(), []
    with pytest.raises(Cancelled):
        get(tmp_path, fetch, should_stop=lambda: asked.is_set() and bool(said), say=said.append)
    assert time.monotonic() - began < 60
    assert said[-1].note is None or "Trying again in" in said[-1].note


@pytest.mark.parametrize("wish", [Cancelled, KeyboardInterrupt])
def test_it_stops_while_a_server_is_silent(tmp_path, wish):
    """In the middle of a file, and not only when the server's time is up."""
    begun = threading.Event()

    def fetch(_):
        with patient_session() as session:
            for chunk in body(session.get(server.url, stream=True), "It"):
                begun.set()
                yield chunk

    def should_stop():
        if begun.is_set() and wish is KeyboardInterrupt:
            raise KeyboardInterrupt
        return begun.is_set()

    began = time.monotonic()
    with Server(lambda _: Answer(body=b"x" * 10, drip=20)) as server, pytest.raises(wish):
        fetch_all(tmp_path, [Wanted("a.bin")], fetch, parts=tmp_path / ".parts", whole=filled, should_stop=should_stop)
    assert time.monotonic() - began < 8
    assert contents(tmp_path) == {}


def test_what_a_stop_cuts_off_is_not_let_in(tmp_path, monkeypatch):
    """Even where an end that came too early looks like any other."""
    begun, hung_up = threading.Event(), threading.Event()
    monkeypatch.setattr(download, "hang_up", hung_up.set)

    def fetch(_):
        yield b"half"
        begun.set()
        assert hung_up.wait(20)

    with pytest.raises(Cancelled):
        fetch_all(tmp_path, [Wanted("a")], fetch, parts=tmp_path / ".parts", whole=filled, should_stop=begun.is_set)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "name", ["../up.bin", "/etc/up.bin", "a/../../up.bin", "C:/up.bin", "a\\..\\up.bin", "", "a//b"]
)
def test_no_name_leads_out(tmp_path, name):
    """A single bad name is refused before anything is fetched or written."""
    root = tmp_path / "root"
    with pytest.raises(FetchError, match="nothing was written"):
        fetch_all(root, [Wanted("good.bin"), Wanted(name)], serve, parts=root / ".parts", whole=filled)
    assert leads_out(name)
    assert not root.exists()


def test_a_pause_holds_for_everyone():
    """Retry-After is honoured by all workers; failures during a pause do not count again; a success forgets them."""
    pace, stop = quick(tries=3), threading.Event()
    before = pace.turn(stop)
    for _ in range(9):  # all of them were on their way when the first one failed
        pace.failed(Trouble("Slow down.", after=0.2), before)
    began = pace.turn(stop)
    assert began - before >= 0.2
    pace.failed(Trouble("Slow down.", after=0), began)
    pace.succeeded(before)
    assert pace.failures == 2
    pace.succeeded(pace.turn(stop))
    assert pace.failures == 0
    for _ in range(2):
        pace.failed(Trouble("Slow down.", after=0), pace.turn(stop))
    with pytest.raises(FetchError, match=r"Slow down\. Given up after 3 tries"):
        pace.failed(Trouble("Slow down.", after=0), pace.turn(stop))


def test_pauses_grow_and_say_so():
    """Twice as long each time, up to a limit, less some chance; and never half an hour."""
    pace = Pace(tries=20, first_wait=2, longest_wait=16, interval=0)
    lengths = []
    for _ in range(6):
        pace.failed(Trouble("It is away."), time.monotonic())
        lengths.append(pace._next - time.monotonic())
    for length, most in zip(lengths, [2, 4, 8, 16, 16, 16], strict=True):
        assert most / 2 - 0.5 <= length <= most
    assert pace.note().startswith("It is away. Trying again in ")
    with pytest.raises(FetchError, match="asks to wait for 1,800 s"):
        pace.failed(Trouble("Slow down.", after=1800), time.monotonic())


@pytest.mark.parametrize(
    ("answer", "words", "after"),
    [
        (Answer(429, headers={"Retry-After": "7"}), "asks to slow down", 7),
        (Answer(429), "asks to slow down", None),
        (Answer(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), "trouble of its own", 0),
        (Answer(500, headers={"Retry-After": "soon"}), "trouble of its own", None),
        (Answer(429, headers={"Retry-After": "9" * 5000}), "asks to slow down", None),
        (Answer(503, headers={"Retry-After": "Wed, 21 Oct 99999 07:28:00 GMT"}), "trouble of its own", None),
        (Answer(302, headers={"Location": "http://[::1"}), "cannot be understood", None),
        (Answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "cannot be understood", None),
        (Answer(body=b"x" * 500_000, cut=200_000), "cut off", None),
        (Answer(body=b"x" * 1000, announced=2000), "cut off|of 2,000 bytes", None),
    ],
)
def test_what_a_server_does_wrong_is_trouble(answer, words, after):
    """Trouble says what happened, and how long the server asks to wait."""
    with Server(lambda _: answer) as server, pytest.raises(Trouble, match=words) as trouble:
        session = patient_session()
        with asking("It"):
            response = session.get(server.url, stream=True)
            response.raise_for_status()
        for _ in body(response, "It"):
            pass
    assert trouble.value.after == after
    assert server.url not in trouble.value.sentence


def test_bytes_are_passed_on_as_they_come():
    """However few they are; what is packed is unpacked, and the connection serves the next question."""
    packed = Answer(body=gzip.compress(bytes(300_000)), headers={"Content-Encoding": "gzip"})
    answers = [packed, Answer(), Answer(body=b"abcdef", drip=0.1)]
    with Server(lambda _: answers.pop(0)) as server, patient_session() as session:
        came = [list(body(session.get(server.url, stream=True), "It")) for _ in range(3)]
        pools = session.get_adapter(server.url).poolmanager.pools
        connections = [pool.num_connections for pool in map(pools.get, pools.keys())]
    assert b"".join(came[0]) == bytes(300_000)
    assert came[1] == []
    assert b"".join(came[2]) == b"abcdef"
    assert len(came[2]) > 1
    assert connections == [1]


def test_nobody_there_is_trouble():
    """A port where nobody listens is a network that is not there."""
    with Server(lambda _: Answer()) as server:
        url = server.url
    with pytest.raises(Trouble, match="cannot be reached: is there a connection"), asking("It"):
        patient_session().get(url)


def test_images_are_whole_or_not(drawn, tmp_path):
    """A PNG that lacks its end, or has a wrong byte in the middle, is none; a page that says sorry isn't either."""
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
        assert whole_image(tmp_path / name) is whole, name
    assert not whole_image(tmp_path / "missing")
    Image.linear_gradient("L").save(tmp_path / "view.jpg")
    assert whole_image(tmp_path / "view.jpg")
    (tmp_path / "view.jpg").write_bytes((tmp_path / "view.jpg").read_bytes()[:-2])
    assert not whole_image(tmp_path / "view.jpg")


def test_room_is_looked_for_first(tmp_path, monkeypatch):
    """In a folder that does not exist yet, too; the sentence says what is needed and what is there."""
    monkeypatch.setattr(file_checks.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 300 * 10**6}))
    check_space(tmp_path / "new" / "er", 50 * 10**6)
    with pytest.raises(FetchError, match=r"About 138.0 MB and 209.7 MB to spare.*Received: 300.0 MB"):
        check_space(tmp_path / "new" / "er", 138 * 10**6)
    assert [format_bytes(size) for size in (0, 1_500, 3_200_000_000)] == ["0.0 kB", "1.5 kB", "3.2 GB"]
