"""The table of a folder that was read before and has not changed since: looked up, not read again.

Reading the sizes of 40,000 images takes seconds; asking whether they have changed, a fraction of one. What is kept is a
file for each folder, in the cache; it may be deleted at any time.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, fields, replace
from io import BytesIO
from pathlib import Path

import pandas as pd

from fracture import paths
from fracture.data.dataset import COLUMNS, Dataset, existing_folder, scan
from fracture.data.ground_truth import NAME as TRUTH
from fracture.data.layouts import ENDINGS, files_below
from fracture.data.provenance import Source
from fracture.files import atomic_write

VERSION = 2
"""To be raised whenever :func:`fracture.data.dataset.scan` makes another table of the same files."""

SEEN = (*ENDINGS, "dataset.csv", TRUTH)
"""How the names end of all files that it reads: no decision in a curation.csv makes another table."""

_APART = ("root", "table", "version")
"""What is kept in a way of its own, or is found anew each time."""

_SEAL = hashlib.sha256().digest_size


def find_or_scan(root: str | Path) -> Dataset:
    """What :func:`fracture.data.dataset.scan` says of a folder; looked up where no file has come, gone or changed.

    A file has changed when its size or the time of its last change has. Raises DatasetError as ``scan`` does.
    """
    folder = existing_folder(root)
    state, file = _state(folder), _file(folder)
    if (known := _read(file, state)) is not None:
        return replace(known, version=state.hex())
    found = scan(folder)
    if state == _state(folder):  # else it is being written to, and would be out of date at once
        _write(file, state, found)
    return replace(found, version=state.hex())


def _file(folder: Path) -> Path:
    return paths.cache_home() / "index" / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]}.table"


def _state(folder: Path) -> bytes:
    """A hash over all that decides what ``scan`` says."""
    lists = (parent / TRUTH for parent in folder.parents)  # where the folder is a part of a tree, its truth lies above
    above = (f"{path}\t{path.stat().st_mtime_ns}" for path in lists if path.is_file())
    lines = [f"{VERSION} {list(COLUMNS)} {folder}", *above, *sorted(_files(folder))]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).digest()


def _files(folder: Path) -> Iterator[str]:
    """Name, size and time of change of every file below a folder that decides what the table says."""
    for file in files_below(folder):
        if file.name.lower().endswith(SEEN):
            with suppress(OSError):
                seen = file.stat()
                yield f"{file.path}\t{seen.st_size}\t{seen.st_mtime_ns}"


def _write(file: Path, state: bytes, found: Dataset) -> None:
    """Keep it, if the disk allows: it is worth seconds, not an error."""
    table = found.table.copy(deep=False)
    said = {each.name: getattr(found, each.name) for each in fields(found) if each.name not in _APART}
    said |= {"root": str(found.root), "sources": [asdict(source) for source in found.sources]}
    table.attrs.update(said)
    content = table.to_parquet()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, lambda part: part.write_bytes(_seal(state, content) + content))


def _read(file: Path, state: bytes) -> Dataset | None:
    """What was kept, if it is whole and of this state; damage is as good as absence."""
    try:
        sealed = file.read_bytes()
    except OSError:
        return None
    seal, content = sealed[:_SEAL], sealed[_SEAL:]
    if seal != _seal(state, content):
        return None
    table = pd.read_parquet(BytesIO(content))
    said = {str(name): value for name, value in table.attrs.items()}
    table.attrs = {}
    root, labels = Path(said.pop("root")), tuple(said.pop("label_names"))
    sources = tuple(Source(**source) for source in said.pop("sources"))
    return Dataset(root=root, table=table, label_names=labels, sources=sources, **said)


def _seal(state: bytes, content: bytes) -> bytes:
    """Fits no other state, and no content with a bit turned over: Parquet itself would read that as another table."""
    return hashlib.sha256(state + content).digest()
