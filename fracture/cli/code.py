"""A finished training as a script by itself."""

import argparse
import sys
from typing import Any

from fracture.errors import FractureError
from fracture.files import atomic_write
from fracture.registry.model_folder import model_folder
from fracture.training.runs.keras_script import TABLE, as_code, found_here, images_of


def code(args: argparse.Namespace) -> dict[str, Any]:
    """Print the script that trains a model again, or write it beside the list of its images."""
    card = found_here(model_folder(args.model))
    script = as_code(card)
    if args.out:
        return {"code": script, **_write(args, card, script)}
    if not args.json:
        print(script, end="")
        print(f"It needs {TABLE} beside it: --out DIR writes both.", file=sys.stderr)
    return {"code": script}


def _write(args: argparse.Namespace, card: dict[str, Any], script: str) -> dict[str, Any]:
    """Both files into a folder, never over one that is there."""
    files = [args.out / f"{args.model}.py", args.out / TABLE]
    if there := [path.name for path in files if path.exists()]:
        raise FractureError(f"--out must be a folder without {' and '.join(there)}. Received: {args.out}")
    try:
        table = images_of(card)
        args.out.mkdir(parents=True, exist_ok=True)
        atomic_write(files[0], lambda part: part.write_text(script, encoding="utf-8"))
        atomic_write(files[1], lambda part: table.to_csv(part, index=False))
    except OSError as error:
        raise FractureError(f"{args.out} cannot be written to: {error.strerror}. Choose another folder.") from error
    if not args.json:
        print(f"{files[0]} and the list of its {len(table):,} images. Run it there: python {files[0].name}")
    return {"script": str(files[0]), "images": str(files[1])}
