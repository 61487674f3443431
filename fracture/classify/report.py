"""Results as files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fracture.classify.classifier import Answer
from fracture.errors import FractureError
from fracture.files import write_beside

COLUMNS = ("kind", "study", "image", "probability", "threshold", "label", "model")


def rows(study: str, answer: Answer, model: str) -> list[dict[str, Any]]:
    """One row for each view, then one for the study if it has several."""
    shared = {"study": study, "threshold": answer.threshold, "model": model}

    def row(kind: str, image: str, probability: float) -> dict[str, Any]:
        label = answer.labels[int(probability >= answer.threshold)]
        return {"kind": kind, "image": image, "probability": round(probability, 6), "label": label, **shared}

    views = [row("image", view.name, view.probability) for view in answer.views]
    return views if len(views) == 1 else [*views, row("study", "", answer.probability)]


def as_csv(lines: Sequence[dict[str, Any]]) -> str:
    """The rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def write_csv(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """The rows as a CSV file, whole or not at all.

    Raises:
        FractureError: the file cannot be written there.
    """
    try:
        write_beside(path, lambda part: part.write_text(as_csv(lines), encoding="utf-8"))
    except OSError as error:
        raise FractureError(f"{path} cannot be written: {error.strerror}.") from error
