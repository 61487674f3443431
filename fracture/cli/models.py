"""Models: train one, evaluate it, classify radiographs with it, list all."""

import itertools
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from fracture import demo
from fracture.cli.terminal import comparison, follow, progress_bar, store_labels, summary
from fracture.data.combine import load_combined
from fracture.data.layouts import ENDINGS, walk
from fracture.errors import Cancelled, FractureError, ModelError, RadiographError, RunError
from fracture.files import JsonObject
from fracture.imaging.radiograph import Radiograph, check_visible, load
from fracture.imaging.viewing.changes import PictureChanges, change
from fracture.inference.automatic import MAX_ALSO_ASKED, choose_models, match_model
from fracture.inference.classifier import NOTICE, Classifier, FirstPass
from fracture.inference.prediction import STATUS_SENTENCES, OutcomeLimits, Status, View
from fracture.inference.radiograph_check import RadiographScreen, load_screen
from fracture.inference.report import rows, write_csv
from fracture.inference.unusual import Explanation, explain
from fracture.paths import sanitize_name
from fracture.registry.adjustments import find_adjustments
from fracture.registry.default_model import auc_in_words, by_preference, describe_model, why_default
from fracture.registry.model_folder import ModelFolder, model_folder, read_card, shipped_models, usable_models
from fracture.registry.selection import chosen_on, selection_sentence
from fracture.training.config import PRESETS, TrainConfig
from fracture.training.runs import queue
from fracture.training.weights import check_available, find_weights

if TYPE_CHECKING:
    from fracture.evaluation.external.job import Evaluated

AUTOMATIC = "automatic"
"""In the place of a model's name: the one that knows an image best, of those that come with the project."""


def train(args: Namespace) -> JsonObject:
    """Start or resume a run, follow it to its end, and return the model's card; or only estimate its cost."""
    if args.estimate:
        return _estimate(args)
    if args.resume:
        run, since = _resume(args)
    else:
        run, since = _start(args), 0
    if run.state == "queued" and not args.json:
        print("Another run is training; this one is queued and starts after it.", file=sys.stderr)
    try:
        follow(run, quiet=args.json, since=since)
    except KeyboardInterrupt:
        # The run is a process of its own, which Ctrl+C does not reach: ask it to stop, and wait for its model.
        print("\nStopping: the best epoch so far is being saved.", file=sys.stderr)
        queue.request_stop(run)
        follow(run, quiet=args.json, since=since)
    ended = queue.find_run(run.folder)
    if ended is None:
        raise RunError("The run's folder was deleted while it was training.")
    if ended.state == "failed":
        raise RunError(ended.error or "The run has failed.")
    if not run.folder.card.exists():
        raise RunError("The run was stopped before its first epoch was done: there is no model.")
    card = read_card(run.folder)
    if not args.json:
        print(f"\nModel {card.name!r} is in {run.folder.path}")
        print(summary(card.metrics, card.localization, card.labels))
        print(selection_sentence(card))
    return card.document


def _estimate(args: Namespace) -> JsonObject:
    """Print what the run that the options describe will cost."""
    from fracture.training.cost import estimate_cost, machine_speed

    if args.resume:
        raise RunError("--estimate is for a new run: give --data in place of --resume.")
    store_labels(args.data, args)
    config = _config(args)
    table = load_combined(config.data, config.also, config.body_part).table
    cost = estimate_cost(table, config, find_weights(config), machine_speed())
    if not args.json:
        print(f"{cost.sentence} {cost.warning(demo.machine_memory_mb() * 2**20)}".rstrip())
    return cost.to_json()


def _start(args: Namespace) -> queue.Run:
    store_labels(args.data, args)
    config = _config(args)
    check_available(find_weights(config))
    return queue.start(config)


def _config(args: Namespace) -> TrainConfig:
    given: JsonObject = {name: getattr(args, name, None) for name in TrainConfig.__dataclass_fields__}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in ("input_range", "also"):
        if name in chosen:
            chosen[name] = tuple(chosen[name])
    return TrainConfig(**{**PRESETS[args.preset], **chosen})


