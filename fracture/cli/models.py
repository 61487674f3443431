"""Models: train one, evaluate it, list all."""

import sys
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fracture import demo
from fracture.cli.terminal import comparison, follow, progress_bar, store_labels, summary
from fracture.data.combine import load_combined
from fracture.errors import Cancelled, ModelError, RunError
from fracture.files import JsonObject
from fracture.parallel import Workplace, cluster_address
from fracture.registry.default_model import auc_in_words
from fracture.registry.model_folder import model_folder, read_card
from fracture.registry.selection import chosen_on, selection_sentence
from fracture.training.config import PRESETS, TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.listing import list_models
from fracture.training.weights import check_available, find_weights

if TYPE_CHECKING:
    from fracture.evaluation.external.job import Evaluated


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
    return queue.start(config, cluster=args.cluster)


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
    return queue.resume(run, cluster=args.cluster), since


def carry_out_evaluation(args: Namespace) -> "Evaluated":
    """Evaluate the model on the split of the data set that a command names, with a progress bar."""
    from fracture.evaluation.external.job import carry_out
    from fracture.evaluation.external.results import request_evaluation

    store_labels(args.data, args)
    request = request_evaluation(args.model, args.data, args.split, args.body_part)
    try:
        with progress_bar("Evaluating", quiet=args.json) as on_progress:
            by = Workplace(args.workers or 1, cluster_address(args.cluster))
            return carry_out(request, on_progress, by)
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


def models(args: Namespace) -> list[Any]:
    """List all models and runs."""
    found = list_models()
    if not args.json:
        runs = {run.name: run for run in queue.runs()}
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
