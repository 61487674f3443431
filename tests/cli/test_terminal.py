"""Figures as lines for people."""

import re

import numpy as np
import pandas as pd
import pytest

from fracture.cli.terminal import _RunBar, summary
from fracture.evaluation.metrics import evaluate

LABELS = ["normal", "abnormal"]
POINTS = {"half": 0.5, "balanced": 0.431, "high_sensitivity": 0.0042, "high_specificity": 0.9}


def predictions(**columns) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 60)
    rows = [str(row) for row in range(60)]
    probability = np.clip(label * 0.3 + rng.random(60) * 0.7, 0, 1)
    return pd.DataFrame({"study": rows, "group": rows, "label": label, "probability": probability}).assign(**columns)


def lines(measured) -> list[str]:
    return summary(measured, None, LABELS).splitlines()


def test_every_figure_is_there_with_its_interval():
    """Discrimination, each point by its name in words, calibration."""
    metrics = evaluate(predictions(), POINTS)
    shown = lines(metrics)
    starts = ("AUC", "average precision", "at 0.5:", "balanced, at 0.431:", "high sensitivity, at 0.0042:",
              "high specificity, at 0.9:", "calibration error", "Brier score")  # fmt: skip
    assert [line.strip().startswith(start) for line, start in zip(shown[2:], starts, strict=True)] == [True] * 8
    auc = metrics["image"]["auc"]
    assert f"  AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in shown


def test_no_sensitivity_without_its_specificity():
    """On every line, and kappa and accuracy beside them at each point."""
    parts = ["ELBOW"] * 25 + ["HAND"] * 25 + ["WRIST"] * 10
    shown = lines(evaluate(predictions(body_part=parts, study=["0", *map(str, range(59))]), POINTS))
    assert all("specificity" in line for line in shown if re.search(r"sensitivity \d", line))
    points = [line for line in shown if re.search(r"at 0[.\d]+: ", line)]
    assert len(points) == 2 * len(POINTS)
    assert all(re.search(r"sensitivity .*specificity .*accuracy .*kappa ", line) for line in points)


def test_body_parts_are_a_line_each():
    """At the balanced threshold, and those that are too small by their counts."""
    shown = lines(evaluate(predictions(body_part=["ELBOW"] * 28 + ["HAND"] * 28 + ["WRIST"] * 4), POINTS))
    assert "  by body part, balanced, at 0.431:" in shown
    assert sum(line.startswith(("    ELBOW  28, ", "    HAND   28, ")) for line in shown) == 2
    assert shown[-1] == "    too few images: WRIST 4"


def test_points_that_cross_are_no_lines():
    """A model so good that they cross has neither of high sensitivity nor of high specificity."""
    shown = lines(evaluate(predictions(), {**POINTS, "high_sensitivity": 0.6, "high_specificity": 0.4}))
    assert [line.strip().split(":")[0] for line in shown if re.search(r"at 0[.\d]+: ", line)] == [
        "at 0.5", "balanced, at 0.431",
    ]  # fmt: skip


def test_what_is_not_defined_is_said_so():
    """One class only: no AUC and no specificity, and no invented number."""
    shown = "\n".join(lines(evaluate(predictions(label=1), {"half": 0.5})))
    assert "AUC not defined" in shown
    assert "specificity not defined" in shown


@pytest.mark.parametrize("chance", [0.1, None])
def test_heat_maps_are_said_with_their_chance(chance):
    """Where they were measured, each share beside what knows nothing."""
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "chance": chance}
    localization = {"images": 12, "pointing": {**share, "centre": 0.2}, "mass": share}
    shown = summary(evaluate(predictions(), {"half": 0.5}), localization, LABELS)
    said = "not defined" if chance is None else "0.100"
    assert f"peak inside the box 0.500 (0.400 to 0.600); by chance {said}" in shown
    assert "heat inside the box or mask 0.500" in shown


def test_figures_of_a_former_version_can_still_be_shown():
    """A card from before kappa and calibration has lines without them."""
    metrics = evaluate(predictions(), {"half": 0.5})
    del (
        metrics["image"]["calibration"],
        metrics["image"]["average_precision"],
        metrics["image"]["points"]["half"]["kappa"],
    )
    assert [line.split()[0] for line in lines(metrics)] == ["Metrics", "by", "AUC", "at"]


def test_one_bar_goes_over_the_whole_run(monkeypatch, capsys):
    """It says the stage among all, what is being done with its numbers, and what the last epoch came to."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    features = {"kind": "features", "total": 120, "cached": 0, "seconds_left": None}
    epoch = {"kind": "epoch", "epoch": 1, "epochs": 2, "seconds": 1.0, "loss": 0.5, "val_loss": 0.6}
    with _RunBar(quiet=False, config={"epochs": 2}) as bar:
        bar.show([{**features, "done": 60}])
        bar.show([{**features, "done": 120}, epoch])
        bar.show([{"kind": "kept", "epoch": 1}, {"kind": "step", "text": "Saving", "stage": "save"}], stopping=True)
    shown = re.split(r"[\r\n]+", capsys.readouterr().err)
    said = "\n".join(shown)
    assert "2 of 5 · Extracting features: 60 of 120 images" in said
    assert "3 of 5 · Epoch 1 of 2" in said and "val_loss=0.600" in said
    assert "5 of 5 · Stopping: saving the best epoch (1). Saving" in said
    percentages = [int(found) for found in re.findall(r"(\d+)%", said)]
    assert percentages == sorted(percentages) and percentages[-1] > 90


def test_a_run_is_silent_without_a_terminal(capsys):
    """What goes into a file or a pipe is not filled with bars."""
    with _RunBar(quiet=False, config={}) as bar:
        bar.show([{"kind": "step", "text": "Reading the data set", "stage": "read"}])
    assert capsys.readouterr().err == ""
