"""The SHA-256 of image files, kept."""

from pathlib import Path

import pandas as pd

from fracture.data import digests as module
from fracture.data.digests import digests, known_digests
from fracture.data.measurements import measure
from fracture.files import file_sha256


def test_digests_are_computed_once_and_again_for_a_changed_file(homes, monkeypatch):
    """A file is opened the first time and after it has changed; one that cannot be read has none."""
    opened = []
    monkeypatch.setattr(module, "file_sha256", lambda path: opened.append(path.name) or file_sha256(path))
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
