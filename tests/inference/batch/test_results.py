"""Answers on disk, and what an interruption leaves of them."""

import csv

import pytest
from pyarrow import parquet

from fracture.errors import FractureError
from fracture.inference.batch import results
from fracture.inference.batch.answering import Failure, Study, StudyAnswer
from fracture.inference.batch.results import open_results

SETTINGS = {"--threshold": None}


def answer(name, sentence=""):
    """An answer for a file, or the failure to give one."""
    study = Study(name, (name,))
    if sentence:
        return StudyAnswer(study, [], [Failure(name, sentence)])
    return StudyAnswer(study, [{"kind": "image", "study": name, "image": name, "probability": 0.25}], [])


def written(path):
    """The studies of all rows, in their order."""
    if path.is_dir():
        return [name for part in sorted(path.iterdir()) for name in parquet.read_table(part)["study"].to_pylist()]
    with path.open(newline="") as file:
        return [row["study"] for row in csv.DictReader(file)]


@pytest.fixture(params=["out.csv", "out.parquet"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_results_finished_are_under_their_name_alone(path):
    """Nothing else stays beside them, and nothing is there before."""
    file = open_results(path, SETTINGS)
    file.add([answer("a"), answer("b", "b cannot be read.")])
    assert not path.exists()
    file.finish()
    file.close()
    assert written(path) == ["a", "b"] and list(path.parent.iterdir()) == [path]


def test_results_of_files_without_answer_are_rows(path):
    """Their status is ``failed``, and a column has the sentence."""
    file = open_results(path, SETTINGS)
    file.add([answer("b", "b cannot be read.")])
    file.finish()
    if path.is_dir():
        row = parquet.read_table(path).to_pylist()[0]
    else:
        with path.open() as lines:
            row = next(csv.DictReader(lines))
    assert (row["status"], row["error"], row["image"]) == ("failed", "b cannot be read.", "b")


def test_results_closed_early_are_resumed(path):
    """The second process knows the studies of the first one, and adds to them."""
    first = open_results(path, SETTINGS)
    first.add([answer("a"), answer("b")])
    first.close()
    second = open_results(path, SETTINGS)
    done = second.done()
    assert "a" in done and "b" in done and "c" not in done
    second.add([answer("c")])
    second.finish()
    assert written(path) == ["a", "b", "c"]


def test_results_with_a_cut_line_count_what_was_saved(tmp_path):
    """What was written after the last state, half a line or a quoted line break among it, is cut off."""
    path = tmp_path / "out.csv"
    first = open_results(path, SETTINGS)
    first.add([answer("a\nwith a line break")])
    first.close()
    part = tmp_path / "out.csv.part"
    part.write_bytes(part.read_bytes() + b'image,"half\n of a')
    second = open_results(path, SETTINGS)
    assert "a\nwith a line break" in second.done() and len(second.done()) == 1
    second.add([answer("b")])
    second.finish()
    assert written(path) == ["a\nwith a line break", "b"]


def test_results_are_saved_while_the_job_runs(path, monkeypatch):
    """Without a close, as after ``kill -9``: what was saved counts."""
    monkeypatch.setattr(results, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(results, "PART_ROWS", 1)
    first = open_results(path, SETTINGS)
    first.add([answer("a")])
    first._job.release()  # a killed process holds no lock
    assert "a" in open_results(path, SETTINGS).done()


def test_results_of_an_earlier_job_are_replaced(path):
    """A finished job is no interrupted one: it starts over, and its results take the place of the old ones."""
    for name in ("a", "b"):
        file = open_results(path, SETTINGS)
        assert len(file.done()) == 0
        file.add([answer(name)])
        file.finish()
    assert written(path) == ["b"]


def test_results_never_delete_a_folder_of_other_files(tmp_path):
    """A folder in the place of Parquet files stays as it is."""
    path = tmp_path / "out.parquet"
    path.mkdir()
    (path / "thesis.doc").touch()
    file = open_results(path, SETTINGS)
    with pytest.raises(FractureError, match=r"holds other files, such as thesis\.doc"):
        file.finish()
    assert (path / "thesis.doc").exists()


def test_results_without_any_study_are_empty(path):
    """A CSV file has its header, a folder one file without rows."""
    open_results(path, SETTINGS).finish()
    assert written(path) == []


def test_results_in_a_missing_folder_are_a_sentence(tmp_path):
    """Before any work is done."""
    with pytest.raises(FractureError, match=r"There is no folder .*nowhere to write out\.csv into"):
        open_results(tmp_path / "nowhere" / "out.csv", SETTINGS)
