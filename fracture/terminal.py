"""What people see on a terminal while a training goes on, and the figures at its end."""

import contextlib
import sys
import time
from typing import Any

from tqdm import tqdm

from fracture.learn import jobs
from fracture.learn.events import Event, read_events


def follow(run: jobs.Run, quiet: bool) -> None:
    """Draw the run's events as progress bars until its process has ended."""
    with _Bars(quiet) as progress:
        offset, active = 0, True
        while active:
            current = jobs.find_run(run.folder)
            active = current is not None and current.active
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
        elif event["kind"] == "step" and not self._off:
            tqdm.write(event["text"], file=sys.stderr)

    def _advance(self, title: str, total: int, done: int) -> None:
        if title != self._title:
            self.__exit__()
            self._title, self._bar = title, tqdm(desc=title, total=total, disable=self._off)
        self._bar.update(done - self._bar.n)


def summary(measured: dict[str, Any], labels: list[str]) -> str:
    """``metrics`` and ``localisation`` as lines for people; each value with its 95 % interval."""
    lines = [f"Metrics for {labels[1]!r} against {labels[0]!r}, with 95 % intervals:"]
    for level, values in measured["metrics"].items():
        lines.append(f"by {level}: {values['count']:,}, {values['positives']:,} of them positive")
        lines.append(f"  AUC {_interval(values['auc'])}")
        for point in values["points"].values():
            shown = ", ".join(f"{name} {_interval(point[name])}" for name in ("accuracy", "sensitivity", "specificity"))
            lines.append(f"  at {point['threshold']:.3f}: {shown}")
    if found := measured.get("localisation"):
        lines.append(f"heat maps of {found['images']:,} positive images with known truth:")
        for words, share in (("peak inside a box", found["pointing"]), ("mass inside the mask", found["mass"])):
            chance = _interval({"value": share["chance"], "low": None})
            lines.append(f"  {words} {_interval(share)}; by chance {chance}")
        lines.append(f"  the middle of the image is inside a box in {found['pointing']['centre']:.3f}")
    return "\n".join(lines)


def _interval(estimate: dict[str, float | None]) -> str:
    if estimate["value"] is None:
        return "not defined"
    ends = "" if estimate["low"] is None else f" ({estimate['low']:.3f} to {estimate['high']:.3f})"
    return f"{estimate['value']:.3f}{ends}"


def words(labels: tuple[str, str]) -> str:
    """The two labels, quoted, in a sentence."""
    return f"{labels[0]!r} and {labels[1]!r}"
