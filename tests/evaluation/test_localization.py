"""Heat maps against known truth."""

import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture.evaluation import localization
from fracture.evaluation.localization import compare_shuffled, localize, mass_inside, pointing_game
from fracture.imaging.annotations import boxes_to_mask, encode_mask
from fracture.imaging.radiograph import Frame, unfit


def heat(peak: tuple[int, int], shape: tuple[int, int] = (10, 20)) -> np.ndarray:
    """A map with its peak in (row, column)."""
    rows, columns = np.indices(shape)
    return -np.hypot(rows - peak[0], columns - peak[1]).astype(np.float32)


@pytest.mark.parametrize(
    ("boxes", "hit"),
    [
        ([(15, 3, 2, 2)], True),
        ([(0, 0, 2, 2), (15, 3, 2, 2)], True),
        ([(3, 15, 2, 2)], False),  # rows and columns changed
        ([(16, 3, 2, 2)], False),  # one pixel to the right
        ([(13, 3, 2, 2)], False),  # its right edge is not inside
        ([], False),
    ],
)
def test_the_pointing_game_by_hand(boxes, hit):
    """The peak in row 4, column 15 must lie in one of the boxes, with no tolerance and whatever its sign."""
    assert pointing_game(heat((4, 15)), boxes) is hit


def test_a_flat_map_points_nowhere_and_a_flat_top_to_its_middle():
    """A map that is the same everywhere has no peak; where the highest values are equal, none is preferred."""
    assert not pointing_game(np.ones((8, 8), np.float32), [(0, 0, 8, 8)])
    top = np.zeros((8, 8), np.float32)
    top[:3, :3] = 1
    assert pointing_game(top, [(1, 1, 1, 1)])
    assert not pointing_game(top, [(0, 0, 1, 1)])
    corner = unfit(np.diag([5, 1, 0]).astype(np.float32), Frame(0, 0, 3, 3, 3), 90, 90)
    assert pointing_game(corner, [(5, 5, 5, 5)]), "half of a 30 px cell is flat towards the edges: 15 px"


def test_mass_by_hand():
    """Only the positive part counts; without any there is no share."""
    values = np.array([[3, 1], [-8, 0]], np.float32)
    assert mass_inside(values, np.array([[1, 0], [1, 0]], bool)) == pytest.approx(0.75)
    assert mass_inside(values, np.ones((2, 2), bool)) == 1
    assert mass_inside(values, np.array([[0, 0], [1, 1]], bool)) == 0
    assert math.isnan(mass_inside(-np.abs(values), np.ones((2, 2), bool)))


def images(folder, count: int, width: int = 40, height: int = 20, box=(30, 5, 4, 10)) -> pd.DataFrame:
    """A table of so many black images, each positive, of a patient of its own, and with the same box."""
    Image.new("L", (width, height)).save(folder / "black.png")
    names = [f"i{number}" for number in range(count)]
    text = " ".join(map(str, box))
    return pd.DataFrame(
        {"image_id": names, "path": str(folder / "black.png"), "label": 1, "group": names, "boxes": text, "mask": ""}
    )


def at(*peaks):
    """Gives a map for each image in turn, with its peak at (x, y) as shares of the image."""
    left = iter(peaks)

    def give(_, width, height):
        x, y = next(left)
        return heat((int(y * height), int(x * width)), (height, width))

    return give


def test_hits_are_counted_against_chance(tmp_path):
    """One of four maps points into a box of a twentieth of the image; without a mask, the box is the mask."""
    found = localize(images(tmp_path, 4), at((0.8, 0.5), (0.1, 0.5), (0.8, 0.1), (0.5, 0.5)))
    assert (found["images"], found["known"], found["groups"]) == (4, 4, 4)
    assert found["pointing"]["value"] == 0.25
    assert found["pointing"]["chance"] == pytest.approx(4 * 10 / (40 * 20))
    assert found["pointing"]["low"] < 0.25 < found["pointing"]["high"]
    assert found["silent"] == 4, "a map of negative values speaks nowhere for the label"
    assert found["mass"] == {"value": None, "low": None, "high": None, "chance": None}


def test_a_map_that_knows_nothing_reaches_chance_and_no_more(tmp_path):
    """Heat that is the same everywhere has in the mask what the mask has of the image, and never points into a box."""
    table = images(tmp_path, 3).assign(mask=encode_mask(boxes_to_mask([(30, 5, 4, 5)], 40, 20)))
    found = localize(table, lambda _, width, height: np.ones((height, width), np.float32))
    assert found["mass"]["value"] == pytest.approx(found["mass"]["chance"]) == pytest.approx(4 * 5 / (40 * 20))
    assert found["pointing"]["value"] == 0
    assert (found["flat"], found["silent"]) == (3, 0)


