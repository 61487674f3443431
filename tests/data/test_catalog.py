"""Which images are seen, and in which order."""

import pytest

from fracture.data.catalog import NO_DECISION, ImageFilter, Neighbors, build_catalog, filter_images, neighbors
from fracture.data.dataset import scan
from tests.support.drawing import draw_mura


@pytest.fixture
def found(tmp_path):
    root = draw_mura(tmp_path / "MURA-v1.1")
    study = next(root.rglob("study1_positive"))
    for number in range(1, 12):
        (study / f"image{number}.png").write_bytes(next(study.glob("*.png")).read_bytes())
    return scan(root)


def test_build_catalog_sorts_views_by_number(found):
    """View 10 comes after view 9, and those of a study stand together."""
    known = build_catalog(found)
    long = known[known["views"] == 11]
    assert list(long["view"]) == [f"image{number}" for number in range(1, 12)]
    changes = (known["study"] != known["study"].shift().fillna("")).sum()
    assert changes == known["study"].nunique()
    assert sorted(known["image_id"]) == sorted(found.table["image_id"])


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (ImageFilter(split=["valid"]), lambda row: row.split == "valid"),
        (ImageFilter(label=[1], split=["train"]), lambda row: row.label == 1 and row.split == "train"),
        (ImageFilter(views=(11, 11)), lambda row: row.views == 11),
        (ImageFilter(longer_side=(1, 63)), lambda row: max(row.width, row.height) < 64),
        (ImageFilter(decision=["exclude"]), lambda row: row.decision == "exclude"),
        (ImageFilter(decision=[NO_DECISION]), lambda row: row.decision == NO_DECISION),
        (ImageFilter(text="PATIENT00002"), lambda row: "patient00002" in row.image_id),
    ],
)
def test_filter_images_gives_all_that_pass(found, wanted, holds):
    """In reading order."""
    ids = found.table["image_id"]
    known = build_catalog(found, decisions={ids[0]: "exclude", ids[1]: "keep"})
    expected = [row.image_id for row in known.itertuples() if holds(row)]
    assert list(filter_images(known, wanted)["image_id"]) == expected


def test_filter_images_by_ids_keeps_their_order(found):
    """Duplicates stand side by side; images that are gone are left out."""
    ids = list(found.table["image_id"][[7, 2, 5]])
    assert list(filter_images(build_catalog(found), ImageFilter(image_ids=[*ids, "gone.png"]))["image_id"]) == ids


@pytest.mark.parametrize("descending", [True, False])
def test_filter_images_sorts_missing_values_last(found, descending):
    """In both directions."""
    ids = found.table["image_id"]
    known = build_catalog(found, brightness={ids[0]: 9.0, ids[1]: 100.0})
    seen = list(filter_images(known, ImageFilter(), "brightness", descending)["image_id"])
    assert seen[:2] == ([ids[1], ids[0]] if descending else [ids[0], ids[1]])
    assert len(seen) == len(ids)


def test_the_ways_on_from_an_image():
    """View by view, study by study, to the ends of what is seen."""
    studies = ["a", "a", "b", "b", "c"]
    assert neighbors(studies, 0) == Neighbors(before=None, after=1, study_before=None, study_after=2)
    assert neighbors(studies, 3) == Neighbors(before=2, after=4, study_before=0, study_after=4)
    assert neighbors(studies, 4) == Neighbors(before=3, after=None, study_before=2, study_after=None)
