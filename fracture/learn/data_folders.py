"""A data set's folder renamed or deleted, with what refers to it: runs, queued and ended, and their models."""

import json
import os
import re
from pathlib import Path
from typing import Any

from fracture import public
from fracture.classify.store import ModelFolder, read_json
from fracture.data.folders import being_filled
from fracture.errors import DatasetError
from fracture.files import remove_folder, write_beside, write_json
from fracture.home import data_home, is_name
from fracture.learn import jobs


def rename_dataset(folder: Path, name: str, visitor: str = "") -> Path:
    """Give a data set of the data home another name; returns its folder as it is called now.

    Runs that have ended, and their models, refer to the new folder from then on. What was decided about the images
    lies in the folder and moves with it.

    Raises:
        DatasetError: the name is none or is taken; the folder is not in the data home, or is in use.
        PublicError: in a public demo, it is another visitor's.
    """
    if not is_name(name):
        raise DatasetError(
            "A data set's name has 1 to 64 letters, digits, dots, dashes and underscores. "
            f"Received: {name[:80]!r}; choose another one."
        )
    target = data_home() / name
    with jobs.alone():
        _check_free(folder, visitor)
        _check_further(folder)
        if target.exists():
            raise DatasetError(f"The data folder has a {name!r} already. Choose another name.")
        before = os.path.realpath(folder)
        trained = [run for run in jobs.runs() if run.config.get("data") in (folder.name, before)]
        trained = [run for run in trained if not run.folder.bundled]
        try:
            folder.rename(target)
        except OSError as error:
            raise DatasetError(f"{folder.name!r} cannot be renamed: {error.strerror}.") from error
        if not target.is_symlink():  # what a link leads to is where it was
            for run in trained:
                _refer_to(run.folder, before, str(target))
    return target


def delete_dataset(folder: Path, visitor: str = "") -> None:
    """Delete a data set of the data home with all its images. Models that were trained on it stay.

    Raises DatasetError and PublicError as :func:`rename_dataset` does.
    """
    with jobs.alone():
        _check_free(folder, visitor)
        try:
            remove_folder(folder)
        except OSError as error:
            raise DatasetError(f"{folder.name!r} cannot be deleted: {error.strerror}.") from error


def _check_free(folder: Path, visitor: str) -> None:
    if folder.parent != data_home() or not folder.is_dir():
        raise DatasetError(
            f"Only data sets in the data folder {data_home()} can be renamed or deleted. Received: {folder}; "
            "rename or delete that one yourself."
        )
    public.check_owner(folder, visitor)
    if being_filled(folder):
        raise DatasetError(f"Images are being brought into {folder.name!r}. Stop that first, or wait for its end.")
    places = {str(folder), os.path.realpath(folder)}
    for run in jobs.runs():
        if run.active and places & {run.config.get("data"), *run.config.get("also", ())}:
            raise DatasetError(f"The run {run.name!r} uses {folder.name!r} and is {run.state}. Stop it first.")


def _check_further(folder: Path) -> None:
    """Models know the images of a further data set by its name: that must stay."""
    places = {folder.name, str(folder), os.path.realpath(folder)}
    known = [run.name for run in jobs.runs() if places & set(run.config.get("also", ()))]
    if known:
        raise DatasetError(
            f"{folder.name!r} is a further data set of {', '.join(known)}, which know its images by its name: it keeps "
            "that as long as they are here."
        )


def _refer_to(model: ModelFolder, before: str, now: str) -> None:
    """Let the files of a run name the folder ``now`` wherever they named ``before``."""
    if model.status.exists():
        write_json(model.status, _moved(read_json(model.status), before, now))
    if model.card.exists():
        write_json(model.card, _card_of(read_json(model.card), before, now))
    if model.events.exists():
        lines = model.events.read_text(encoding="utf-8").splitlines()
        moved = [_moved_line(line, before, now) for line in lines]
        write_beside(model.events, lambda part: part.write_text("".join(f"{line}\n" for line in moved)))


def _card_of(card: dict[str, Any], before: str, now: str) -> dict[str, Any]:
    """A card names a folder of the data home by its name alone, also in the command that trains the model again."""
    old, new = Path(before).name, Path(now).name
    command = re.sub(rf"--data {re.escape(old)}(?= |$)", f"--data {new}", str(card.get("command", "")))
    return {**card, "config": {**card["config"], "data": new}, "command": command}


def _moved_line(line: str, before: str, now: str) -> str:
    """An event with its paths moved; a torn line stays as it is, since readers pass over it."""
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
