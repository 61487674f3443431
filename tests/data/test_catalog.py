"""Which images are seen, and in which order."""

import pytest

from fracture.data.catalog import NO_DECISION, Steps, Wanted, catalogue, select, steps
from fracture.data.dataset import scan
from tests.support.drawing import draw_mura


@pytest.fixture
def found(tmp_path):
    root = draw_mura(tmp_path / "MURA-v1.1")
    study = next(root.rglob("study1_positive"))
    for number in range(1, 12):
        (study / f"image{number}.png").write_bytes(next(study.glob("*.png")).read_bytes())
    return scan(root)


def test_views_come_in_the_order_of_their_numbers(found):
    """The tenth after the ninth, and those of a study together."""
    known = catalogue(found)
    long = known[known["views"] == 11]
    assert list(long["view"]) == [f"image{number}" for number in range(1, 12)]
    changes = (known["study"] != known["study"].shift().fillna("")).sum()
    assert changes == known["study"].nunique()
    assert sorted(known["image_id"]) == sorted(found.table["image_id"])


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Wanted(split=["valid"]), lambda row: row.split == "valid"),
        (Wanted(label=[1], split=["train"]), lambda row: row.label == 1 and row.split == "train"),
        (Wanted(views=(11, 11)), lambda row: row.views == 11),
        (Wanted(longer_side=(1, 63)), lambda row: max(row.width, row.height) < 64),
        (Wanted(decision=["exclude"]), lambda row: row.decision == "exclude"),
        (Wanted(decision=[NO_DECISION]), lambda row: row.decision == NO_DECISION),
        (Wanted(text="PATIENT00002"), lambda row: "patient00002" in row.image_id),
    ],
)
def test_what_is_wanted_is_all_that_is_seen(found, wanted, holds):
    """And all of it, in reading order."""
    ids = found.table["image_id"]
    known = catalogue(found, decisions={ids[0]: "exclude", ids[1]: "keep"})
    expected = [row.image_id for row in known.itertuples() if holds(row)]
    assert list(select(known, wanted)["image_id"]) == expected


def test_images_of_a_finding_come_in_its_order(found):
    """Twins stand beside each other; images that are gone are left out."""
    ids = list(found.table["image_id"][[7, 2, 5]])
    assert list(select(catalogue(found), Wanted(image_ids=[*ids, "gone.png"]))["image_id"]) == ids


@pytest.mark.parametrize("descending", [True, False])
def test_what_is_unknown_comes_last(found, descending):
    """Whichever way it is sorted."""
    ids = found.table["image_id"]
    known = catalogue(found, brightness={ids[0]: 9.0, ids[1]: 100.0})
    seen = list(select(known, Wanted(), "brightness", descending)["image_id"])
    assert seen[:2] == ([ids[1], ids[0]] if descending else [ids[0], ids[1]])
    assert len(seen) == len(ids)


def test_the_ways_on_from_an_image():
    """View by view, study by study, to the ends of what is seen."""
    studies = ["a", "a", "b", "b", "c"]
    assert steps(studies, 0) == Steps(before=None, after=1, study_before=None, study_after=2)
    assert steps(studies, 3) == Steps(before=2, after=4, study_before=0, study_after=4)
    assert steps(studies, 4) == Steps(before=3, after=None, study_before=2, study_after=None)
