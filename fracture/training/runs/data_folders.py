"""Rename or delete a data set's folder, and change the runs and models that refer to it."""

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fracture.data.folders import being_filled
from fracture.demo import NOBODY, Policy
from fracture.errors import DatasetError, ModelError
from fracture.files import JsonObject, atomic_write, remove_folder
from fracture.paths import data_home, is_name
from fracture.registry.model_folder import ModelFolder, read_object
from fracture.training.runs import queue


def rename_dataset(folder: Path, name: str, policy: Policy = NOBODY) -> Path:
    """Rename a data set of the data home; returns its new folder.

    Runs that have ended, and their models, refer to the new folder from then on. Decisions about the images are
    stored in the folder and move with it.

    Raises:
        DatasetError: the name is invalid or taken; the folder is not in the data home, or is in use.
        PublicError: in a public demo, it is another visitor's.
    """
    if not is_name(name):
        raise DatasetError(
            "A data set's name has 1 to 64 letters, digits, dots, dashes and underscores. "
            f"Received: {name[:80]!r}; choose another one."
        )
    target = data_home() / name
    with queue.alone():
        _check_free(folder, policy)
        _check_further(folder)
        if target.exists():
            raise DatasetError(f"The data folder has a {name!r} already. Choose another name.")
        # All files are read before anything changes, so that a damaged one leaves everything as it is.
        contents = [content for run in _trained_on(folder) for content in _new_contents(run, folder, target)]
        try:
            folder.rename(target)
        except OSError as error:
            raise DatasetError(f"{folder.name!r} cannot be renamed: {error.strerror}.") from error
        _write_all(contents, name)
    return target


def delete_dataset(folder: Path, policy: Policy = NOBODY) -> None:
    """Delete a data set of the data home with all its images. Models that were trained on it are kept.

    Raises DatasetError and PublicError as :func:`rename_dataset` does.
    """
    with queue.alone():
        _check_free(folder, policy)
        try:
            remove_folder(folder)
        except OSError as error:
            raise DatasetError(f"{folder.name!r} cannot be deleted: {error.strerror}.") from error


def _check_free(folder: Path, policy: Policy) -> None:
    if folder.parent != data_home():
        raise DatasetError(
            f"Only data sets in the data folder can be renamed or deleted. Received: {folder}; do that yourself."
        )
    if not folder.is_dir():
        raise DatasetError(f"There is no data set {folder.name!r} any more. Choose another one.")
    policy.check_owner(folder)
    if being_filled(folder):
        raise DatasetError(f"{folder.name!r} is being imported or generated. Stop that first, or wait for its end.")
    places = {str(folder), os.path.realpath(folder)}
    for run in queue.runs():
        if run.active and places & {run.config.get("data"), *run.config.get("also", ())}:
            raise DatasetError(f"The run {run.name!r} uses {folder.name!r} and is {run.state}. Stop it first.")


def _check_further(folder: Path) -> None:
    """Models know the images of a further data set by its name: that must stay."""
    places = {folder.name, str(folder), os.path.realpath(folder)}
    known = [run.name for run in queue.runs() if places & set(run.config.get("also", ()))]
    if known:
        raise DatasetError(
            f"{folder.name!r} is a further data set of {', '.join(known)}, which refer to its images by its name. "
            "Delete these models first, or keep the name."
        )


def _trained_on(folder: Path) -> list[ModelFolder]:
    # A status has the full path, a card the name alone.
    places = (folder.name, os.path.realpath(folder))
    trained = [run.folder for run in queue.runs() if run.config.get("data") in places]
    return [model for model in trained if not model.bundled]


def _new_contents(model: ModelFolder, folder: Path, target: Path) -> Iterator[tuple[Path, str]]:
    """The files of a run with their new contents, for a data set that is moved from ``folder`` to ``target``.

    The target of a link stays where it is: only the card names the link.
    """
    before = os.path.realpath(folder)
    now = before if folder.is_symlink() else str(target)
    try:
        if model.status.exists():
            yield model.status, json.dumps(_moved(read_object(model.status), before, now), indent=1) + "\n"
        if model.card.exists():
            card = _card_of(_moved(read_object(model.card), before, now), folder.name, target.name)
            yield model.card, json.dumps(card, indent=1) + "\n"
        if model.events.exists():
            lines = model.events.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            yield model.events, "".join(f"{_moved_line(line, before, now)}\n" for line in lines)
    except (OSError, ModelError) as error:
        raise DatasetError(f"The run {model.name!r} refers to {folder.name!r} and can't be changed: {error}") from error


def _write_all(contents: list[tuple[Path, str]], name: str) -> None:
    for path, text in contents:
        data = text.encode("utf-8", errors="surrogateescape")
        try:
            atomic_write(path, partial(Path.write_bytes, data=data))
        except OSError as error:
            raise DatasetError(
                f"The data set is called {name!r} now, but {path.parent.name}/{path.name} has the old name: "
                f"{error.strerror}. Rename it back, solve that, and try again."
            ) from error


def _card_of(card: JsonObject, old: str, new: str) -> JsonObject:
    """A card names a folder of the data home by its name alone, also in the command that repeats the run."""
    # Only a whole word matches: another data set's name may begin with the old one.
    old_option = rf"--data {re.escape(old)}(?= |$)"
    command = re.sub(old_option, f"--data {new}", str(card.get("command", "")))
    config = {**card["config"], "data": new}
    return {**card, "config": config, "command": command}


def _moved_line(line: str, before: str, now: str) -> str:
    """An event with its paths moved; a damaged line stays as it is, since readers pass over it."""
    try:
        return json.dumps(_moved(json.loads(line), before, now))
    except ValueError:
        return line


def _moved(value: Any, before: str, now: str) -> Any:
    """A JSON value in which each path that began with ``before`` begins with ``now``."""
    if isinstance(value, dict):
        return {name: _moved(each, before, now) for name, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, before, now) for each in value]
    if isinstance(value, str) and (value == before or value.startswith(before + os.sep)):
        return now + value.removeprefix(before)
    return value