def _resume(args: Namespace) -> tuple[queue.Run, int]:
    """The resumed run, and the size in bytes of the events from before."""
    fields = [name for name in TrainConfig.__dataclass_fields__ if name != "name"]
    given = [f"--{name.replace('_', '-')}" for name in fields if getattr(args, name, None)]
    if args.labels:
        given.append("--labels")
    if args.columns:
        given.append("--columns")
    if args.patient_pattern:
        given.append("--patient-pattern")
    if given:
        raise RunError(
            f"A resumed run keeps its configuration: {args.name!r} can't take {', '.join(given)}. Leave them out."
        )
    run = queue.find_run(model_folder(args.name))
    if run is None:
        names = ", ".join(each.name for each in queue.runs() if each.resumable) or "none"
        raise RunError(f"There is no run called {args.name!r}. Runs that can be resumed: {names}.")
    since = run.folder.events.stat().st_size if run.folder.events.exists() else 0
    return queue.resume(run), since


def carry_out_evaluation(args: Namespace) -> "Evaluated":
    """Evaluate the model on the split of the data set that a command names, with a progress bar."""
    from fracture.evaluation.external.job import carry_out
    from fracture.evaluation.external.results import request_evaluation

    store_labels(args.data, args)
    request = request_evaluation(args.model, args.data, args.split, args.body_part)
    try:
        with progress_bar("Evaluating", quiet=args.json) as on_progress:
            return carry_out(request, on_progress)
    except Cancelled as error:
        raise ModelError("The evaluation was stopped. Start it again.") from error


def evaluate_command(args: Namespace) -> JsonObject:
    """Evaluate a model on one split of a data set."""
    from fracture.evaluation.external.comparison import compare, explain

    evaluated = carry_out_evaluation(args)
    evaluation = evaluated.evaluation
    result = evaluated.result
    for sentence in [*evaluation.errors, *evaluation.warnings]:
        print(sentence, file=sys.stderr)
    card = read_card(model_folder(args.model))
    compared = {level: compare(result, card, level) for level in result.metrics}
    explanation = explain(result, card)
    if not args.json:
        print(summary(evaluation.metrics, evaluation.localization, evaluation.model_labels))
        print(selection_sentence(card))
        print(
            f"{evaluation.out_of_distribution:,} of {evaluation.images:,} images are out of distribution, unlike the "
            "training images."
        )
        print(comparison(compared))
        print("\n".join(explanation))
    comparison_json = {level: [asdict(metric) for metric in metrics] for level, metrics in compared.items()}
    return {**evaluation.to_json(), "comparison": comparison_json, "explanation": explanation}


def classify(args: Namespace) -> JsonObject:
    """Classify files, each on its own or as views of one study, with a model or with the one that knows each best."""
    models = _models_to_ask(args)
    if args.csv and not args.csv.parent.is_dir():
        raise FractureError(f"There is no folder {args.csv.parent} to write {args.csv.name} into.")
    folders = [path for path in args.files if path.is_dir()]
    errors = [
        f"{folder} holds no image: {', '.join(ENDINGS)}, or DICOM without ending."
        for folder in folders
        if not _images(folder)
    ]
    studies = _studies(args.files, args.study)
    screen = load_screen(models)
    lines: list[JsonObject] = []
    contested = 0
    quiet = len(studies) < 5 or args.json or not sys.stderr.isatty()
    for study, paths in tqdm(studies, desc="Classifying", disable=quiet):
        images = _readable(paths, args.frame, PictureChanges(invert=args.invert), errors)
        if images:
            answered = _answers(images, models, screen)
            contested += len(answered) > 1
            for model, passes in answered if args.all_models else answered[:1]:
                views = [model.complete(each, args.threshold) for each in passes]
                answer = model.answer(views, args.threshold, answer_unlike=args.answer_unlike)
                lines += rows(study, answer, model.name, _explain(model, views, images))
    if args.csv:
        write_csv(args.csv, lines)
    if not args.json:
        _print_predictions(models, lines)
    if contested and not args.all_models:
        print(
            f"For {contested:,} of {len(studies):,} it can't be told which model knows them best; their answers are by "
            "the closer one. --all-models prints both.",
            file=sys.stderr,
        )
    for sentence in errors:
        print(sentence, file=sys.stderr)
    runtimes = {model.name: model.runtime for model in models}
    found: JsonObject = {"results": lines, "errors": errors, "runtimes": runtimes}
    adjusted = {model.name: model.adjusted for model in models if model.adjusted}
    if adjusted:
        found["adjusted"] = adjusted
    if len(models) == 1:
        return {"model": models[0].name, "labels": list(models[0].labels), **found}
    return {"model": AUTOMATIC, "models": {model.name: list(model.labels) for model in models}, **found}


