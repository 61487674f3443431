"""SQLite caches, whatever becomes of their files."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fracture.cache import find_rows, open_cache, write_rows

SCHEMA = "CREATE TABLE IF NOT EXISTS seen (number INTEGER)"
INSERT = "INSERT INTO seen VALUES (?)"


def put(*numbers: int, version: int = 1) -> None:
    with open_cache("some/base", SCHEMA, version) as cache:
        write_rows(cache, INSERT, [(number,) for number in numbers])


def put_together(start: threading.Barrier, number: int) -> None:
    start.wait()
    put(number)


def held(version: int = 1) -> list[int]:
    with open_cache("some/base", SCHEMA, version) as cache:
        return sorted(number for (number,) in cache.execute("SELECT number FROM seen"))


@pytest.fixture
def file(homes):
    return homes / "cache" / "some" / "base.sqlite"


@pytest.mark.slow
@pytest.mark.parametrize("there", ["nothing", "another version", "damage"])
def test_open_cache_by_six_at_once_shares_one_file(file, there):
    """Nobody deletes a file that another one has just begun, so that all that is written is there."""
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


def test_open_cache_of_another_version_drops_its_rows(file):
    """The tables are dropped in the file that is there: who has it open goes on."""
    put(1, 2)
    before = file.stat().st_ino
    assert held(version=2) == []
    assert file.stat().st_ino == before


@pytest.mark.parametrize("spoil", ["a file", "a folder"])
def test_open_cache_in_an_unusable_folder_is_in_memory(homes, file, monkeypatch, spoil):
    """What is computed is there for this once."""
    if spoil == "a file":
        monkeypatch.setenv("FRACTURE_CACHE", __file__)
    else:
        file.mkdir(parents=True)
    with open_cache("some/base", SCHEMA, 1) as cache:
        write_rows(cache, INSERT, [(1,)])
        assert cache.execute("SELECT number FROM seen").fetchall() == [(1,)]
    assert held() == []


def test_write_rows_to_a_full_disk_keeps_what_is_there(file):
    """What does not fit is not written, and what is there stays."""
    put(1)
    with open_cache("some/base", SCHEMA, 1) as cache:
        cache.execute("PRAGMA max_page_count = 2")
        write_rows(cache, INSERT, [(number,) for number in range(10_000)])
    assert held() == [1]


def test_open_cache_of_version_0_keeps_the_table_of_a_file_without_a_version(file):
    """Caches that were written before they had a version are still read."""
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as before:
        before.execute(SCHEMA)
        before.execute(INSERT, (7,))
    before.close()
    assert held(version=0) == [7]


def test_find_rows_gives_those_that_are_wanted_again_and_again(file):
    """Any number of keys may be asked for, known ones or not, as often as one likes."""
    put(*range(50_000))
    with open_cache("some/base", SCHEMA, 1) as cache:
        for _ in range(2):
            rows = find_rows(cache, "seen", ["number"], [(number,) for number in range(40_000, 90_000)])
            assert sorted(rows) == [(number,) for number in range(40_000, 50_000)]


def test_find_rows_in_a_table_that_is_gone_finds_nothing(file):
    """What another process has dropped meanwhile is computed again."""
    put(1)
    with open_cache("some/base", SCHEMA, 1) as cache:
        cache.execute("DROP TABLE seen")
        assert find_rows(cache, "seen", ["number"], [(1,)]) == []
