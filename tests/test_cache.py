"""Small databases in the cache, whatever becomes of their files."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fracture.cache import keep, kept

SCHEMA = "CREATE TABLE IF NOT EXISTS seen (number INTEGER)"
INSERT = "INSERT INTO seen VALUES (?)"


def put(*numbers: int, version: int = 1) -> None:
    with kept("some/base", SCHEMA, version) as base:
        keep(base, INSERT, [(number,) for number in numbers])


def put_together(start: threading.Barrier, number: int) -> None:
    start.wait()
    put(number)


def held(version: int = 1) -> list[int]:
    with kept("some/base", SCHEMA, version) as base:
        return sorted(number for (number,) in base.execute("SELECT number FROM seen"))


@pytest.fixture
def file(homes):
    return homes / "cache" / "some" / "base.sqlite"


@pytest.mark.parametrize("there", ["nothing", "another version", "damage"])
def test_who_opens_at_once_shares_one_file(file, there):
    """Nobody takes away what another one has just begun, so that all that is written is there."""
    for _ in range(10):
        file.unlink(missing_ok=True)
        if there == "another version":
            put(9, version=2)
        elif there == "damage":
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"no database" * 1000)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(put_together, [threading.Barrier(6)] * 6, range(6)))
        assert held() == list(range(6))


def test_what_another_version_held_is_dropped(file):
    """In the file that is there: who has it open goes on."""
    put(1, 2)
    before = file.stat().st_ino
    assert held(version=2) == []
    assert file.stat().st_ino == before


@pytest.mark.parametrize("spoil", ["a file", "a folder"])
def test_a_cache_that_cannot_be_used_costs_only_time(homes, file, monkeypatch, spoil):
    """What is worked out is there for this once."""
    if spoil == "a file":
        monkeypatch.setenv("FRACTURE_CACHE", __file__)
    else:
        file.mkdir(parents=True)
    with kept("some/base", SCHEMA, 1) as base:
        keep(base, INSERT, [(1,)])
        assert base.execute("SELECT number FROM seen").fetchall() == [(1,)]
    assert held() == []


def test_a_full_disk_costs_only_time(file):
    """What does not fit is not kept, and what is there stays."""
    put(1)
    with kept("some/base", SCHEMA, 1) as base:
        base.execute("PRAGMA max_page_count = 2")
        keep(base, INSERT, [(number,) for number in range(10_000)])
    assert held() == [1]
