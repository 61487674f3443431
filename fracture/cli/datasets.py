"""Data sets: their contents and problems, synthetic ones, class folders."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from fracture.cli.terminal import progress_bar, store_labels
from fracture.data import measurements
from fracture.data.annotations.boxes import BOXED
from fracture.data.checks import Problem, by_severity, check
from fracture.data.dataset import Dataset, counts, existing_folder, scan
from fracture.data.decisions import apply_decisions
from fracture.data.export import write_prep, zip_prep
from fracture.errors import DatasetError
from fracture.estimate import format_number
from fracture.evaluation import label_issues
from fracture.evaluation.properties import associations as properties
from fracture.files import JsonObject
from fracture.parallel import Workplace, cluster_address
from fracture.paths import data_home, is_name
from fracture.phantoms.generate import write
from fracture.phantoms.job import PhantomJob, find_phantom_job
from fracture.phantoms.plan import FORMER_RULE, Plan
from fracture.registry.model_folder import model_folder
from fracture.training.runs.data_folders import delete_dataset, rename_dataset


def dataset_command(args: Namespace) -> JsonObject:
    """Show the contents and the problems of a data set; or rename or delete its folder."""
    if args.rename is not None:
        return _rename(args)
    if args.delete:
        return _delete(args)
    store_labels(args.path, args)
    found = apply_decisions(scan(args.path, args.body_part))
    table = counts(found.table)
    measured = _measured(found, args)
    problems = check(found, measured, read_files=False)
    associations = [] if measured is None else properties.find_associations(found, measured)
    if shortcut := properties.problem(associations, found.label_names[1]):
        problems = by_severity([*problems, shortcut])
    document = {
        "root": str(found.root),
        "layout": found.layout,
        "label_names": list(found.label_names),
        "label_mappings": [mapping.to_json() for mapping in found.label_mappings],
        "patient_pattern": found.patient_pattern,
        "columns": found.columns.named() if found.columns else {},
        "skipped": [each._asdict() for each in found.skipped],
        "images": len(found.table),
        "excluded": found.excluded,
        "relabelled": found.relabelled,
        "counts": table.to_dict(orient="records"),
        "properties": properties.to_json(associations),
    }
    if args.model:
        issues = _label_issues(found, args)
        document["label_doubts"] = issues[issues["is_issue"]].to_dict(orient="records")
        problem = label_issues.problem(issues, found.label_names, args.model)
        if problem:
            problems = by_severity([*problems, problem])
    if not args.json:
        _print_dataset(found, table, problems)
        _print_properties(associations)
    return {**document, "problems": [vars(problem) for problem in problems]}


def _rename(args: Namespace) -> JsonObject:
    folder = _named_folder(args.path)
    renamed = rename_dataset(folder, args.rename)
    if not args.json:
        print(f"{folder.name!r} is called {renamed.name!r} now, in {renamed}")
    return {"name": renamed.name, "before": folder.name, "path": str(renamed)}


def _delete(args: Namespace) -> JsonObject:
    folder = _named_folder(args.path)
    if not args.yes and not _confirm(f"Delete {folder} with all its images?"):
        raise DatasetError(f"{folder} is not deleted: that needs a yes, or --yes.")
    delete_dataset(folder)
    if not args.json:
        print(f"{folder} is deleted.")
    return {"deleted": str(folder)}


def _named_folder(path: str) -> Path:
    """The folder to rename or delete; a name means the entry of the data home, be it a link, not the link's target."""
    inside = data_home() / path
    if is_name(path) and inside.is_dir():
        return inside
    return existing_folder(path)


def _confirm(question: str) -> bool:
    if not sys.stdin.isatty():  # a script: there is nobody to ask
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _measured(found: Dataset, args: Namespace) -> pd.DataFrame | None:
    if args.quick:
        return None
    with progress_bar("Measuring images", quiet=args.json) as on_progress:
        by = Workplace(args.workers or 1, cluster_address(args.cluster))
        return measurements.measure(found.table, on_progress, by=by)


def _label_issues(found: Dataset, args: Namespace) -> pd.DataFrame:
    with progress_bar("Extracting features", quiet=args.json) as on_progress:
        return label_issues.find_label_issues(found, model_folder(args.model), on_progress)


def _print_dataset(found: Dataset, table: pd.DataFrame, problems: Iterable[Problem]) -> None:
    print(f"{found.root}: {len(found.table):,} images, layout {found.layout}")
    if found.excluded or found.relabelled:
        print(f"By decision, {found.excluded:,} more are excluded and {found.relabelled:,} have another label.")
    if found.columns:
        print(f"{found.columns.describe()} To change that: --columns {found.columns.command()}")
    for mapping in found.label_mappings:
        swap = "" if found.layout in BOXED else f" To swap them: --labels {mapping.swapped().command()}"
        if said := mapping.describe():
            print(f"{said}{swap}")
    named = table.assign(label=[found.label_names[label] for label in table["label"]])
    print(f"\n{named.to_string(index=False)}\n")
    for problem in problems:
        print(f"{problem.severity}: {problem.message}\n    {problem.why}")


def _print_properties(found: list[properties.Association]) -> None:
    if not found:
        return
    print("\nAUC of each property of the images in predicting the label alone (95% interval):")
    for each in found:
        print(f"  {each.title:20} {format_number(each.auc, 2):20}  {each.direction}" + "  *" * each.significant)
    print("  * the interval excludes 0.5; of many properties, one may do so by chance")


def phantom(args: Namespace) -> JsonObject:
    """Generate a data set of phantoms, or the missing part of one."""
    plan = _plan(args)
    images = []
    started = time.monotonic()
    with progress_bar("Generating", "patient", quiet=args.json) as on_progress:

        def show(job: PhantomJob) -> None:
            images.append(job.images)
            on_progress(job.done, plan.patients)

        ended = write(args.out.absolute(), plan, show, args.workers, cluster_address(args.cluster))
    generated = images[-1] - images[0]  # the first report counts what was there before
    rate = generated / max(time.monotonic() - started, 1e-9)
    if not args.json:
        print(f"{ended.done:,} of {plan.patients:,} patients, {ended.images:,} images in {ended.root}")
        print(f"Generated now: {generated:,} images, {rate:.1f} a second")
    return {
        "root": str(ended.root),
        "state": ended.state,
        **plan.settings,
        "done": ended.done,
        "images": ended.images,
        "images_per_second": round(rate, 2),
    }


def _plan(args: Namespace) -> Plan:
    given = {"patients": args.patients, "seed": args.seed, "difficulty": args.difficulty}
    plan = Plan(**{name: value for name, value in given.items() if value is not None})
    if args.hardware_share == FORMER_RULE:
        return replace(plan, hardware_share=None)
    if args.hardware_share is not None:
        return replace(plan, hardware_share=args.hardware_share)
    # An unfinished set keeps its rule: the same command must complete a set that was begun before there was a share.
    begun = find_phantom_job(args.out)
    return replace(plan, hardware_share=begun.plan.hardware_share) if begun else plan


def prep(args: Namespace) -> JsonObject:
    """Export a data set, with all decisions applied, as class folders or as a zip of them."""
    store_labels(args.path, args)
    found = apply_decisions(scan(args.path, args.body_part))
    out = args.out.absolute()
    with progress_bar("Exporting", quiet=args.json) as on_progress:
        if args.way == "zip":
            zip_prep(found, out, on_progress)
        else:
            write_prep(found, out, args.way, on_progress)
    if not args.json:
        print(f"{len(found.table):,} images are in {out}")
    return {"out": str(out), "images": len(found.table), "excluded": found.excluded, "relabelled": found.relabelled}
