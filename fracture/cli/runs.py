"""Commands about one run or model: rename it, note something, print a script that trains it again."""

import argparse
import sys

from fracture.errors import FractureError, ModelError
from fracture.files import JsonObject, atomic_write
from fracture.registry.edit import read_note
from fracture.registry.model_folder import ModelFolder, model_folder, model_folders
from fracture.training.runs import queue
from fracture.training.runs.keras_script import TABLE, as_code, found_here, script_images

Args = argparse.Namespace


def rename_command(args: Args) -> JsonObject:
    """Rename a model or a run."""
    folder = queue.rename(_known(args.old), args.new)
    if not args.json:
        print(f"{args.old!r} is called {folder.name!r} now, in {folder.path}")
    return {"name": folder.name, "before": args.old, "path": str(folder.path)}


def note_command(args: Args) -> JsonObject:
    """Print or replace the note about a model or a run."""
    folder = _known(args.name)
    if args.text is not None:
        queue.note(folder, args.text)
    found = read_note(folder)
    if not args.json:
        print(found or f"There is no note about {folder.name!r}.")
    return {"name": folder.name, "note": found}


def code(args: Args) -> JsonObject:
    """Print the script that trains a model again, or write it beside the list of its images."""
    card = found_here(model_folder(args.model))
    script = as_code(card)
    if args.out:
        return {"code": script, **_write_code(args, card, script)}
    if not args.json:
        print(script, end="")
        print(f"It needs {TABLE} beside it: --out DIR writes both.", file=sys.stderr)
    return {"code": script}


def _write_code(args: Args, card: JsonObject, script: str) -> JsonObject:
    """Write both files into a folder, never over existing ones."""
    files = [args.out / f"{args.model}.py", args.out / TABLE]
    if there := [path.name for path in files if path.exists()]:
        raise FractureError(f"--out must be a folder without {' and '.join(there)}. Received: {args.out}")
    try:
        table = script_images(card)
        args.out.mkdir(parents=True, exist_ok=True)
        atomic_write(files[0], lambda part: part.write_text(script, encoding="utf-8"))
        atomic_write(files[1], lambda part: table.to_csv(part, index=False))
    except OSError as error:
        raise FractureError(f"{args.out} cannot be written to: {error.strerror}. Choose another folder.") from error
    if not args.json:
        print(f"{files[0]} and the list of its {len(table):,} images. Run it there: python {files[0].name}")
    return {"script": str(files[0]), "images": str(files[1])}


def _known(name: str) -> ModelFolder:
    folder = model_folder(name)
    if not folder.path.is_dir():
        names = ", ".join(each.name for each in model_folders()) or "none yet"
        raise ModelError(f"There is no model or run called {name!r}. Here are: {names}.")
    return folder