def test_large_images_are_measured_small_and_thin_masks_not_lost(tmp_path):
    """Maps have at most 256 px, boxes and masks are scaled along, and a line one pixel wide keeps its area."""
    line = np.zeros((512, 1024), bool)
    line[:, 700] = True
    table = images(tmp_path, 1, 1024, 512, (690, 100, 20, 300)).assign(mask=encode_mask(line))
    asked = []

    def give(image, width, height):
        asked.append((width, height))
        return heat((60, 175), (height, width)) + 500

    found = localize(table, give)
    assert asked == [(256, 128)]
    assert found["pointing"]["value"] == 1
    assert found["mass"]["chance"] == pytest.approx(1 / 1024, rel=0.02)
    assert found["pointing"]["chance"] == pytest.approx(20 * 300 / (1024 * 512))


@pytest.mark.parametrize(("box", "centre"), [((18, 8, 4, 4), 1), ((21, 8, 4, 4), 0), ((18, 11, 4, 4), 0)])
def test_pointing_at_the_middle_is_the_other_level_to_beat(tmp_path, box, centre):
    """What a map would reach that points at the middle of every image stands beside chance, whatever the map does."""
    found = localize(images(tmp_path, 2, box=box), at((0.1, 0.1), (0.9, 0.9)))
    assert (found["pointing"]["value"], found["pointing"]["centre"]) == (0, centre)


def test_intervals_are_by_group(tmp_path):
    """Images of fewer patients tell less; those of a single one give no interval at all."""
    table, peaks = images(tmp_path, 20), [(0.8, 0.5)] * 10 + [(0.1, 0.5)] * 10
    order = table["image_id"].map(localization.draw_key).rank().astype(int)  # the first ten looked at are hits

    def width(group) -> float:
        found = localize(table.assign(group=group), at(*peaks))["pointing"]
        return found["high"] - found["low"]

    assert width((order > 10).astype(str)) == 1, "two patients, one of them always hit: 0 to 1"
    assert 0.3 < width(table["image_id"]) < 0.55
    alone = localize(table.assign(group="p"), at(*peaks))["pointing"]
    assert (alone["value"], alone["low"], alone["high"]) == (0.5, None, None)


def test_only_positive_images_with_boxes_count_and_not_too_many(tmp_path, monkeypatch):
    """Negative images, those without truth and those beyond the limit are left aside; the draw ignores their order."""
    table = images(tmp_path, 12)
    table.loc[0, "label"], table.loc[1, "boxes"] = 0, ""
    monkeypatch.setattr(localization, "MAX_IMAGES", 5)
    seen = []

    def drawn(rows: pd.DataFrame) -> set[str]:
        for number in rows.index:
            Image.new("L", (40, 20), number).save(tmp_path / f"{number}.png")
        rows = rows.assign(path=[str(tmp_path / f"{number}.png") for number in rows.index])
        seen.clear()
        found = localize(rows, lambda image, w, h: seen.append(int(image.pixels[0, 0])) or np.ones((h, w), np.float32))
        assert (found["images"], found["known"]) == (5, 10)
        return set(seen)

    assert drawn(table) == drawn(table[::-1])
    assert not {0, 1} & drawn(table)
    assert localize(table[:2], at()) is None


def test_maps_of_a_shuffled_head_are_compared(tmp_path):
    """The same maps correlate fully, opposite ones fully the other way; flat ones tell nothing."""
    table = images(tmp_path, 3)

    def ramp(_image, width, height):
        return np.linspace(0, 1, width * height, dtype=np.float32).reshape(height, width)

    assert compare_shuffled(table, ramp, ramp)["correlation"] == pytest.approx(1)
    assert compare_shuffled(table, ramp, lambda *size: -ramp(*size))["correlation"] == pytest.approx(-1)
    flat = compare_shuffled(table, ramp, lambda _image, width, height: np.zeros((height, width), np.float32))
    assert flat == {"correlation": None, "pointing": 0.0}


def test_a_near_miss_and_what_is_found_are_told_apart(tmp_path):
    """A peak just beside the box is near it; of the images that the model finds, the share is told apart."""
    table = images(tmp_path, 2).assign(found=[True, False])

    def beside(_image, width, height):  # the box is 30 to 34 of 40 across, 5 to 15 of 20 down
        made = np.zeros((height, width), np.float32)
        made[height // 2, 29] = 1
        return made

    found = localize(table, beside)
    assert found["pointing"]["value"] == 0 and found["pointing"]["near"]["value"] == 1
    assert found["found"]["images"] == 1 and found["found"]["pointing"]["near"]["value"] == 1
