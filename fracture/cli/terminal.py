"""The progress bar of a run on a terminal, and its metrics at the end."""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from fracture.inference.prediction import offered_points
from fracture.registry.metric_names import POINT_NAMES, metric_name
from fracture.training.events import Event, read_events
from fracture.training.runs import queue
from fracture.training.runs.progress import Progress, stopping_words


def follow(run: queue.Run, quiet: bool, since: int = 0) -> None:
    """Draw the run's events after byte ``since`` as a progress bar until its process has ended."""
    with _Bar(quiet, run.config) as bar:
        offset = since
        active = True
        while active:
            current = queue.find_run(run.folder)
            active = current is not None and current.active
            if current is not None and current.state == "queued":
                queue.advance()
            events, offset = read_events(run.folder.events, offset)
            bar.show(events, stopping=current is not None and current.stopping)
            time.sleep(0.2 if active else 0)


class _Bar(contextlib.AbstractContextManager["_Bar"]):
    """One bar over the whole run on a terminal's stderr, none elsewhere."""

    def __init__(self, quiet: bool, config: Mapping[str, Any]) -> None:
        self._progress = Progress(config)
        shown = "{desc} {percentage:3.0f}%|{bar:20}| {elapsed}{postfix}"
        off = quiet or not sys.stderr.isatty()
        self._bar = tqdm(total=1.0, bar_format=shown, dynamic_ncols=True, disable=off)

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, events: Sequence[Event], *, stopping: bool = False) -> None:
        """Add the new events, and update the bar."""
        if not events or self._bar.disable:
            return
        progress = self._progress
        progress.add(events)
        number = progress.stages.index(progress.stage) + 1
        doing = stopping_words(progress) if stopping else progress.doing
        self._bar.set_description_str(f"{number} of {len(progress.stages)} · {doing}", refresh=False)
        left = {} if progress.seconds_left is None else {"left": tqdm.format_interval(round(progress.seconds_left))}
        self._bar.set_postfix({**_last(progress.history), **left}, refresh=False)
        self._bar.n = progress.share
        self._bar.refresh()


def _last(history: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """The validation metrics of the last epoch."""
    names = ("val_loss", "val_accuracy", "val_auc")
    return {name: f"{history[name][-1]:.3f}" for name in names if history.get(name)}


_POINT_METRICS = ("accuracy", "sensitivity", "specificity", "kappa")
"""The metrics of an operating point: never a sensitivity without its specificity."""


def summary(measured: dict[str, Any], labels: list[str]) -> str:
    """``metrics`` and ``localisation`` as lines for people; each value with its 95% interval.

    Metrics that an older card lacks are left out.
    """
    lines = [f"Metrics for {labels[1]!r} against {labels[0]!r}, with 95% intervals:"]
    for name, level in measured["metrics"].items():
        lines += [f"by {name}: {_counts(level)}", *(f"  {line}" for line in _level(level))]
    if found := measured.get("localisation"):
        lines += _localisation(found)
    return "\n".join(lines)


def _level(level: dict[str, Any]) -> Iterator[str]:
    yield f"{metric_name('auc')} {_interval(level['auc'])}"
    if "average_precision" in level:
        share = level["positives"] / level["count"]
        precision = _interval(level["average_precision"])
        yield f"{metric_name('average_precision')} {precision}; by chance {share:.3f}"
    points = level["points"]
    for name in offered_points({name: point["threshold"] for name, point in points.items()}):
        yield f"{_point(name, points[name])}: {_rates(points[name], _POINT_METRICS)}"
    if calibration := level.get("calibration"):
        error = calibration["expected_calibration_error"]
        name = metric_name("expected_calibration_error")
        yield f"{name} {_interval(error)}; perfect probabilities would show about {error['chance']:.3f}"
        yield f"{metric_name('brier')} {_interval(calibration['brier'])}"
    yield from _body_parts(level)


def _body_parts(level: dict[str, Any]) -> Iterator[str]:
    """A line a part, at the balanced threshold, or else the first there is."""
    parts = level.get("body_parts", {})
    points = level["points"]
    if not parts:
        return
    shown = "balanced" if "balanced" in points else next(iter(points))
    yield f"by body part, {_point(shown, points[shown])}:"
    width = max(map(len, parts))
    for name, part in parts.items():
        rates = _rates(part["points"][shown], ("sensitivity", "specificity"))
        yield f"  {name:{width}}  {_counts(part)}; {metric_name('auc')} {_interval(part['auc'])}, {rates}"
    if too_small := level["body_parts_too_small"]:
        yield "  too few images: " + ", ".join(f"{name} {count:,}" for name, count in too_small.items())


def _localisation(found: dict[str, Any]) -> Iterator[str]:
    yield f"localization on {found['images']:,} positive images with known boxes:"
    for name in ("pointing", "mass"):
        share = found[name]
        chance = _interval({"value": share["chance"], "low": None})
        yield f"  {metric_name(name)} {_interval(share)}; by chance {chance}"
    yield f"  the image center is inside the box in {found['pointing']['centre']:.3f}"
    if "near" in found["pointing"]:
        yield f"  with a tolerance of 3% of the image {_interval(found['pointing']['near'])}"
    if called := found.get("found"):
        pointing = called["pointing"]
        yield f"of the {called['images']:,} that the model calls positive at its balanced operating point:"
        yield f"  {metric_name('pointing')} {_interval(pointing)}, with the tolerance {_interval(pointing['near'])}"


def _counts(level: dict[str, Any]) -> str:
    return f"{level['count']:,}, {level['positives']:,} of them positive"


def _point(name: str, point: dict[str, Any]) -> str:
    at = f"at {point['threshold']:g}"
    return at if name == "half" else f"{POINT_NAMES.get(name, name)}, {at}"


def _rates(point: dict[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{metric_name(name)} {_interval(point[name])}" for name in names if name in point)


def _interval(estimate: dict[str, float | None]) -> str:
    if estimate["value"] is None:
        return "not defined"
    ends = "" if estimate["low"] is None else f" ({estimate['low']:.3f} to {estimate['high']:.3f})"
    return f"{estimate['value']:.3f}{ends}"


def words(labels: tuple[str, str]) -> str:
    """The two labels, quoted, in a sentence."""
    return f"{labels[0]!r} and {labels[1]!r}"
