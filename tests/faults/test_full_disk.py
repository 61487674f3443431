"""A disk that becomes full, or may not be written to: a sentence, and nothing that was whole is harmed."""

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from fracture import files
from fracture.data.dataset import scan
from fracture.data.decisions import decide
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError, ModelError, RunError
from fracture.files import write_json
from fracture.registry.edit import rename_model, replace_model, staging_folder, write_note
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.training.backbone.features import Preparation, feature_cache
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from fracture.training.weights import Weights


@pytest.fixture
def full_disk(monkeypatch):
    """From now on the system finds no room for what is to be settled on the disk."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(files.os, "fsync", refuse)


def sums(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_what_people_change_of_a_model_leaves_it_as_it_was(homes, make_model, full_disk):
    """A note is refused in words; a new name is the folder's, and its files are whole."""
    folder = make_model("m")
    before = sums(folder.path)
    full_disk()
    with pytest.raises(ModelError, match="cannot be written: No space left on device"):
        write_note(folder, "words")
    assert sums(folder.path) == before
    renamed = rename_model(folder, "other")
    assert read_card(renamed).name == "other"
    assert list(sums(renamed.path).values()) == list(before.values())


def test_no_training_is_begun_that_could_not_be_kept(homes, drawn, make_model, full_disk):
    """The finished ones beside it stay as they are, and its name stays free."""
    before = sums(make_model("m").path)
    full_disk()
    with pytest.raises(RunError, match="cannot be written to: No space left on device"):
        queue.start(TrainConfig(data=str(drawn), name="new", weights="none"))
    assert sums(homes / "models" / "m") == before
    assert queue.find_run(ModelFolder(homes / "models" / "new")) is None


def test_decisions_that_were_made_stay(tmp_path, home_with_data, full_disk):
    """The new one is refused in words."""
    root = home_with_data / "data" / "drawn"
    images = scan(root).table["image_id"]
    decide(root, images[:1], "exclude")
    before = (root / "curation.csv").read_bytes()
    full_disk()
    with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
        decide(root, images[1:2], "exclude")
    assert (root / "curation.csv").read_bytes() == before


def test_the_model_before_stays_until_the_new_one_is_whole(homes, make_model):
    """A training that was gone on with, and cannot be saved, costs nothing of what it had left before."""
    folder = make_model("m")
    before = sums(folder.path)
    with pytest.raises(OSError, match="No space"), staging_folder(folder) as aside:
        aside.served_model.write_bytes(b"new")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert sums(folder.path) == before
    (folder.path / ".new").mkdir()  # left by a process that was killed
    with staging_folder(folder) as aside:
        aside.served_model.write_bytes(b"new")
    replace_model(aside, folder, {**read_card(folder).document, "epochs_done": 99})
    assert (read_card(folder).epochs_done, folder.served_model.read_bytes()) == (99, b"new")
    assert folder.predictions.exists() and not aside.path.exists()


def test_caches_that_cannot_be_used_cost_time_alone(homes, drawn, monkeypatch):
    """A file where their folder should be, one that is locked, one that is full: what is asked is answered."""
    weights = Weights("none", "", "", (0.0, 1.0), "x")
    preparation = Preparation(75, "stretch", (0.0, 1.0))
    image, other = "ab" * 32, "cd" * 32
    vector = np.ones((1, 2048), np.float32)
    with feature_cache(weights, preparation) as cache:
        cache.put([image], vector)
        cache._base.execute("PRAGMA max_page_count = 1")  # no less than the file has: full
        cache.put([other], vector)
        assert list(cache.get([image, other])) == [image]
    (homes / "file").write_text("in the way")
    monkeypatch.setenv("FRACTURE_CACHE", str(homes / "file" / "cache"))
    with feature_cache(weights, preparation) as cache:
        cache.put([image], vector)
    with feature_cache(weights, preparation) as cache:
        assert cache.get([image]) == {}
    assert len(find_or_scan(drawn).table) == len(scan(drawn).table)


def test_what_has_its_name_is_on_the_disk(tmp_path, monkeypatch):
    """The file is settled before it is renamed, and its folder afterwards: the power may fail at any moment."""
    seen, fsync, place = [], os.fsync, tmp_path / "card.json"

    def note(handle):
        seen.append((Path(f"/proc/self/fd/{handle}").readlink() == tmp_path, place.exists()))
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", note)
    write_json(place, {"a": 1})
    assert seen == [(False, False), (True, True)]
