"""Models: train one, measure it, ask it, list all."""

import argparse
import contextlib
import itertools
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from fracture.cli.terminal import follow, summary, words
from fracture.data.combine import with_labels
from fracture.data.dataset import Dataset, scan
from fracture.data.decisions import apply_decisions
from fracture.data.layouts import ENDINGS, walk
from fracture.data.measurements import digests
from fracture.errors import DatasetError, FractureError, ModelError, RadiographError, RunError
from fracture.evaluation.localization import localise
from fracture.evaluation.metrics import evaluate as measure
from fracture.evaluation.recorded_files import record_files
from fracture.imaging.radiograph import Radiograph, load
from fracture.inference.classifier import NOTICE, Classifier, load_classifier
from fracture.inference.prediction import STRANGE, UNKNOWN, Limits, View
from fracture.inference.report import rows, write_csv
from fracture.registry.default_model import auc_in_words, by_preference, describe, why_default
from fracture.registry.model_folder import model_folder, read_card, usable_models
from fracture.training.config import PRESETS, TrainConfig
from fracture.training.runs import queue
from fracture.training.weights import check_available, find_weights

Args = argparse.Namespace


def train(args: Args) -> dict[str, Any]:
    """Start a training or go on with it, follow it to its end, and return its card."""
    run, since = _resume(args) if args.resume else (_start(args), 0)
    if run.state == "queued" and not args.json:
        print("Another training is at work; this one begins when that has ended.", file=sys.stderr)
    try:
        follow(run, quiet=args.json, since=since)
    except KeyboardInterrupt:
        print("\nStopping: the best epoch so far is being saved.", file=sys.stderr)
        queue.request_stop(run)
        follow(run, quiet=args.json, since=since)
    ended = queue.find_run(run.folder)
    if ended is None or ended.state == "failed":
        raise RunError((ended and ended.error) or "The training's folder was removed while it ran.")
    if not run.folder.card.exists():
        raise RunError("The training was stopped before its first epoch was done: there is no model.")
    card = read_card(run.folder)
    if not args.json:
        print(f"\nModel {card['name']!r} is in {run.folder.path}\n{summary(card, card['labels'])}")
    return card


def _start(args: Args) -> queue.Run:
    fields = TrainConfig.__dataclass_fields__
    chosen = {name: value for name in fields if (value := getattr(args, name, None)) is not None}
    chosen.update({name: tuple(chosen[name]) for name in ("input_range", "also") if name in chosen})
    config = TrainConfig(**{**PRESETS[args.preset], **chosen})
    check_available(find_weights(config))
    return queue.start(config)


def _resume(args: Args) -> tuple[queue.Run, int]:
    """The training, and how many bytes of events it had said before."""
    name, fields = args.name, TrainConfig.__dataclass_fields__
    if more := [f"--{each.replace('_', '-')}" for each in fields if each != "name" and getattr(args, each, None)]:
        raise RunError(f"{name!r} goes on with the choices it was begun with. Take away: {', '.join(more)}.")
    if (run := queue.find_run(model_folder(name))) is None:
        names = ", ".join(each.name for each in queue.runs() if each.resumable) or "none"
        raise RunError(f"There is no training called {name!r}. Those that can be gone on with: {names}.")
    since = run.folder.events.stat().st_size if run.folder.events.exists() else 0
    return queue.resume(run), since


