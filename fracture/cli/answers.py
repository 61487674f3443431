"""Answers for people, a line each, and what they mean."""

from collections.abc import Sequence

from fracture.files import JsonObject
from fracture.inference.classifier import NOTICE, Classifier
from fracture.inference.prediction import STATUS_SENTENCES, OutcomeLimits, Status


def print_rows(models: Sequence[Classifier], rows: Sequence[JsonObject]) -> None:
    """Print the answer and the probability of each row."""
    positives = {model.name: model.labels[1] for model in models}
    width = max(map(len, positives.values())) + 25
    for row in rows:
        subject = row["image"] if row["kind"] == "image" else f"study {row['study']}"
        by_model = f"  {row['model']}" if len(models) > 1 else ""
        print(f"{row['answer']:>14}  {_probability(row, positives[row['model']]):{width}}  {subject}{by_model}")
        if said := _explanation(row):
            print(f"{'':>14}  {said}")


def print_notes(models: Sequence[Classifier], rows: Sequence[JsonObject]) -> None:
    """Print what the probabilities, the limits and the words of the rows mean: one row of each kind is enough."""
    positives = {model.name: model.labels[1] for model in models}
    limits = {row["model"]: OutcomeLimits(row["doubt_from"], row["doubt_to"]) for row in rows}
    for name, its_limits in limits.items():
        positive = positives[name]
        print(f"Probability of {positive!r} by model {name!r}; {_format_limits(its_limits, positive)}.")
    if len(models) > 1:
        print(f"Each answer is by the model that knows the image best, of {', '.join(positives)}.")
    for status, sentence in STATUS_SENTENCES.items():
        if any(row["status"] == status for row in rows):
            print(f"{status}: {sentence}")
    if any(row["status"] == Status.UNLIKE and row["probability"] is None for row in rows):
        print("--answer-unlike answers it nevertheless, outside of what the model was validated on.")
    for model in models:
        if model.adjusted:
            print(f"{model.name}: {model.adjusted}")
    print(NOTICE)


def _explanation(row: JsonObject) -> str:
    """The training images that an image is nearest to, and what is unusual about it; empty where nothing is said."""
    nearest = f"nearest training images: {row['nearest_parts']}" if row["nearest_parts"] else ""
    unusual = f"unusual: {row['unusual']}" if row["unusual"] else ""
    return "; ".join(words for words in (nearest, unusual) if words)


def _format_limits(limits: OutcomeLimits, positive: str) -> str:
    if limits.leave_doubt:
        return f"in doubt from {limits.low:g} to {limits.high:g}"
    return f"{positive!r} from {limits.high:g} on"


def _probability(row: JsonObject, positive: str) -> str:
    if row["probability"] is None:
        return "no prediction"
    return f"{positive} {row['probability']:.3f} ({row['lowest']:.3f} to {row['highest']:.3f})"
