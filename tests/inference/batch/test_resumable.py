"""The files beside the results of a job."""

import pytest

from fracture.errors import FractureError
from fracture.inference.batch.resumable import Resumable


def test_resumable_with_the_same_settings_tells_what_counts(tmp_path):
    """As many bytes as were saved; none where the results themselves are gone."""
    path = tmp_path / "out.csv"
    job = Resumable(path, {"threshold": 0.5})
    job.part.write_text("x" * 40)
    job.save(30)
    job.release()
    again = Resumable(path, {"threshold": 0.5})
    assert again.saved_bytes == 30
    again.release()
    again.part.unlink()
    new = Resumable(path, {"threshold": 0.5})
    assert new.saved_bytes == 0
    new.end()
    assert list(tmp_path.iterdir()) == []


def test_resumable_with_other_settings_is_refused(tmp_path):
    """The sentence names what differs; nothing is lost."""
    path = tmp_path / "out.csv"
    job = Resumable(path, {"--threshold": 0.5, "--invert": True})
    job.part.write_text("x")
    job.release()
    with pytest.raises(FractureError, match=r"out\.csv\.part was begun with another --threshold\. Repeat that command"):
        Resumable(path, {"--threshold": 0.4, "--invert": True})
    assert job.part.read_text() == "x"


def test_resumable_while_another_process_writes_is_refused(tmp_path):
    """Two processes at once would answer everything twice."""
    job = Resumable(tmp_path / "out.csv", {})
    with pytest.raises(FractureError, match=r"Another process writes out\.csv"):
        Resumable(tmp_path / "out.csv", {})
    job.release()


def test_resumable_with_a_damaged_state_is_a_sentence(tmp_path):
    """It says which file to delete."""
    job = Resumable(tmp_path / "out.csv", {})
    job.part.write_text("x")
    job.release()
    (tmp_path / "out.csv.part.json").write_text("[]")
    with pytest.raises(FractureError, match=r"out\.csv\.part\.json is damaged\. Delete it to start over"):
        Resumable(tmp_path / "out.csv", {})