def evaluate(args: Args) -> dict[str, Any]:
    """Measure a model on one part of a data set, in the model's words where the data set's can be put into them."""
    classifier = load_classifier(args.model)
    found = apply_decisions(scan(args.data, args.body_part))
    with contextlib.suppress(DatasetError):  # it is told below that they mean something else
        found = with_labels(found, classifier.labels)
    table = _part(found, args.split)
    table = table.assign(sha256=digests(table["path"].tolist()))
    trained_on = _trained_on(classifier, table)
    _warn(classifier, found, trained_on, len(table))
    views: list[View | None] = []
    unreadable = []
    for path in tqdm(table["path"], desc="Images", disable=args.json or not sys.stderr.isatty()):
        try:
            views.append(classifier.view(path, load(Path(path))))
        except RadiographError as error:
            views.append(None)
            unreadable.append(str(error))
    predictions = table[[view is not None for view in views]].assign(
        logit=[sum(view.logits) / 2 for view in views if view], probability=[view.probability for view in views if view]
    )
    for sentence in unreadable:
        print(sentence, file=sys.stderr)
    if predictions.empty:
        raise DatasetError(f"No image of part {args.split} of {found.root} can be read.")
    _record_files(classifier, found, predictions)
    measured = {
        "metrics": measure(predictions, classifier.card["thresholds"]),
        "localisation": localise(
            predictions.assign(found=predictions["probability"] >= classifier.card["thresholds"]["balanced"]),
            lambda image, *size: classifier.heat(classifier.view("", image), *size),
        ),
        "refused": sum(view.known is False for view in views if view),
    }
    if not args.json:
        print(summary(measured, list(classifier.labels)))
        print(f"{measured['refused']:,} of {len(predictions):,} do not look like the X-rays this model knows.")
    return {
        "model": args.model,
        "data": str(found.root),
        "split": args.split,
        "model_labels": list(classifier.labels),
        "data_labels": list(found.label_names),
        "trained_on": trained_on,
        "errors": unreadable,
        **measured,
    }


def _trained_on(classifier: Classifier, table: pd.DataFrame) -> int:
    known = classifier.familiarity
    return 0 if known is None else int(known.trained_on(table["image_id"].tolist(), table["sha256"].tolist()).sum())


def _record_files(classifier: Classifier, found: Dataset, predictions: pd.DataFrame) -> None:
    """Where these are the model's own validation images, record which files its predictions belong to."""
    folder = model_folder(classifier.name)
    try:
        added = record_files(folder, classifier.card, found, predictions)
    except (ModelError, OSError) as error:  # the figures don't depend on it
        print(error, file=sys.stderr)
        return
    if added:
        print(f"{folder.predictions.name} now says which files {added:,} predictions belong to.", file=sys.stderr)


def _warn(classifier: Classifier, found: Dataset, trained_on: int, images: int) -> None:
    """Why the figures may not be what they seem to be."""
    if found.excluded or found.relabelled:
        print(
            f"By decision, {found.excluded:,} images of this data set are left out and {found.relabelled:,} have "
            "another label.",
            file=sys.stderr,
        )
    if found.label_names != classifier.labels:
        print(
            f"Mind the words: the model says {words(classifier.labels)}, the data set {words(found.label_names)}.",
            file=sys.stderr,
        )
    if trained_on:
        print(
            f"{trained_on:,} of these {images:,} images are among those that the model was trained on: "
            "the figures flatter it.",
            file=sys.stderr,
        )


def _part(found: Dataset, split: str) -> pd.DataFrame:
    table = found.table if split == "all" else found.table[found.table["split"] == split]
    if table.empty:
        there = ", ".join(sorted(found.table["split"].unique()))
        raise DatasetError(f"{found.root} has the parts {there}, or all of them together: all. Received: {split}")
    return table


def classify(args: Args) -> dict[str, Any]:
    """Ask a model about files, each for itself or as views of one study."""
    classifier = load_classifier(args.model or _default(quiet=args.json))
    if args.csv and not args.csv.parent.is_dir():
        raise FractureError(f"There is no folder {args.csv.parent} to write {args.csv.name} into.")
    lines: list[dict[str, Any]] = []
    errors = [
        f"{path} holds no {', '.join(ENDINGS)} file." for path in args.files if path.is_dir() and not _images(path)
    ]
    studies = _studies(args.files, args.study)
    quiet = len(studies) < 5 or args.json or not sys.stderr.isatty()
    for study, paths in tqdm(studies, desc="Classifying", disable=quiet):
        if views := _readable(paths, errors):
            lines += rows(study, classifier.classify(views, args.threshold), classifier.name)
    if args.csv:
        write_csv(args.csv, lines)
    if not args.json:
        _print_answers(classifier, lines)
    for sentence in errors:
        print(sentence, file=sys.stderr)
    return {"model": classifier.name, "labels": list(classifier.labels), "results": lines, "errors": errors}


