import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from fracture.data import measurements
from fracture.data.dataset import scan
from fracture.data.measurements import MEASUREMENT_COLUMNS, digests, known_digests, measure, measured
from fracture.files import file_sha256
from fracture.imaging.radiograph import PREPROCESSING_VERSION
from fracture.parallel import Workplace
from tests.support.drawing import draw_mura


@pytest.fixture
def table(homes):
    """The table of a drawn data set that a test may spoil, with an empty cache."""
    return scan(draw_mura(homes / "mura", 3, 2)).table


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are opened to be measured."""
    names = []
    look = measurements._measure
    monkeypatch.setattr(measurements, "_measure", lambda state: [names.append(state.path), look(state)][1])
    return names


def cache(homes: Path) -> Path:
    return homes / "cache" / "measurements" / "images.sqlite"


def test_measure_gives_a_row_for_each_image(table):
    """Rows have the order and the index of the table, whatever they are."""
    shuffled = table.sample(frac=1, random_state=0)
    found = measure(shuffled)
    assert tuple(found) == MEASUREMENT_COLUMNS
    assert found["image_id"].tolist() == shuffled["image_id"].tolist()
    assert found.index.equals(shuffled.index)
    assert found["readable"].all() and (found["problem"] == "").all()
    assert found["sha256"].tolist() == [file_sha256(Path(path)) for path in shuffled["path"]]
    assert found["mean"].between(20, 120).all()


def test_measure_unreadable_file_says_why(table):
    """A file cut short, and one that is gone: a sentence each, and no measures."""
    cut, gone = Path(table["path"][0]), Path(table["path"][1])
    cut.write_bytes(cut.read_bytes()[:-400])
    gone.unlink()
    found = measure(table).iloc[:2]
    assert not found["readable"].any()
    assert found["problem"].tolist() == [
        f"{cut.name} cannot be read: this PNG file is damaged or cut short.",
        f"{gone.name} cannot be found.",
    ]
    assert [len(digest) for digest in found["sha256"]] == [64, 0]
    assert found["mean"].isna().all() and (found["phash"] == "").all()


def test_measure_opens_a_file_once(table, opened):
    """The second time all rows come from the cache, and are the same."""
    first = measure(table)
    assert sorted(opened) == sorted(table["path"])
    opened.clear()
    pd.testing.assert_frame_equal(measure(table), first)
    pd.testing.assert_frame_equal(measured(table), first)
    assert opened == []


def test_measure_opens_a_changed_file_again(table, opened):
    """By its size, or by its time where the size is the same; the others are not."""
    measure(table)
    opened.clear()
    longer, later = table["path"][0], table["path"][1]
    Path(longer).write_bytes(Path(table["path"][2]).read_bytes() + b"more")
    os.utime(later, ns=(1, 1))
    assert len(measured(table)) == len(table) - 2
    measure(table)
    assert sorted(opened) == sorted([longer, later])


def test_measured_opens_no_file(table, opened):
    """Only cached rows come back; a missing file is one that cannot be read."""
    assert measured(table).empty
    measure(table[:3])
    Path(table["path"][4]).unlink()
    opened.clear()
    assert measured(table)["image_id"].tolist() == table["image_id"][[0, 1, 2, 4]].tolist()
    assert opened == []


def test_measure_reports_progress_from_the_cached_rows_on(table, monkeypatch):
    """The first report has the cached rows, the last one all of them."""
    monkeypatch.setattr(measurements, "FILES_PER_CHUNK", 2)
    measure(table[:3])
    said = []
    measure(table, lambda done, total: said.append((done, total)))
    assert said[0] == (3, len(table)) and said[-1] == (len(table), len(table))
    assert said == sorted(said)


def test_measure_stopped_keeps_the_chunks_until_then(table, monkeypatch, opened):
    """Stopped after the first chunk, that chunk is told, and is not computed again."""
    monkeypatch.setattr(measurements, "FILES_PER_CHUNK", 2)
    answers = iter([False, True])
    assert measure(table, should_stop=lambda: next(answers))["image_id"].tolist() == table["image_id"][:2].tolist()
    opened.clear()
    assert len(measure(table)) == len(table)
    assert sorted(opened) == sorted(table["path"][2:])


def test_measure_failure_loses_one_chunk_at_most(table, monkeypatch):
    """An interruption loses the current chunk at most."""
    monkeypatch.setattr(measurements, "FILES_PER_CHUNK", 2)

    def interrupt(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(table, interrupt)
    assert len(measured(table)) >= 4


@pytest.mark.parametrize("damage", [b"no database", b"", None])
def test_measure_with_a_damaged_cache_measures_again(table, homes, damage):
    """Overwritten, emptied, or damaged in the middle."""
    first = measure(table)
    whole = cache(homes).read_bytes()
    cache(homes).write_bytes(whole[:5000] + b"\xff" * 3000 + whole[8000:] if damage is None else damage)
    assert measured(table).empty
    pd.testing.assert_frame_equal(measure(table), first)


def test_measure_of_another_version_measures_again(table, monkeypatch):
    """Once the statistics are computed in another way, cached rows are not used."""
    measure(table)
    monkeypatch.setattr(measurements, "MEASUREMENTS_VERSION", measurements.MEASUREMENTS_VERSION + 1)
    assert measured(table).empty


def test_measure_with_the_cache_of_an_earlier_version_measures_again(table, homes):
    """A cache with fewer columns, as version 2 wrote it, is begun from scratch and not misread."""
    cache(homes).parent.mkdir(parents=True)
    with closing(sqlite3.connect(cache(homes))) as old, old:
        old.execute("CREATE TABLE images (path TEXT PRIMARY KEY, size, changed, problem, sha256, mean) WITHOUT ROWID")
        state = measurements.file_state(table["path"][0])
        old.execute("INSERT INTO images VALUES (?, ?, ?, '', 'digest', 12.5)", state)
        old.execute(f"PRAGMA user_version = {2000 + PREPROCESSING_VERSION}")
    assert measured(table).empty
    first = measure(table)
    assert first["sha256"].map(len).eq(64).all() and first["sharpness"].gt(0).all()
    pd.testing.assert_frame_equal(measured(table), first)


def test_measure_of_no_images_has_no_rows(homes):
    """A data set without images has measurements without rows."""
    found = measure(pd.DataFrame({"image_id": [], "path": []}, dtype=str))
    assert found.empty and tuple(found) == MEASUREMENT_COLUMNS


def test_digests_are_computed_once_and_again_for_a_changed_file(homes, monkeypatch):
    """A file is opened the first time and after it has changed; one that cannot be read has none."""
    opened = []
    monkeypatch.setattr(measurements, "file_sha256", lambda path: opened.append(path.name) or file_sha256(path))
    paths = [str(homes / name) for name in ("a", "b", "gone")]
    for path in paths[:2]:
        (homes / path).write_bytes(path.encode())
    assert known_digests(paths) == {}
    first = digests(paths)
    assert first[:2] == [file_sha256(homes / path) for path in paths[:2]] and first[2] == ""
    assert known_digests(paths) == dict(zip(paths[:2], first, strict=False))

    opened.clear()
    (homes / "b").write_bytes(b"other")
    assert "b" not in {Path(path).name for path in known_digests(paths)}
    assert digests([*paths, paths[0]])[::3] == [first[0], first[0]]
    assert opened == ["b", "gone"]


def test_digests_of_measured_images_are_known(homes, drawn):
    """Whoever has looked at the pixels knows the files as well."""
    paths = [str(path) for path in sorted(drawn.rglob("*.png"))[:3]]
    measure(pd.DataFrame({"image_id": paths, "path": paths}))
    assert known_digests(paths) == {path: file_sha256(drawn / path) for path in paths}


@pytest.mark.slow
def test_measure_by_processes_gives_the_same(table, homes, monkeypatch):
    """Two processes measure as the threads of this one do."""
    alone = measure(table)
    cache(homes).unlink()
    monkeypatch.setattr(measurements, "FILES_PER_CHUNK", 4)
    told = []
    again = measure(table, lambda done, _: told.append(done), by=Workplace(processes=2))
    pd.testing.assert_frame_equal(alone, again)
    assert told[0] == 0 and told[-1] == len(table)
