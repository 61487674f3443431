"""Data sets: what is there and what is wrong with it, phantoms, class folders."""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from fracture.data import measurements
from fracture.data.checks import Problem, by_severity, check
from fracture.data.dataset import Dataset, counts, existing_folder, scan
from fracture.data.decisions import apply_decisions
from fracture.data.export import write_prep, zip_prep
from fracture.errors import DatasetError
from fracture.evaluation import label_issues
from fracture.paths import data_home, is_name
from fracture.phantoms.generate import write
from fracture.phantoms.job import PhantomJob, Plan
from fracture.registry.model_folder import model_folder
from fracture.training.runs.data_folders import delete_dataset, rename_dataset

Args = argparse.Namespace


def dataset(args: Args) -> dict[str, Any]:
    """What is in a data set, and what is wrong with it; or its folder renamed or deleted."""
    if args.rename is not None:
        return _rename(args)
    if args.delete:
        return _delete(args)
    found = apply_decisions(scan(args.path, args.body_part))
    table = counts(found.table)
    problems = check(found, _measured(found, args), read_files=False)
    document = {
        "root": str(found.root),
        "layout": found.layout,
        "label_names": list(found.label_names),
        "images": len(found.table),
        "excluded": found.excluded,
        "relabelled": found.relabelled,
        "counts": table.to_dict(orient="records"),
    }
    if args.model:
        doubted = _doubted(found, args)
        told = label_issues.problem(doubted, found.label_names, args.model)
        problems = by_severity([*problems, *([told] if told else [])])
        document["label_doubts"] = doubted[doubted["is_issue"]].to_dict(orient="records")
    if not args.json:
        _print_dataset(found, table, problems)
    return {**document, "problems": [vars(problem) for problem in problems]}


def _rename(args: Args) -> dict[str, Any]:
    folder = _named(args.path)
    renamed = rename_dataset(folder, args.rename)
    if not args.json:
        print(f"{folder.name!r} is called {renamed.name!r} now, and lies in {renamed}")
    return {"name": renamed.name, "before": folder.name, "path": str(renamed)}


def _delete(args: Args) -> dict[str, Any]:
    folder = _named(args.path)
    if not args.yes and not _sure(f"Delete {folder} with all images in it?"):
        raise DatasetError(f"{folder} is not deleted: that needs a yes, or --yes.")
    delete_dataset(folder)
    if not args.json:
        print(f"{folder} is deleted.")
    return {"deleted": str(folder)}


def _named(path: str) -> Path:
    """A bare name means the folder or link of that name in the data home, and not what the link leads to."""
    inside = data_home() / path
    return inside if is_name(path) and inside.is_dir() else existing_folder(path)


def _sure(question: str) -> bool:
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _measured(found: Dataset, args: Args) -> pd.DataFrame | None:
    if args.quick:
        return None
    with _counting("Looking at the images", args) as say:
        return measurements.measure(found.table, say)


def _doubted(found: Dataset, args: Args) -> pd.DataFrame:
    with _counting(f"Asking model {args.model}", args) as say:
        return label_issues.label_doubts(found, model_folder(args.model), say)


@contextlib.contextmanager
def _counting(what: str, args: Args) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, and what tells it how many of how many images are done."""
    with tqdm(desc=what, unit="image", disable=args.json or not sys.stderr.isatty()) as bar:

        def say(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield say


def _print_dataset(found: Dataset, table: pd.DataFrame, problems: Iterable[Problem]) -> None:
    print(f"{found.root}: {len(found.table):,} images, layout {found.layout}")
    if found.excluded or found.relabelled:
        print(f"By decision, {found.excluded:,} more are left out and {found.relabelled:,} have another label.")
    named = table.assign(label=[found.label_names[label] for label in table["label"]])
    print("", named.to_string(index=False), "", sep="\n")
    for problem in problems:
        print(f"{problem.severity}: {problem.message}\n    {problem.why}")


def phantom(args: Args) -> dict[str, Any]:
    """Draw a data set of phantoms, or what it lacks."""
    chosen = {name: value for name in ("patients", "seed", "difficulty") if (value := getattr(args, name)) is not None}
    plan, said = Plan(**chosen), []
    with tqdm(total=plan.patients, unit="patient", disable=args.json or not sys.stderr.isatty()) as bar:

        def say(job: PhantomJob) -> None:
            said.append(job.images)
            bar.update(job.done - bar.n)

        started = time.monotonic()
        drawn = write(args.out.absolute(), plan, say)
        rate = (said[-1] - said[0]) / max(time.monotonic() - started, 1e-9)
    if not args.json:
        print(f"{drawn.done:,} of {plan.patients:,} patients, {drawn.images:,} images in {drawn.root}")
        print(f"Drawn now: {said[-1] - said[0]:,} images, {rate:.1f} a second")
    return {
        "root": str(drawn.root),
        "state": drawn.state,
        **vars(plan),
        "done": drawn.done,
        "images": drawn.images,
        "images_per_second": round(rate, 2),
    }


def prep(args: Args) -> dict[str, Any]:
    """Make class folders, or a zip of them, of a data set as it was decided to be."""
    found, out = apply_decisions(scan(args.path, args.body_part)), args.out.absolute()
    with _counting("Exporting", args) as say:
        zip_prep(found, out, say) if args.way == "zip" else write_prep(found, out, args.way, say)
    if not args.json:
        print(f"{len(found.table):,} images are in {out}")
    return {"out": str(out), "images": len(found.table), "excluded": found.excluded, "relabelled": found.relabelled}
