"""Heads of a lab: in this process, and by the workers of a Dask cluster where the extra ``cluster`` is installed."""

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.experiments import heads
from fracture.experiments.heads import HeadTask, fit_heads
from fracture.experiments.search import sample_hyperparameters, search
from tests.experiments.workbenches import draw_bench
from tests.support.clusters import kill_a_dask_worker, start_cluster


def tasks_of(bench, count):
    """Heads that differ by their seeds."""
    return [HeadTask(bench.training, bench.validation, bench.config.changed(seed=seed)) for seed in range(count)]


def same(one, other):
    """Whether two heads have the same weights and curves."""
    return np.array_equal(one.weights, other.weights) and one.history == other.history


def test_fit_heads_in_this_process_trains_each_head(homes, monkeypatch):
    """As the bench itself does."""
    monkeypatch.delenv("FRACTURE_CLUSTER", raising=False)
    bench = draw_bench()
    tasks = tasks_of(bench, 2)
    assert all(same(head, bench.fit(*task)) for head, task in zip(fit_heads(bench, tasks), tasks, strict=True))


def test_in_order_gives_heads_by_their_numbers():
    """Each as soon as those before it are there."""
    assert list(heads._in_order(iter([(1, "b"), (0, "a"), (3, "d"), (2, "c")]))) == ["a", "b", "c", "d"]


def test_fit_heads_on_a_cluster_checks_the_labels_first(homes, monkeypatch):
    """In this process: no worker is asked."""
    monkeypatch.setenv("FRACTURE_CLUSTER", "tcp://127.0.0.1:9")
    bench = draw_bench()
    one_label = bench.training & (bench.table["label"] == 0).to_numpy()
    with pytest.raises(RunError, match="A head needs images of both labels"):
        list(fit_heads(bench, [HeadTask(one_label, bench.validation, bench.config)]))


def test_write_keeps_the_newest_benches(homes, monkeypatch):
    """The same bench has the same file, which holds what the workers read."""
    monkeypatch.setattr(heads, "KEPT_FILES", 2)
    benches = [draw_bench(finding=number / 10) for number in range(3)]
    paths = [heads._write(bench) for bench in benches]
    assert [path.exists() for path in paths] == [False, True, True]
    assert heads._write(benches[1]) == paths[1]
    features, label = heads._read(str(paths[1]))
    assert np.array_equal(features, benches[1].features) and (label == benches[1].table["label"]).all()


@pytest.mark.slow
def test_search_on_a_cluster_with_a_killed_worker_gives_the_same(homes, tmp_path, monkeypatch):
    """In the same order, to the last bit."""
    monkeypatch.delenv("FRACTURE_CLUSTER", raising=False)
    bench = draw_bench(finding=1.0)
    choices = sample_hyperparameters(12, seed=0)
    expected = list(search(bench, choices))
    found = []
    with start_cluster(tmp_path, workers=2) as address:
        monkeypatch.setenv("FRACTURE_CLUSTER", address)
        for each in search(bench, choices):
            if not found:
                kill_a_dask_worker(address)
            found.append(each)
    assert [each.choices for each in found] == choices
    for one, other in zip(found, expected, strict=True):
        assert (one.chosen_by, one.other) == (other.chosen_by, other.other)
        assert np.array_equal(one.probability, other.probability)
