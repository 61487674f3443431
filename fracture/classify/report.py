"""Results as files."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from fracture.classify.classifier import Answer
from fracture.classify.store import write_beside

COLUMNS = ("kind", "study", "image", "probability", "threshold", "label", "model")


def rows(study: str, answer: Answer, model: str) -> list[dict[str, Any]]:
    """One row for each view, then one for the study if it has several."""
    shared = {"study": study, "threshold": answer.threshold, "model": model}

    def row(kind: str, image: str, probability: float) -> dict[str, Any]:
        label = answer.labels[int(probability >= answer.threshold)]
        return {"kind": kind, "image": image, "probability": round(probability, 6), "label": label, **shared}

    views = [row("image", view.name, view.probability) for view in answer.views]
    return views if len(views) == 1 else [*views, row("study", "", answer.probability)]


def write_csv(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """The rows as a CSV file, whole or not at all."""

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            write_rows(file, lines)

    write_beside(path, write)


def write_rows(file: TextIO, lines: Sequence[dict[str, Any]]) -> None:
    """The rows as CSV to an open file."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
