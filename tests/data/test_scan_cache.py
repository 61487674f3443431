"""Looking a folder's table up instead of reading it again."""

import os
from dataclasses import fields

import pandas as pd
import pytest

from fracture.data import scan_cache
from fracture.data.dataset import scan
from fracture.data.decisions import decide
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError
from tests.support.drawing import draw_mura


@pytest.fixture
def scans(monkeypatch):
    """The folders that were really read."""
    read = []
    monkeypatch.setattr(scan_cache, "scan", lambda folder: read.append(folder) or scan(folder))
    return read


def same(one, other):
    pd.testing.assert_frame_equal(one.table, other.table)
    names = [field.name for field in fields(one) if field.name not in ("table", "version")]
    assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


def test_find_or_scan_second_time_opens_no_image(homes, scans, tmp_path):
    """Table, types, names and sources are as if scanned."""
    root = draw_mura(tmp_path / "MURA-v1.1", truth=True)
    first = find_or_scan(root)
    second = find_or_scan(root)
    assert len(scans) == 1
    same(first, scan(root))
    same(second, first)
    assert second.version == first.version != ""
    assert second.table.dtypes.to_dict() == first.table.dtypes.to_dict()


def change(root, what):
    image = sorted(root.rglob("*.png"))[0]
    if what == "an image goes":
        image.unlink()
    elif what == "an image changes":
        os.utime(image, ns=(1, 1))
    elif what == "an image comes":
        (image.parent / "image9.png").write_bytes(image.read_bytes())
    elif what == "the list changes":
        (root / "truth.csv").write_text("image,view,boxes,mask\n")


@pytest.mark.parametrize("what", ["an image goes", "an image changes", "an image comes", "the list changes"])
def test_find_or_scan_after_a_change_scans_again(homes, scans, tmp_path, what):
    """All that a scan depends on makes it scan again."""
    root = draw_mura(tmp_path / "MURA-v1.1", truth=True)
    find_or_scan(root)
    change(root, what)
    same(find_or_scan(root), scan(root))
    assert len(scans) == 2


def test_find_or_scan_notices_the_truth_above(homes, scans, tmp_path):
    """A part of a tree has its truth at the root."""
    root = draw_mura(tmp_path / "MURA-v1.1", truth=True)
    find_or_scan(root / "train")
    change(root, "the list changes")
    assert (find_or_scan(root / "train").table["boxes"] == "").all() and len(scans) == 2


def test_find_or_scan_with_a_damaged_cache_scans_again(homes, scans, drawn):
    """A kept table that cannot be read is made anew."""
    find_or_scan(drawn)
    kept = next((homes / "cache" / "index").iterdir())
    kept.write_bytes(kept.read_bytes()[:100])
    same(find_or_scan(drawn), scan(drawn))
    assert len(scans) == 2
    find_or_scan(drawn)
    assert len(scans) == 2


def test_find_or_scan_without_a_writable_cache_scans(homes, scans, drawn, monkeypatch):
    """The data set is there all the same."""
    (homes / "cache" / "index").write_text("a file where the folder should be")
    same(find_or_scan(drawn), scan(drawn))


def test_find_or_scan_does_not_cache_errors(homes, tmp_path):
    """An error is not kept."""
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        with pytest.raises(DatasetError, match="must be one of"):
            find_or_scan(tmp_path / "empty")


def test_find_or_scan_ignores_decisions(homes, scans, tmp_path):
    """Nor does any other file matter that a scan does not read."""
    root = draw_mura(tmp_path / "MURA-v1.1")
    find_or_scan(root)
    decide(root, ["a.png"], "exclude")
    find_or_scan(root)
    assert len(scans) == 1


def test_find_or_scan_notices_a_changed_bit(homes, scans, drawn):
    """Wherever it lies, the folder is scanned again, and no other table is shown."""
    first = find_or_scan(drawn)
    kept = next((homes / "cache" / "index").iterdir())
    content = kept.read_bytes()
    for place in range(0, len(content), len(content) // 20):
        kept.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        same(find_or_scan(drawn), first)
    assert len(scans) == 1 + len(range(0, len(content), len(content) // 20))
