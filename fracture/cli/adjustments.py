"""Adjust a model to other radiographs than those of its training, and undo that; its folder stays as it is."""

import sys
from argparse import Namespace

from fracture import demo
from fracture.cli.models import carry_out_evaluation
from fracture.cli.terminal import metric_label, progress_bar
from fracture.errors import Cancelled, ModelError
from fracture.estimate import format_number
from fracture.evaluation.external.comparison import metric_pairs
from fracture.evaluation.external.recalibration import describe_brier_difference
from fracture.files import JsonObject
from fracture.registry.adjustments import (
    FamiliarityThreshold,
    Part,
    Recalibration,
    adjustments_file,
    save_adjustment,
    undo_adjustment,
)
from fracture.registry.metric_names import POINT_NAMES
from fracture.registry.model_folder import model_folder, read_card


def recalibrate_command(args: Namespace) -> JsonObject:
    """Refit a model's temperature and thresholds on a data set, or undo that."""
    demo.refuse("adjustments")  # before minutes of work
    return _undo(args, "recalibration") if args.undo else _recalibrate(args)


def _recalibrate(args: Namespace) -> JsonObject:
    from fracture.evaluation.external.recalibration import recalibrate

    folder = model_folder(args.model)
    card = read_card(folder)
    evaluated = carry_out_evaluation(args)
    for sentence in evaluated.evaluation.errors:
        print(sentence, file=sys.stderr)
    made = recalibrate(evaluated.evaluation.predictions, card, evaluated.result)
    save_adjustment(folder, card, made)
    if not args.json:
        _print_recalibration(made, card.temperature or 1.0)
        _print_undo(args.model, "recalibrate")
    return {"model": args.model, "recalibration": made.model_dump(), "file": str(adjustments_file(args.model))}


def _print_recalibration(made: Recalibration, temperature_before: float) -> None:
    left_out = f"; {made.left_out:,} that the model was trained on are left out" if made.left_out else ""
    print(f"Recalibrated on {made.images:,} images of {made.data}, {made.groups:,} patients or groups{left_out}.")
    print(f"temperature {made.temperature:.3f}, before {temperature_before:.3f}")
    print(
        "thresholds " + ", ".join(f"{POINT_NAMES.get(name, name)} {value:g}" for name, value in made.thresholds.items())
    )
    print(f"Of images judged by values that were fitted on the other of {made.folds} folds, with 95% intervals:")
    for level, before in made.before.items():
        for pair in metric_pairs(before, made.after[level]):
            label = metric_label(pair.metric, pair.point)
            print(f"  by {level}, {label}: {format_number(pair.second)}, before {format_number(pair.first)}")
    print(describe_brier_difference(made))


def calibrate_command(args: Namespace) -> JsonObject:
    """Refit the threshold of a model's out-of-distribution check on a folder of radiographs, or undo that."""
    demo.refuse("adjustments")
    return _undo(args, "familiarity") if args.undo else _calibrate(args)


def _calibrate(args: Namespace) -> JsonObject:
    from fracture.evaluation.external.calibration_job import CalibrationRequest, carry_out

    request = CalibrationRequest(model_folder(args.model).name, args.folder.resolve())
    try:
        with progress_bar("Comparing", quiet=args.json) as on_progress:
            found = carry_out(request, on_progress)
    except Cancelled as error:
        raise ModelError("The calibration was stopped. The model stays as it was; start it again.") from error
    for sentence in found.errors:
        print(sentence, file=sys.stderr)
    if not args.json:
        _print_familiarity(found.fitted, found.farthest)
        _print_undo(args.model, "calibrate")
    return {
        "model": args.model,
        "familiarity": found.fitted.model_dump(),
        "farthest": dict(found.farthest),
        "file": str(adjustments_file(args.model)),
    }


def _print_familiarity(fitted: FamiliarityThreshold, farthest: tuple[tuple[str, float], ...]) -> None:
    print(
        f"Of {fitted.images:,} radiographs the model refused {fitted.refused_before:,} as unlike its training images; "
        f"thresholds chosen without them refuse {fitted.refused_after:,}."
    )
    print(f"threshold {fitted.threshold:.3f}, before {fitted.threshold_before:.3f}")
    if fitted.threshold > fitted.threshold_before:
        print("A higher threshold also lets more pictures through that are no radiographs.")
    named = ", ".join(f"{name} ({times:.2f})" for name, times in farthest)
    print(f"The farthest ones, in units of the former threshold: {named}. Each must be a radiograph; else remove it.")


def _undo(args: Namespace, part: Part) -> JsonObject:
    folder = model_folder(args.model)
    undone = undo_adjustment(folder, read_card(folder), part)
    if not args.json:
        print(f"The {part} of model {args.model!r} is undone." if undone else "There is nothing to undo.")
    return {"model": args.model, "undone": undone}


def _print_undo(model: str, command: str) -> None:
    print(f"Undo: python -m fracture {command} --model {model} --undo")
