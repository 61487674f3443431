"""Files written whole or not at all."""

import json

import numpy as np
import pytest

from fracture import files
from fracture.files import atomic_write, write_json


def test_atomic_write_that_fails_leaves_the_old_file(tmp_path):
    """Files are replaced whole or not at all, and nothing half-written stays behind."""
    path = tmp_path / "card.json"
    write_json(path, {"a": 1})

    def breaks(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomic_write(path, breaks)
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["", "text", "PK\x03\x04", "one array", "cut"])
def test_read_arrays_of_damage_is_a_value_error(tmp_path, damage):
    """Whatever NumPy or zipfile would say; also of a single array, which is no archive."""
    path = tmp_path / "arrays.npz"
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.arange(3))
    elif damage == "cut":
        np.savez(path, first=np.arange(300))
        path.write_bytes(path.read_bytes()[:-40])
    else:
        path.write_text(damage)
    with pytest.raises(ValueError, match=r"arrays\.npz holds no arrays"):
        files.read_arrays(path)


def test_read_arrays_gives_what_was_saved_and_no_pickled_object(tmp_path):
    """A missing file is an error of its own."""
    path = tmp_path / "arrays.npz"
    with pytest.raises(FileNotFoundError):
        files.read_arrays(path)
    np.savez(path, first=np.arange(3))
    assert files.read_arrays(path)["first"].tolist() == [0, 1, 2]
    np.savez(path, first=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="holds no arrays"):
        files.read_arrays(path)
