"""The table of a folder that was read before and has not changed since: looked up, not read again.

Reading the sizes of 40,000 images takes seconds; asking whether they have changed, a fraction of one. What is kept is a
file for each folder, in the cache; it may be deleted at any time.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from fracture import home
from fracture.data.dataset import COLUMNS, Dataset, existing_folder, scan
from fracture.data.layouts import ENDINGS
from fracture.data.sources import Source
from fracture.data.truth import NAME as TRUTH
from fracture.files import write_beside

VERSION = 1
"""To be raised whenever :func:`fracture.data.dataset.scan` makes another table of the same files."""


def find_or_scan(root: str | Path) -> Dataset:
    """What :func:`fracture.data.dataset.scan` says of a folder; looked up where no file has come, gone or changed.

    A file has changed when its size or the time of its last change has. Raises DatasetError as ``scan`` does.
    """
    folder = existing_folder(root)
    state, file = _state(folder), _file(folder)
    if (known := _read(file, state)) is not None:
        return known
    found = scan(folder)
    if state == _state(folder):  # else it is being written to, and would be out of date at once
        _write(file, state, found)
    return found


def _file(folder: Path) -> Path:
    return home.cache_home() / "index" / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:24]}.parquet"


def _state(folder: Path) -> str:
    """A hash over all that decides what ``scan`` says."""
    lists = (parent / TRUTH for parent in folder.parents)  # where the folder is a part of a tree, its truth lies above
    above = (f"{path}\t{path.stat().st_mtime_ns}" for path in lists if path.is_file())
    lines = [f"{VERSION} {folder}", *above, *sorted(_files(str(folder)))]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _files(folder: str) -> Iterator[str]:
    """Name, size and time of change of every image and list below a folder; hidden ones are no part of a data set."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.name.lower().endswith((*ENDINGS, ".csv")):
                with suppress(OSError):
                    seen = entry.stat()
                    yield f"{entry.path}\t{seen.st_size}\t{seen.st_mtime_ns}"


def _write(file: Path, state: str, found: Dataset) -> None:
    """Keep it, if the disk allows: it is worth seconds, not an error."""
    table = found.table.copy(deep=False)
    said = {each.name: getattr(found, each.name) for each in fields(found) if each.name not in ("root", "table")}
    said |= {"root": str(found.root), "sources": [asdict(source) for source in found.sources], "state": state}
    table.attrs.update(said)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_beside(file, table.to_parquet)


def _read(file: Path, state: str) -> Dataset | None:
    """What was kept, if it is of this state; damage is as good as absence."""
    try:
        table = pd.read_parquet(file)
        said = {str(name): value for name, value in table.attrs.items()}
        if said.pop("state") != state or list(table) != list(COLUMNS):
            return None
        table.attrs = {}
        root, labels = Path(said.pop("root")), tuple(said.pop("label_names"))
        sources = tuple(Source(**source) for source in said.pop("sources"))
        return Dataset(root=root, table=table, label_names=labels, sources=sources, **said)
    except (OSError, ValueError, KeyError, TypeError):
        return None
