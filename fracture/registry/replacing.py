"""A new model in the place of the one that a training left before it was interrupted, which stays whole until then."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fracture.files import write_json
from fracture.registry.model_folder import ModelFolder


@contextmanager
def saved_aside(folder: ModelFolder) -> Iterator[ModelFolder]:
    """Where the files of a new model are written while those of the one before stay; gone again where that fails."""
    aside = ModelFolder(folder.path / ".new")
    shutil.rmtree(aside.path, ignore_errors=True)  # left by a process that was killed
    aside.path.mkdir()
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside.path, ignore_errors=True)
        raise


def replace_model(aside: ModelFolder, folder: ModelFolder, card: dict[str, Any]) -> None:
    """Let what was saved aside, and its card, take the place of what a training left before an interruption.

    The card comes last of all: where there is one, the rest is whole. Raises OSError; then the model before is whole.
    """
    write_json(aside.card, card)
    folder.card.unlink(missing_ok=True)
    for path in sorted(aside.path.iterdir(), key=lambda path: path == aside.card):
        path.replace(folder.path / path.name)
    aside.path.rmdir()
