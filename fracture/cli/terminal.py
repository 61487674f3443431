"""What people see on a terminal: progress bars, the course of a run, and metrics as lines."""

import contextlib
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from fracture.estimate import excludes_zero, format_number
from fracture.evaluation.external.comparison import ComparedMetric
from fracture.formatting import format_duration
from fracture.inference.prediction import offered_points
from fracture.registry.metric_names import POINT_NAMES, RATES, Rate, metric_name
from fracture.registry.validation import CommonMetrics, Level, Localization, OperatingPoint
from fracture.training.events import Event, read_events
from fracture.training.runs import queue
from fracture.training.runs.progress import RunProgress, stopping_words


@contextlib.contextmanager
def progress_bar(task: str, unit: str = "image", *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, and the function that moves it: called with how many are done, and of how many.

    There is none with ``quiet``, nor where stderr is no terminal.
    """
    with tqdm(desc=task, unit=unit, disable=quiet or not sys.stderr.isatty()) as bar:

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield on_progress


def follow(run: queue.Run, quiet: bool, since: int = 0) -> None:
    """Show the run's events after byte ``since`` as a progress bar, until its process has ended."""
    with _RunBar(quiet, run.config) as bar:
        offset = since
        active = True
        while active:
            # First the state, then the events: a process that has ended has written all of them.
            current = queue.find_run(run.folder)
            active = current is not None and current.active
            if current is not None and current.state == "queued":
                queue.advance()
            events, offset = read_events(run.folder.events, offset)
            bar.show(events, stopping=current is not None and current.stopping)
            time.sleep(0.2 if active else 0)


class _RunBar(contextlib.AbstractContextManager["_RunBar"]):
    """One progress bar for the whole run on stderr; none where that is no terminal."""

    def __init__(self, quiet: bool, config: Mapping[str, Any]) -> None:
        self._progress = RunProgress(config)
        bar_format = "{desc} {percentage:3.0f}%|{bar:20}| {elapsed}{postfix}"
        disable = quiet or not sys.stderr.isatty()
        self._bar = tqdm(total=1.0, bar_format=bar_format, dynamic_ncols=True, disable=disable)

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, events: Sequence[Event], *, stopping: bool = False) -> None:
        """Add new events, and draw the bar again."""
        if not events or self._bar.disable:
            return
        progress = self._progress
        progress.add(events)
        stage = progress.stages.index(progress.stage) + 1
        doing = stopping_words(progress) if stopping else progress.doing
        figures = _last_metrics(progress.history)
        if progress.seconds_left is not None:
            figures["left"] = format_duration(progress.seconds_left)
        self._bar.set_description_str(f"{stage} of {len(progress.stages)} · {doing}", refresh=False)
        self._bar.set_postfix(figures, refresh=False)
        self._bar.n = progress.share
        self._bar.refresh()


