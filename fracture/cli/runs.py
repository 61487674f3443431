"""What people may change of models and trainings: a name, a note."""

import argparse
from typing import Any

from fracture.errors import ModelError
from fracture.registry.edit import read_note
from fracture.registry.model_folder import ModelFolder, model_folder, model_folders
from fracture.training.runs import queue

Args = argparse.Namespace


def rename(args: Args) -> dict[str, Any]:
    """Give a model or a training another name."""
    folder = queue.rename(_known(args.old), args.new)
    if not args.json:
        print(f"{args.old!r} is called {folder.name!r} now, and lies in {folder.path}")
    return {"name": folder.name, "before": args.old, "path": str(folder.path)}


def note(args: Args) -> dict[str, Any]:
    """Print the note about a model or a training, or put another in its place."""
    folder = _known(args.name)
    if args.text is not None:
        queue.note(folder, args.text)
    found = read_note(folder)
    if not args.json:
        print(found or f"There is no note about {folder.name!r}.")
    return {"name": folder.name, "note": found}


def _known(name: str) -> ModelFolder:
    folder = model_folder(name)
    if not folder.path.is_dir():
        names = ", ".join(each.name for each in model_folders()) or "none yet"
        raise ModelError(f"There is no model or training called {name!r}. Those that are here: {names}.")
    return folder
