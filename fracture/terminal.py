"""What people see on a terminal while a training goes on, and the figures at its end."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from fracture.classify.answer import offered_points
from fracture.learn import jobs
from fracture.learn.events import Event, read_events


def follow(run: jobs.Run, quiet: bool, since: int = 0) -> None:
    """Draw the run's events after byte ``since`` as progress bars until its process has ended."""
    with _Bars(quiet) as progress:
        offset, active = since, True
        while active:
            current = jobs.find_run(run.folder)
            active = current is not None and current.active
            if current is not None and current.state == "queued":
                jobs.advance()
            events, offset = read_events(run.folder.events, offset)
            for event in events:
                progress.show(event)
            time.sleep(0.2 if active else 0)


class _Bars(contextlib.AbstractContextManager["_Bars"]):
    """Progress bars on a terminal's stderr, none elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._off = quiet or not sys.stderr.isatty()
        self._bar: Any = None
        self._title = ""

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, event: Event) -> None:
        if event["kind"] == "features":
            self._advance("Features", event["total"], event["done"])
        elif event["kind"] == "epoch":
            self._advance("Epochs", event["epochs"], event["epoch"])
            self._bar.set_postfix(val_loss=f"{event['val_loss']:.3f}", val_accuracy=f"{event['val_accuracy']:.3f}")
        elif event["kind"] == "steps":
            self._advance(f"Epoch {event['epoch']}", event["total"], event["done"])
            self._bar.set_postfix(loss=f"{event['loss']:.3f}")
        elif event["kind"] == "step" and not self._off:
            tqdm.write(event["text"], file=sys.stderr)

    def _advance(self, title: str, total: int, done: int) -> None:
        if title != self._title or total != self._bar.total:
            self.__exit__()
            self._title, self._bar = title, tqdm(desc=title, total=total, disable=self._off)
        self._bar.update(done - self._bar.n)


RATES = ("accuracy", "sensitivity", "specificity", "kappa")
"""What is said of an operating point: never a sensitivity without its specificity."""


def summary(measured: dict[str, Any], labels: list[str]) -> str:
    """``metrics`` and ``localisation`` as lines for people; each value with its 95 % interval.

    What a level lacks, since a former version measured it, is left out.
    """
    lines = [f"Metrics for {labels[1]!r} against {labels[0]!r}, with 95 % intervals:"]
    for name, level in measured["metrics"].items():
        lines += [f"by {name}: {_counts(level)}", *(f"  {line}" for line in _level(level))]
    if found := measured.get("localisation"):
        lines += _localisation(found)
    return "\n".join(lines)


def _level(level: dict[str, Any]) -> Iterator[str]:
    yield f"AUC {_interval(level['auc'])}"
    if "average_precision" in level:
        share = level["positives"] / level["count"]
        yield f"average precision {_interval(level['average_precision'])}; by chance {share:.3f}"
    points = level["points"]
    for name in offered_points({name: point["threshold"] for name, point in points.items()}):
        yield f"{_point(name, points[name])}: {_rates(points[name], RATES)}"
    if calibration := level.get("calibration"):
        error = calibration["expected_calibration_error"]
        yield f"calibration error {_interval(error)}; perfect probabilities would show about {error['chance']:.3f}"
        yield f"Brier score {_interval(calibration['brier'])}"
    yield from _body_parts(level)


def _body_parts(level: dict[str, Any]) -> Iterator[str]:
    """A line a part, at the balanced threshold, or else the first there is."""
    parts, points = level.get("body_parts", {}), level["points"]
    if not parts:
        return
    shown = "balanced" if "balanced" in points else next(iter(points))
    yield f"body parts by themselves, {_point(shown, points[shown])}:"
    width = max(map(len, parts))
    for name, part in parts.items():
        rates = _rates(part["points"][shown], ("sensitivity", "specificity"))
        yield f"  {name:{width}}  {_counts(part)}; AUC {_interval(part['auc'])}, {rates}"
    if too_small := level["body_parts_too_small"]:
        yield "  too few to tell: " + ", ".join(f"{name} {count:,}" for name, count in too_small.items())


def _localisation(found: dict[str, Any]) -> Iterator[str]:
    yield f"heat maps of {found['images']:,} positive images with known truth:"
    for words, share in (("peak inside a box", found["pointing"]), ("mass inside the mask", found["mass"])):
        chance = _interval({"value": share["chance"], "low": None})
        yield f"  {words} {_interval(share)}; by chance {chance}"
    yield f"  the middle of the image is inside a box in {found['pointing']['centre']:.3f}"
    if "near" in found["pointing"]:
        yield f"  peak inside a box or beside it by 3 % of the image {_interval(found['pointing']['near'])}"
    if called := found.get("found"):
        pointing = called["pointing"]
        yield f"of the {called['images']:,} that the model calls positive at its balanced point:"
        yield f"  peak inside a box {_interval(pointing)}, or near it {_interval(pointing['near'])}"


def _counts(level: dict[str, Any]) -> str:
    return f"{level['count']:,}, {level['positives']:,} of them positive"


def _point(name: str, point: dict[str, Any]) -> str:
    at = f"at {point['threshold']:g}"
    return at if name == "half" else f"{name.replace('_', ' ')}, {at}"


def _rates(point: dict[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {_interval(point[name])}" for name in names if name in point)


def _interval(estimate: dict[str, float | None]) -> str:
    if estimate["value"] is None:
        return "not defined"
    ends = "" if estimate["low"] is None else f" ({estimate['low']:.3f} to {estimate['high']:.3f})"
    return f"{estimate['value']:.3f}{ends}"


def words(labels: tuple[str, str]) -> str:
    """The two labels, quoted, in a sentence."""
    return f"{labels[0]!r} and {labels[1]!r}"