def _last_metrics(history: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """The validation metrics of the last epoch."""
    names = ("val_loss", "val_accuracy", "val_auc")
    return {name: f"{history[name][-1]:.3f}" for name in names if history.get(name)}


def summary(metrics: Mapping[str, Level], localization: Localization | None, labels: Sequence[str]) -> str:
    """Metrics as lines, each with its 95% interval. What an earlier version did not measure is left out."""
    lines = [f"Metrics for {labels[1]!r} against {labels[0]!r}, with 95% intervals:"]
    for name, level in metrics.items():
        lines.append(f"by {name}: {_counts(level)}")
        lines += [f"  {line}" for line in _level(level)]
    if localization:
        lines += _localization(localization)
    return "\n".join(lines)


def comparison(levels: Mapping[str, Sequence[ComparedMetric]]) -> str:
    """External metrics beside those of the card, a line each."""
    lines = []
    for level, compared in levels.items():
        if not compared:
            continue
        lines.append(f"by {level}, beside the model's validation images (difference, * if its interval excludes zero):")
        for each in compared:
            mark = " *" if excludes_zero(each.difference) else ""
            lines.append(
                f"  {metric_label(each.metric, each.point)}: {format_number(each.external)}, validation "
                f"{format_number(each.validation)}, difference {format_number(each.difference)}{mark}"
            )
    return "\n".join(lines)


def metric_label(metric: str, point: str) -> str:
    """The name of a metric with its operating point: ``sensitivity (balanced)``."""
    return f"{metric_name(metric)} ({POINT_NAMES.get(point, point)})" if point else metric_name(metric)


def _level(level: Level) -> Iterator[str]:
    yield f"{metric_name('auc')} {format_number(level['auc'])}"
    if "average_precision" in level:
        prevalence = level["positives"] / level["count"]
        average_precision = format_number(level["average_precision"])
        yield f"{metric_name('average_precision')} {average_precision}; by chance {prevalence:.3f}"
    points = level["points"]
    for name in offered_points({name: point["threshold"] for name, point in points.items()}):
        yield f"{_point(name, points[name])}: {_rates(points[name], RATES)}{_kappa(points[name])}"
    calibration = level.get("calibration")
    if calibration:
        error = calibration["expected_calibration_error"]
        chance = error.get("chance")
        by_chance = "" if chance is None else f"; perfect probabilities would show about {chance:.3f}"
        yield f"{metric_name('expected_calibration_error')} {format_number(error)}{by_chance}"
        yield f"{metric_name('brier')} {format_number(calibration.get('brier'))}"
    yield from _body_parts(level)


def _body_parts(level: Level) -> Iterator[str]:
    """A line a body part, at the balanced threshold, or at the first one of an old card."""
    parts = level.get("body_parts")
    if not parts:
        return
    points = level["points"]
    shown = "balanced" if "balanced" in points else next(iter(points))
    yield f"by body part, {_point(shown, points[shown])}:"
    width = max(len(name) for name in parts)
    for name, part in parts.items():
        rates = _rates(part["points"][shown], ("sensitivity", "specificity"))
        yield f"  {name:{width}}  {_counts(part)}; {metric_name('auc')} {format_number(part['auc'])}, {rates}"
    too_small = level.get("body_parts_too_small")
    if too_small:
        yield "  too few images: " + ", ".join(f"{name} {count:,}" for name, count in too_small.items())


def store_labels(root: str | None, args: Namespace) -> None:
    """Store the labels, the columns and the pattern for patients that a command was given for a data set, if any.

    Raises DatasetError where they don't fit.
    """
    from fracture.data.labels.choice import parse_choice
    from fracture.data.labels.columns import parse_columns
    from fracture.data.labels.store import choose_columns, choose_labels, choose_patients

    if not root:
        return
    labels = parse_choice(args.labels) if args.labels else None
    if args.columns:
        # Together: without the labels, the values of the column may not be known.
        choose_columns(root, parse_columns(args.columns), labels)
    elif labels:
        choose_labels(root, labels)
    if args.patient_pattern is not None:
        choose_patients(root, args.patient_pattern)


def _localization(found: Localization) -> Iterator[str]:
    yield f"localization on {found['images']:,} positive images with known boxes:"
    pointing = found["pointing"]
    for name, share in (("pointing", pointing), ("mass", found["mass"])):
        chance = "not defined" if share["chance"] is None else f"{share['chance']:.3f}"
        yield f"  {metric_name(name)} {format_number(share)}; by chance {chance}"
    yield f"  the image center is inside the box in {pointing['centre']:.3f}"
    if "near" in pointing:
        yield f"  with a tolerance of 3% of the image {format_number(pointing['near'])}"
    called = found.get("found")
    if called:
        hits = called["pointing"]
        yield f"of the {called['images']:,} that the model calls positive at its balanced operating point:"
        yield f"  {metric_name('pointing')} {format_number(hits)}, with the tolerance {format_number(hits['near'])}"


def _counts(level: CommonMetrics) -> str:
    return f"{level['count']:,}, {level['positives']:,} of them positive"


def _point(name: str, point: OperatingPoint) -> str:
    threshold = f"at {point['threshold']:g}"
    return threshold if name == "half" else f"{POINT_NAMES.get(name, name)}, {threshold}"


def _rates(point: OperatingPoint, names: Sequence[Rate]) -> str:
    return ", ".join(f"{metric_name(name)} {format_number(point[name])}" for name in names)


def _kappa(point: OperatingPoint) -> str:
    """Kappa after the rates; cards of earlier versions lack it."""
    if "kappa" not in point:
        return ""
    return f", {metric_name('kappa')} {format_number(point['kappa'])}"
