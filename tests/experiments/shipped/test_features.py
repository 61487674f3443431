"""The shipped features: whole, and those of the images that their plan gives."""

import shutil

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.experiments.shipped import features
from fracture.experiments.shipped.features import FOLDER, row_of_image, shipped_bench, shipped_plan
from fracture.experiments.shipped.phantoms import parse_image_id
from fracture.imaging.radiograph import PREPROCESSING_VERSION, fit
from fracture.inference.litert import Graph
from fracture.phantoms.job import RENDERER
from fracture.training.export.bundled_backbone import bundled_graph
from fracture.training.weights import find_weights

IMAGES = 10


def test_shipped_features_are_small():
    """A few MB at most are committed."""
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4e6


def test_shipped_bench_has_both_labels_in_both_parts():
    """About half of the images are abnormal, several are of one patient, and no patient is in both parts."""
    bench = shipped_bench()
    table = bench.table
    assert bench.features.shape == (len(table), 2048)
    assert table["label"].mean() == pytest.approx(0.5, abs=0.05)
    assert table.groupby("patient").size().min() >= 6
    assert table.groupby("patient")["split"].nunique().max() == 1
    assert table["image_id"].is_unique
    for rows in (bench.training, bench.validation):
        shown = table.loc[rows & (table["label"] == 1), "findings"].str.contains("hardware")
        assert min(shown.sum(), (~shown).sum()) >= 20


def test_plan_is_of_this_version():
    """Where renderer, preprocessing or weights change, the set must be made anew."""
    plan = shipped_plan()
    assert (plan.renderer, plan.preprocessing) == (RENDERER, PREPROCESSING_VERSION)
    assert plan.weights == find_weights(shipped_bench().config).identity


def test_shipped_features_are_those_of_the_plan():
    """Ten images generated again give the same rows and nearly the same features: bits differ by processor."""
    plan = shipped_plan()
    bench = shipped_bench()
    graph = Graph(bundled_graph(plan.image_size))
    rows = np.linspace(0, len(bench.table) - 1, IMAGES).astype(int)
    for row in rows:
        listed = bench.table.iloc[row]
        numbers = parse_image_id(listed["image_id"])
        phantom = plan.generate(numbers.patient, numbers.study, numbers.view)[-1]
        expected = row_of_image(plan, numbers, phantom)
        assert {name: listed[name] for name in expected} == expected
        computed = graph(fit(phantom.pixels, plan.image_size, plan.fit)).features
        assert cosine(computed, bench.features[row]) >= 0.99


def cosine(first, second):
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


@pytest.mark.parametrize("lost", ["plan.json", "images.csv", "features.npz"])
def test_shipped_bench_without_a_file_is_one_sentence(tmp_path, monkeypatch, lost):
    """The error names the folder and what to do."""
    copy = tmp_path / "features"
    shutil.copytree(FOLDER, copy)
    (copy / lost).unlink()
    monkeypatch.setattr(features, "FOLDER", copy)
    monkeypatch.setattr(features, "PROJECT", tmp_path)
    shipped_plan.cache_clear()
    with pytest.raises(RunError, match="missing or damaged"):
        shipped_bench()
    shipped_plan.cache_clear()


def test_save_writes_what_the_bench_reads(tmp_path, monkeypatch):
    """In 16 bits, which is close enough."""
    before = shipped_bench()
    table = before.table.drop(columns=["group", "data"])
    features.save(tmp_path, shipped_plan(), table, before.features)
    monkeypatch.setattr(features, "FOLDER", tmp_path)
    after = shipped_bench()
    assert after.table.equals(before.table)
    assert np.array_equal(after.features, before.features)
