"""Commands about one run or model: rename it, note something, compute its features, print a script that trains it."""

import sys
from argparse import Namespace

from fracture.cli.terminal import progress_bar
from fracture.errors import Cancelled, FractureError, ModelError, RunError
from fracture.files import JsonObject, atomic_write
from fracture.jobs.process import lower_priority
from fracture.parallel import cluster_address
from fracture.registry.edit import read_note
from fracture.registry.model_folder import ModelFolder, model_folder, model_folders
from fracture.training.runs import queue
from fracture.training.runs.keras_script import TABLE, as_code, found_here, script_images


def rename_command(args: Namespace) -> JsonObject:
    """Rename a model or a run."""
    folder = queue.rename(_known(args.old), args.new)
    if not args.json:
        print(f"{args.old!r} is called {folder.name!r} now, in {folder.path}")
    return {"name": folder.name, "before": args.old, "path": str(folder.path)}


def note_command(args: Namespace) -> JsonObject:
    """Print or replace the note about a model or a run."""
    folder = _known(args.name)
    if args.text is not None:
        queue.note(folder, args.text)
    found = read_note(folder)
    if not args.json:
        print(found or f"There is no note about {folder.name!r}.")
    return {"name": folder.name, "note": found}


def features(args: Namespace) -> JsonObject:
    """Compute the features of a run's images that are no longer in the cache."""
    from fracture.experiments.extraction import extract_features
    from fracture.experiments.workbench import runs_with_features

    run = queue.find_run(_known(args.model))
    if run is None or not runs_with_features([run]):
        raise RunError(
            f"Only a run with a frozen backbone that has ended has features to compute. Received: {args.model!r}; "
            "choose another one."
        )
    if args.json:  # the process that a page has started
        lower_priority()
    try:
        with progress_bar("Extracting features", quiet=args.json) as on_progress:
            images = extract_features(run, on_progress, cluster_address(args.cluster))
    except Cancelled as error:
        raise RunError("The extraction was stopped. Start it again to go on from there.") from error
    if not args.json:
        print(f"The features of {images:,} images of {run.name!r} are in the cache.")
    return {"model": run.name, "images": images}


def code(args: Namespace) -> JsonObject:
    """Print the script that trains a model again, or write it beside the list of its images."""
    card = found_here(model_folder(args.model))
    script = as_code(card)
    if args.out:
        return {"code": script, **_write_code(args, card, script)}
    if not args.json:
        print(script, end="")
        print(f"It needs {TABLE} beside it: --out DIR writes both.", file=sys.stderr)
    return {"code": script}


def _write_code(args: Namespace, card: JsonObject, script: str) -> JsonObject:
    """Write both files into a folder, never over existing ones."""
    code_file = args.out / f"{args.model}.py"
    images_file = args.out / TABLE
    there = [path.name for path in (code_file, images_file) if path.exists()]
    if there:
        raise FractureError(f"--out must be a folder without {' and '.join(there)}. Received: {args.out}")
    try:
        table = script_images(card)
        args.out.mkdir(parents=True, exist_ok=True)
        atomic_write(code_file, lambda part: part.write_text(script, encoding="utf-8"))
        atomic_write(images_file, lambda part: table.to_csv(part, index=False))
    except OSError as error:
        raise FractureError(f"{args.out} cannot be written to: {error.strerror}. Choose another folder.") from error
    if not args.json:
        print(f"{code_file} and the list of its {len(table):,} images. Run it there: python {code_file.name}")
    return {"script": str(code_file), "images": str(images_file)}


def _known(name: str) -> ModelFolder:
    folder = model_folder(name)
    if not folder.path.is_dir():
        names = ", ".join(each.name for each in model_folders()) or "none yet"
        raise ModelError(f"There is no model or run called {name!r}. Here are: {names}.")
    return folder
