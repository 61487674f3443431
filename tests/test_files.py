"""Files written whole or not at all."""

import json

import pytest

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
