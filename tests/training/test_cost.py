"""What a run will cost: more images, pixels and epochs cost more, cached features less, and a slower machine more."""

import json
import subprocess

import pandas as pd
import pytest

from fracture.errors import RunError
from fracture.training import cost
from fracture.training.config import LITE, PRESETS, TrainConfig
from fracture.training.cost import Cost, Speed, estimate_cost
from fracture.training.weights import Weights

SPEED = Speed(pass_seconds=0.02, rate=47e9)
WEIGHTS = Weights("bundled", "here", "none", (-1.0, 1.0), "drawn")


def table(images: int = 1000) -> pd.DataFrame:
    split = ["train"] * (images * 4 // 5) + ["valid"] * (images - images * 4 // 5)
    paths = [f"/{row}.png" for row in range(images)]
    return pd.DataFrame({"path": paths, "split": split, "label": 1, "boxes": ""})


def estimated(speed: Speed = SPEED, images: int = 1000, **settings) -> Cost:
    config = TrainConfig(data="x", name="m", **{"weights": "bundled", **settings})
    return estimate_cost(table(images), config, WEIGHTS, speed)


@pytest.fixture(autouse=True)
def one_core(homes, monkeypatch):
    """Empty caches, and figures that don't depend on this machine."""
    monkeypatch.setattr(cost.os, "cpu_count", lambda: 1)


@pytest.mark.parametrize("settings", [{"weights": LITE}, {}, PRESETS["fine-tune"]])
def test_cost_grows_with_images_pixels_and_the_slowness_of_the_machine(settings):
    """Each kind of run."""
    small = estimated(**{**settings, "image_size": 150})
    assert estimated(images=2000, **{**settings, "image_size": 150}).seconds > small.seconds
    assert estimated(**{**settings, "image_size": 299}).seconds > small.seconds
    slow = Speed(pass_seconds=0.1, rate=10e9)
    assert estimated(slow, **{**settings, "image_size": 150}).seconds > 2 * small.seconds


def test_cost_of_fine_tuning_grows_with_epochs_batch_and_trained_blocks():
    """Time with epochs, memory with the batch, both with the blocks that train."""
    base = estimated(**PRESETS["fine-tune"])
    assert estimated(**{**PRESETS["fine-tune"], "epochs": 24}).seconds > 1.7 * base.seconds
    assert estimated(**{**PRESETS["fine-tune"], "batch_size": 64}).memory > base.memory
    fewer = estimated(**{**PRESETS["fine-tune"], "unfreeze": "mixed9"})
    assert fewer.seconds < base.seconds and fewer.memory < base.memory


def test_cost_of_cached_features_is_left_out(monkeypatch):
    """Straight and mirrored ones; the sentence says how many there are."""
    monkeypatch.setattr(cost, "count_cached", lambda *asked: 200 if asked[-1].mirrored else 1000)
    cached = estimated(weights=LITE)
    assert cached.cached == 1200 and cached.sentence.endswith("1,200 features are cached.")
    assert cached.seconds == pytest.approx(8)


def test_sentence_rounds_and_the_warning_names_what_the_machine_has():
    """A machine with enough memory gets none."""
    run = Cost(250, 1_100_000_000)
    assert run.sentence == "About 4 minutes and 1.1 GB of memory on this machine."
    assert run.warning(2 * 10**9) == ""
    assert run.warning(10**9).startswith("This machine has 1.0 GB of memory. Choose ")
    assert run.to_json() == {"seconds": 250, "memory_bytes": 1_100_000_000, "cached_features": 0}


def test_machine_speed_is_measured_in_a_process_of_its_own():
    """Plausible figures for any machine of this century."""
    speed = cost.machine_speed()
    assert 1e-4 < speed.pass_seconds < 20 and 1e8 < speed.rate < 1e13


@pytest.mark.parametrize("fault", [subprocess.TimeoutExpired("x", 1), OSError("none"), b"nonsense"])
def test_machine_speed_that_cannot_be_measured_is_one_sentence(monkeypatch, fault):
    """A process that hangs, can't be started, or prints something else."""

    def run(*_, **__):
        if isinstance(fault, Exception):
            raise fault
        return subprocess.CompletedProcess("x", 0, fault)

    monkeypatch.setattr(cost.subprocess, "run", run)
    with pytest.raises(RunError, match="could not be measured"):
        cost.machine_speed()


def test_estimate_option_prints_and_starts_nothing(home_with_data, monkeypatch, capsys):
    """In words and as JSON."""
    from fracture.cli.main import main
    from fracture.training.runs import queue

    monkeypatch.setattr(cost, "machine_speed", lambda: SPEED)
    command = [
        "train",
        "--data",
        str(home_with_data / "data" / "drawn"),
        "--name",
        "m",
        "--weights",
        LITE,
        "--estimate",
    ]
    assert main(command) == 0 and capsys.readouterr().out.startswith("About 10 seconds and 0.4 GB of memory")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cached_features"] == 0
    assert [run for run in queue.runs() if not run.folder.bundled] == []
