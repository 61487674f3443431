"""Which property gives the label away: found where there is one, and not where there is none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fracture.data.dataset import scan
from fracture.data.measurements import measure, measured
from fracture.evaluation.metrics import area
from fracture.evaluation.properties import associations
from fracture.evaluation.properties.associations import (
    associate,
    cached_associations,
    find_associations,
    problem,
    to_table,
)
from fracture.evaluation.properties.values import CATEGORIES, NUMBERS
from tests.support.drawing import draw_tall


def values(count: int = 400, groups: int = 100, **columns: object) -> pd.DataFrame:
    """Images whose properties are the same for all, but for ``columns``; every other group is positive."""
    group = np.arange(count) * groups // count
    same: dict[str, object] = {each.name: 1.0 for each in NUMBERS} | {each.name: "" for each in CATEGORIES}
    return pd.DataFrame({"label": group % 2, "group": group.astype(str), **same, **columns})


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_associate_height_that_gives_the_label_away_is_the_strongest():
    """By the AUC of scikit-learn, with the interval of our own AUC over the same groups."""
    table = values(brightness=random(1).normal(size=400))
    table["height"] = np.rint(random().normal(size=400) * 20 + 30 * table["label"])
    first, second = associate(table)
    assert (first.name, second.name) == ("height", "brightness")
    assert first.significant and first.is_strong and not second.significant
    expected = area(table["label"].to_numpy(), table["height"].to_numpy(), table["group"])
    assert first.auc == pytest.approx(expected)
    assert first.auc["value"] == pytest.approx(roc_auc_score(table["label"], table["height"]))
    assert first.sentence("fractured").startswith("Image height alone predicts the label with AUC 0.8")
    assert first.sentence("fractured").endswith("): taller images are more often fractured.")


def test_associate_opposite_order_names_the_other_direction():
    """Where lower values are positive more often, the AUC is turned around, and so are its bounds."""
    table = values()
    table["width"] = random().normal(size=400) - 2.0 * table["label"]
    (found,) = associate(table)
    assert found.direction == "narrower images"
    assert 0.5 < found.auc["low"] < found.auc["value"] < found.auc["high"] <= 1


def test_associate_many_values_are_ranked_coarsely_without_harm():
    """The ranks of thousands of different values move an AUC by less than 0.002."""
    table = values(3000, 300)
    table["contrast"] = random().normal(size=3000) + table["label"]
    (found,) = associate(table)
    assert found.auc["value"] == pytest.approx(roc_auc_score(table["label"], table["contrast"]), abs=0.002)


def test_associate_file_format_of_one_label_is_found():
    """Nine in ten positive images are DICOM, one in ten of the others."""
    table = values()
    is_dicom = random().random(400) < np.where(table["label"] == 1, 0.9, 0.1)
    table["file_format"] = np.where(is_dicom, "DICOM", "PNG")
    (found,) = associate(table)
    assert found.auc["value"] == pytest.approx(roc_auc_score(table["label"], is_dicom), abs=0.01)
    assert found.significant and found.direction == "DICOM images"


@pytest.mark.parametrize("categories", [2, 20, 200])
def test_associate_category_at_random_does_not_flatter_itself(categories):
    """A share by category of the images themselves would give up to 0.9; cross-fitted, it is 0.5 but for noise."""
    found = []
    for seed in range(10):
        table = values(body_part=random(seed).integers(0, categories, 400).astype(str))
        found += [each.auc["value"] for each in associate(table)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)


def test_associate_perfect_predictor_is_significant_without_an_interval():
    """All positive images are DICOM, and no other is: all resamples agree."""
    table = values()
    table["file_format"] = np.where(table["label"] == 1, "DICOM", "PNG")
    (found,) = associate(table)
    assert found.auc == {"value": 1, "low": None, "high": None}
    assert found.is_strong and found.direction == "DICOM images"


def test_associate_interval_covers_chance_for_random_properties():
    """About one in twenty intervals excludes 0.5 where a property has nothing to do with the label."""
    names = [each.name for each in NUMBERS]
    found = []
    for seed in range(10):
        drawn = random(seed).normal(size=(400, len(names)))
        found += associate(values(**dict(zip(names, drawn.T, strict=True))))
    wrong = [each for each in found if each.significant]
    assert len(found) == 110 and len(wrong) < 14


def test_associate_property_of_few_patients_is_not_significant():
    """Twenty images of each patient have the same height: as many images, but twelve patients alone."""
    table = values(240, 12)
    of_group = random(3).normal(size=12)
    table["height"] = of_group[table["group"].astype(int)]
    (found,) = associate(table)
    assert found.auc["high"] - found.auc["low"] > 0.3


def test_associate_few_images_or_groups_say_nothing():
    """Too few images of a label, or too few groups."""
    assert associate(values(30, 15, height=np.arange(30.0))) == []
    assert associate(values(400, 8, height=np.arange(400.0))) == []


def test_associate_many_groups_are_pooled(monkeypatch):
    """In blocks, the interval stays as wide as over single groups."""
    table = values(2000, 2000)
    table["height"] = random().normal(size=2000) + 0.5 * table["label"]
    widths = []
    for blocks in (200, 2000):
        monkeypatch.setattr(associations, "MAX_BLOCKS", blocks)
        (found,) = associate(table)
        widths.append(found.auc["high"] - found.auc["low"])
    assert widths[0] == pytest.approx(widths[1], rel=0.2)


def test_problem_is_a_warning_only_where_the_property_is_strong():
    """Strong: a warning; significant: a note; otherwise nothing is said."""
    severities = []
    for effect in (2.0, 0.5, 0.0):
        table = values()
        table["height"] = random().normal(size=400) + effect * table["label"]
        said = problem(associate(table), "fractured")
        severities.append(said.severity if said else "")
    assert severities == ["warning", "note", ""]


def test_to_table_of_nothing_has_no_rows():
    """Without associations, the chart's table is empty."""
    assert to_table([]).empty


@pytest.fixture
def tall(homes):
    """A data set in which positive images are taller."""
    return scan(draw_tall(homes / "tall"))


def test_find_associations_computes_once_for_the_same_images(tall, monkeypatch):
    """The second time it comes from the cache; nothing is computed where only the cache is asked."""
    measurements = measure(tall.table)
    assert cached_associations(tall, measurements) == []
    first = find_associations(tall, measurements)
    assert {"height", "aspect"} <= {each.name for each in first if each.is_strong}
    monkeypatch.setattr(associations, "associate", lambda _: pytest.fail("computed again"))
    assert find_associations(tall, measured(tall.table)) == first
    assert cached_associations(tall, measured(tall.table)) == first


def test_cached_associations_of_other_labels_are_not_used(tall):
    """A decision that changes a label asks for other figures."""
    measurements = measure(tall.table)
    find_associations(tall, measurements)
    tall.table.loc[0, "label"] = 1 - tall.table["label"][0]
    assert cached_associations(tall, measurements) == []
