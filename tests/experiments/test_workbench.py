"""The features that a run leaves in the cache, for experiments."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.experiments.workbench import open_bench, runs_with_features
from fracture.training.config import TrainConfig
from fracture.training.runs.queue import find_run
from tests.experiments.workbenches import draw_bench


@pytest.fixture
def run(features, make_model):
    """A finished training of a head, with its features in the cache."""
    return find_run(make_model("first"))


def test_open_bench_of_a_finished_run_has_its_features(run):
    """Its images, labels and features are those of the run: the same head comes of them."""
    assert runs_with_features([run]) == [run]
    bench = open_bench(run)
    assert bench.features.shape == (len(bench.table), 2048)
    assert bench.training.sum() + bench.validation.sum() == len(bench.table)
    head = bench.fit(bench.training, bench.validation, bench.config)
    assert len(head.history["val_loss"]) == bench.config.epochs
    assert np.isfinite(head(bench.features)).all()


def test_open_bench_without_the_cache_is_one_sentence(run, features):
    """Features that were deleted are an error in words, not an empty bench."""
    shutil.rmtree(features)
    with pytest.raises(RunError, match="no longer in the cache"):
        open_bench(run)


def test_runs_with_features_leave_out_fine_tuned_models(run):
    """Their backbone is no longer the one that the features are of."""
    run.config["mode"] = "fine-tune"
    assert runs_with_features([run]) == []


def test_fit_with_one_label_is_refused(run):
    """The error counts both."""
    bench = open_bench(run)
    with pytest.raises(RunError, match="both labels"):
        bench.fit(bench.training & (bench.table["label"] == 1).to_numpy(), bench.validation, bench.config)


def test_fit_with_balanced_weights_gives_another_head(run):
    """The config's class weight is used."""
    bench = open_bench(run)
    rows = bench.training & ~((bench.table["label"] == 1) & (bench.table.index % 2 == 0)).to_numpy()
    slow = bench.config.changed(learning_rate=0.001)
    plain, balanced = (
        bench.fit(rows, bench.validation, slow.changed(class_weight=kind)) for kind in ("none", "balanced")
    )
    assert balanced(bench.features).mean() > plain(bench.features).mean()
    assert isinstance(bench.config, TrainConfig)


def test_fingerprint_after_a_decision_differs():
    """Results on other images, or on other labels, are not comparable."""
    bench = draw_bench()
    fewer = replace(bench, table=bench.table.iloc[:-1])
    other = replace(bench, table=bench.table.assign(label=1 - bench.table["label"]))
    again = replace(bench, table=bench.table.copy())
    assert bench.fingerprint == again.fingerprint
    assert len({each.fingerprint for each in (bench, fewer, other)}) == 3