def _models_to_ask(args: Namespace) -> list[Classifier]:
    """The model that was named; else all that come with the project and those to ask, too: the best match answers."""
    also_asked: list[str] = args.also_ask or []
    if len(also_asked) > MAX_ALSO_ASKED:
        raise ModelError(f"--also-ask takes at most {MAX_ALSO_ASKED} models. Received: {', '.join(also_asked)}.")
    if args.model not in (None, AUTOMATIC):
        if also_asked:
            raise ModelError(f"--also-ask adds models to {AUTOMATIC!r}. Received: --model {args.model}; leave one out.")
        return [_load(model_folder(args.model), args.unadjusted)]
    shipped = shipped_models()
    if len(shipped) > 1 or also_asked:
        folders = dict.fromkeys([*shipped, *(model_folder(name) for name in also_asked)])
        return [_load(folder, args.unadjusted) for folder in folders]
    return [_load(model_folder(_default_model(quiet=args.json)), args.unadjusted)]


def _load(folder: ModelFolder, unadjusted: bool) -> Classifier:
    """A model with its adjustments; where they can't be used, a sentence on stderr says why, and it answers without."""
    if unadjusted:
        return Classifier(folder)
    card = read_card(folder)
    try:
        adjustments = find_adjustments(folder, card)
    except ModelError as error:
        print(error, file=sys.stderr)
        adjustments = None
    return Classifier(folder, adjustments)


def _answers(
    images: list[tuple[str, Radiograph]], models: list[Classifier], screen: RadiographScreen | None
) -> list[tuple[Classifier, list[FirstPass]]]:
    """The models that answer for a study, the best match first, each with its first passes over the images."""
    seen = [{model.name: model.first_pass(name, image) for model in models} for name, image in images]
    if screen is not None:
        seen = [screen.mark(passes, image) for (_, image), passes in zip(images, seen, strict=True)]
    by_model = {model.name: [passes[model.name] for passes in seen] for model in models}
    chosen = choose_models([match_model(model, by_model[model.name]) for model in models])
    return [(match.model, by_model[match.model.name]) for match in chosen]


def _explain(model: Classifier, views: list[View], images: list[tuple[str, Radiograph]]) -> list[Explanation]:
    """What is unusual about the images."""
    return [explain(view, model.ood_detector, image.pixels) for view, (_, image) in zip(views, images, strict=True)]


def _readable(
    paths: list[Path], frame: int, changes: PictureChanges, errors: list[str]
) -> list[tuple[str, Radiograph]]:
    """The changed images that can be read and show something, by name; ``errors`` gets a sentence for each other."""
    images = []
    for path in paths:
        try:
            image = change(load(path, frame), changes)
            check_visible(image, sanitize_name(path.name))
        except RadiographError as error:
            errors.append(str(error))
        else:
            images.append((str(path), image))
    return images


def _print_predictions(models: list[Classifier], lines: list[JsonObject]) -> None:
    positives = {model.name: model.labels[1] for model in models}
    width = max(map(len, positives.values())) + 25
    for line in lines:
        subject = line["image"] if line["kind"] == "image" else f"study {line['study']}"
        by_model = f"  {line['model']}" if len(models) > 1 else ""
        print(f"{line['answer']:>14}  {_probability(line, positives[line['model']]):{width}}  {subject}{by_model}")
        if said := _explanation(line):
            print(f"{'':>14}  {said}")
    if not lines:
        return
    print()
    limits = {line["model"]: OutcomeLimits(line["doubt_from"], line["doubt_to"]) for line in lines}
    for name, its_limits in limits.items():
        positive = positives[name]
        print(f"Probability of {positive!r} by model {name!r}; {_format_limits(its_limits, positive)}.")
    if len(models) > 1:
        print(f"Each answer is by the model that knows the image best, of {', '.join(positives)}.")
    for status, sentence in STATUS_SENTENCES.items():
        if any(line["status"] == status for line in lines):
            print(f"{status}: {sentence}")
    if any(line["status"] == Status.UNLIKE and line["probability"] is None for line in lines):
        print("--answer-unlike answers it nevertheless, outside of what the model was validated on.")
    for model in models:
        if model.adjusted:
            print(f"{model.name}: {model.adjusted}")
    print(NOTICE)