def _readable(paths: list[Path], errors: list[str]) -> list[tuple[str, Radiograph]]:
    """The images that can be read, by name; a sentence in ``errors`` for each that cannot."""
    images = []
    for path in paths:
        try:
            images.append((str(path), load(path)))
        except RadiographError as error:
            errors.append(str(error))
    return images


def _print_answers(classifier: Classifier, lines: list[dict[str, Any]]) -> None:
    positive = classifier.labels[1]
    width = len(positive) + 25
    for line in lines:
        what = line["image"] if line["kind"] == "image" else f"study {line['study']}"
        print(f"{line['answer']:>14}  {_probability(line, positive):{width}}  {what}")
    if not lines:
        return
    limits = Limits(lines[0]["doubt_from"], lines[0]["doubt_to"])
    print(f"\nProbability of {positive!r} by model {classifier.name!r}; {_limits_in_words(limits, positive)}.")
    if any(line["answer"] == UNKNOWN for line in lines):
        print(f"{UNKNOWN}: {STRANGE}")
    print(NOTICE)


def _limits_in_words(limits: Limits, positive: str) -> str:
    if limits.leave_doubt:
        return f"in doubt from {limits.low:g} to {limits.high:g}"
    return f"{positive!r} from {limits.high:g} on"


def _probability(line: dict[str, Any], positive: str) -> str:
    if line["probability"] is None:
        return "no answer"
    return f"{positive} {line['probability']:.3f} ({line['lowest']:.3f} to {line['highest']:.3f})"


def _studies(files: list[Path], together: bool) -> list[tuple[str, list[Path]]]:
    """(study, its files): each file alone, or with ``together`` all named files, and each folder's, as one."""
    named = [path for path in files if not path.is_dir()]
    found = [image for path in files if path.is_dir() for image in _images(path)]
    if not together:
        return [(str(path), [path]) for path in [*named, *found]]
    folders = [(str(place), list(images)) for place, images in itertools.groupby(found, key=lambda image: image.parent)]
    return [(str(named[0].parent), named), *folders] if named else folders


def _images(folder: Path) -> list[Path]:
    """All images below a folder, those of one folder together."""
    return sorted((folder / name for name in walk(folder)), key=lambda path: (path.parent, path.name))


def _default(quiet: bool) -> str:
    """The name of the model that answers where none is named; which it is and why is printed on stderr."""
    models = by_preference(usable_models())
    if not models:
        raise ModelError("There is no model yet. Train one: python -m fracture train --data PATH --name NAME")
    if not quiet:
        words = f"{describe(models[0])} answers: {why_default(models[0])}. Another one: --model NAME"
        print(words, file=sys.stderr)
    return models[0].name


def models(args: Args) -> list[Any]:
    """Which models and trainings are here."""
    states = {run.name: run for run in queue.runs()}
    names = dict.fromkeys([*states, *(folder.name for folder in usable_models())])
    found = [_model(name, states.get(name)) for name in names]
    if not args.json:
        for model in found:
            auc = "" if model["auc"] is None else auc_in_words(model_folder(model["name"]))
            run = states.get(model["name"])
            state = run.shown_state if run else model["state"]
            print(f"{model['name']:24} {state:10} {model['error'] or auc}")
        if not found:
            print("No models yet. Train one: python -m fracture train --data PATH --name NAME")
    return found


def _model(name: str, run: queue.Run | None) -> dict[str, Any]:
    """One model or training; a damaged one is listed with what is wrong."""
    folder, labels, auc = model_folder(name), None, None
    error = run.error if run else None
    try:
        if folder.usable:
            card = read_card(folder)
            labels, auc = card["labels"], card["metrics"]["image"]["auc"]["value"]
    except ModelError as damage:
        error = str(damage)
    except (KeyError, TypeError):
        error = f"The card of model {name!r} is damaged."
    state = run.state if run else "finished"
    return {"name": name, "state": state, "error": error, "usable": auc is not None, "labels": labels, "auc": auc}
