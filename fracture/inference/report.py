"""Answers as the rows of a CSV file."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fracture.errors import FractureError
from fracture.files import atomic_write
from fracture.inference.prediction import Answer, View
from fracture.inference.unusual import Explanation

CSV_COLUMNS = (
    "kind",
    "study",
    "image",
    "answer",
    "probability",
    "lowest",
    "highest",
    "doubt_from",
    "doubt_to",
    "model",
    "adjusted",
    "status",
    "nearest_parts",
    "unusual",
)


def rows(study: str, answer: Answer, model: str, explanations: Sequence[Explanation] = ()) -> list[dict[str, Any]]:
    """One row for each view, then one for the study if it has several.

    ``status`` is ``answered``, ``unlike`` for a radiograph out of distribution, or ``no radiograph``. ``answer`` is one
    of the model's labels or ``doubt``; for an image without an answer, which gets no numbers, it is the status.
    ``lowest`` and ``highest``: a view's probabilities as it is and mirrored, which are equal where the mirror image was
    not run; a study's over its views. ``adjusted`` says how the model was adjusted; it is empty for one that answers as
    its card says. ``nearest_parts``, where it is ``unlike``, and ``unusual`` are from the ``explanations``: one for
    each view, or none at all.
    """
    shared = {
        "study": study,
        "doubt_from": answer.limits.low,
        "doubt_to": answer.limits.high,
        "model": model,
        "adjusted": answer.adjusted,
    }
    explained = explanations or [Explanation()] * len(answer.views)

    def row(kind: str, of: View | Answer, word: str, spread: Sequence[float], said: Explanation) -> dict[str, Any]:
        numbers: dict[str, float | None] = dict.fromkeys(("probability", "lowest", "highest"))
        if word != of.status:
            numbers = {
                "probability": round(of.probability, 6),
                "lowest": round(min(spread), 6),
                "highest": round(max(spread), 6),
            }
        return {
            "kind": kind,
            "image": of.name if isinstance(of, View) else "",
            "answer": word,
            **numbers,
            **shared,
            "status": of.status.value,
            "nearest_parts": said.parts_in_words,
            "unusual": said.unusual_in_words,
        }

    views = [
        row("image", view, answer.label_of(view), view.by_side, said)
        for view, said in zip(answer.views, explained, strict=True)
    ]
    if len(views) == 1:
        return views
    spread = [view.probability for view in answer.counted]
    return [*views, row("study", answer, answer.label, spread, Explanation())]


def as_csv(lines: Sequence[dict[str, Any]]) -> str:
    """The rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def write_csv(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """The rows as a CSV file, whole or not at all. Of a name that is no text, the bytes that are none are escaped.

    Raises:
        FractureError: the file cannot be written there.
    """
    try:
        atomic_write(path, lambda part: part.write_bytes(as_csv(lines).encode(errors="backslashreplace")))
    except OSError as error:
        raise FractureError(f"{path} cannot be written: {error.strerror}.") from error