def _explanation(line: JsonObject) -> str:
    """The training images that an image is nearest to, and what is unusual about it; empty where nothing is said."""
    nearest = f"nearest training images: {line['nearest_parts']}" if line["nearest_parts"] else ""
    unusual = f"unusual: {line['unusual']}" if line["unusual"] else ""
    return "; ".join(words for words in (nearest, unusual) if words)


def _format_limits(limits: OutcomeLimits, positive: str) -> str:
    if limits.leave_doubt:
        return f"in doubt from {limits.low:g} to {limits.high:g}"
    return f"{positive!r} from {limits.high:g} on"


def _probability(line: JsonObject, positive: str) -> str:
    if line["probability"] is None:
        return "no prediction"
    return f"{positive} {line['probability']:.3f} ({line['lowest']:.3f} to {line['highest']:.3f})"


def _studies(files: list[Path], together: bool) -> list[tuple[str, list[Path]]]:
    """Studies by name: each file is one; with ``together`` all named files are one, and those of each folder."""
    named = [path for path in files if not path.is_dir()]
    found = [image for path in files if path.is_dir() for image in _images(path)]
    if not together:
        return [(str(path), [path]) for path in [*named, *found]]
    by_folder = itertools.groupby(found, key=lambda image: image.parent)
    studies = [(str(folder), list(images)) for folder, images in by_folder]
    if named:
        studies.insert(0, (str(named[0].parent), named))
    return studies


def _images(folder: Path) -> list[Path]:
    """All images below a folder, those of one folder side by side."""
    return sorted((folder / name for name in walk(folder)), key=lambda path: (path.parent, path.name))


def _default_model(quiet: bool) -> str:
    """The name of the model to use where none is named; which one and why is printed on stderr."""
    found = by_preference(usable_models())
    if not found:
        raise ModelError("There is no model yet. Train one: python -m fracture train --data PATH --name NAME")
    default = found[0]
    if not quiet:
        print(f"Using {describe_model(default)}: {why_default(default)}. Another one: --model NAME", file=sys.stderr)
    return default.name


def models(args: Namespace) -> list[Any]:
    """List all models and runs."""
    runs = {run.name: run for run in queue.runs()}
    names = dict.fromkeys([*runs, *(folder.name for folder in usable_models())])
    found = [_model(name, runs.get(name)) for name in names]
    if not args.json:
        for model in found:
            _print_model(model, runs.get(model["name"]))
        if not found:
            print("No models yet. Train one: python -m fracture train --data PATH --name NAME")
    return found


def _print_model(model: JsonObject, run: queue.Run | None) -> None:
    state = run.shown_state if run else model["state"]
    found = model["error"]
    if not found and model["auc"] is not None:
        folder = model_folder(model["name"])
        found = f"{auc_in_words(folder)}; epoch and thresholds chosen on {chosen_on(read_card(folder))}"
    print(f"{model['name']:24} {state:10} {found or ''}")


def _model(name: str, run: queue.Run | None) -> JsonObject:
    """One model or run; a damaged one is listed with what is wrong with it."""
    folder = model_folder(name)
    error = run.error if run else None
    labels = None
    auc = None
    try:
        if folder.usable:
            card = read_card(folder)
            labels = list(card.labels)
            auc = card.metrics["image"]["auc"]["value"]
    except ModelError as damage:
        error = str(damage)
    state = run.state if run else "finished"
    return {"name": name, "state": state, "error": error, "usable": auc is not None, "labels": labels, "auc": auc}
