"""Several data sets as one."""

from dataclasses import replace

import pytest

from fracture.data.combine import join
from fracture.data.dataset import scan
from fracture.errors import DatasetError
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from tests.support.drawing import draw_mura


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined") / "phantoms"
    write(folder, Plan(patients=8, seed=3, difficulty=0.5), lambda *_: None)
    return scan(folder)


def fractured(dataset):
    """The same images, in FracAtlas's words."""
    return replace(dataset, label_names=("not fractured", "fractured"))


def test_join_of_one_data_set_changes_nothing(drawn):
    first = scan(drawn)
    joined = join(first, [])
    assert joined.name == first.name and joined.table.drop(columns="data").equals(first.table)


def test_join_with_the_same_labels_keeps_names_unique(drawn, tmp_path):
    first, other = scan(drawn), scan(draw_mura(tmp_path / "second"))
    table = join(first, [other]).table
    assert len(table) == len(first.table) + len(other.table)
    assert table["image_id"].is_unique
    assert not set(table.loc[table["data"] == "second", "group"]) & set(first.table["group"])


def test_with_labels_of_phantoms_uses_their_findings(drawn, phantoms):
    """Hardware alone is no fracture, and its boxes are not those of one."""
    table = join(fractured(scan(drawn)), [phantoms]).table
    drawn_ones = table[table["data"] == "phantoms"]
    assert (drawn_ones["label"] == drawn_ones["findings"].str.contains("fracture")).all()
    assert (drawn_ones.loc[drawn_ones["findings"].str.contains("hardware"), "boxes"] == "").all()
    assert (drawn_ones.loc[drawn_ones["findings"] == "fracture", "boxes"] != "").any()


def test_join_of_other_labels_without_findings_is_refused(drawn, tmp_path):
    with pytest.raises(DatasetError, match="choose data sets with the same labels"):
        join(fractured(scan(drawn)), [scan(draw_mura(tmp_path / "second"))])


def test_join_of_two_with_one_name_is_refused(drawn):
    with pytest.raises(DatasetError, match="different names"):
        join(scan(drawn), [scan(drawn)])
