"""A cache of scanned folders: the table of a folder that has not changed is loaded, not scanned again.

Reading the sizes of 40,000 images takes seconds; asking whether they have changed, a fraction of one. There is one
Parquet file for each folder, in the cache; it may be deleted at any time.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, fields, replace
from io import BytesIO
from pathlib import Path

import pandas as pd

from fracture import paths
from fracture.data.dataset import TABLE_COLUMNS, Dataset, existing_folder, scan
from fracture.data.ground_truth import TRUTH_FILE
from fracture.data.labels.choice import LabelMapping
from fracture.data.labels.columns import ColumnsChoice
from fracture.data.labels.labels_file import LABELS_FILE
from fracture.data.layouts import ANNOTATIONS, ENDINGS, READ_BESIDE, TABLES, Skipped, files_below, levels, may_be_dicom
from fracture.data.provenance import Source
from fracture.files import atomic_write

_log = logging.getLogger(__name__)

SCAN_VERSION = 4
"""To be raised whenever :func:`fracture.data.dataset.scan` gives another table for the same files."""

_ENDINGS_READ = (*ENDINGS, *TABLES, *ANNOTATIONS)
"""How the names of files end whose content a scan depends on, besides those without ending. Of others it counts the
names."""

_NOT_READ = {*READ_BESIDE} - {"dataset.csv", TRUTH_FILE, LABELS_FILE}
"""Files that the app itself writes beside the images: a scan does not read curation.csv."""

_SEAL_BYTES = hashlib.sha256().digest_size


def find_or_scan(root: str | Path) -> Dataset:
    """The result of :func:`fracture.data.dataset.scan`; from the cache where no file is new, gone or changed.

    A file has changed when its size or the time of its last change has. Raises DatasetError as ``scan`` does.
    """
    folder = existing_folder(root)
    # Before the scan: a file that changes during it must not count as read.
    state = _state(folder)
    file = _file(folder)
    cached = _read(file, state)
    if cached is not None:
        return replace(cached, version=state.hex())
    found = scan(folder)
    if state == _state(folder):  # else the folder is being written to, and the result is out of date already
        _write(file, state, found)
    return replace(found, version=state.hex())


def _file(folder: Path) -> Path:
    return paths.cache_home() / "index" / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]}.table"


def _state(folder: Path) -> bytes:
    """A hash over all that the result of ``scan`` depends on."""
    # Where the folder is a part of MURA's tree, its ground truth is in a folder above.
    truths = [parent / TRUTH_FILE for parent in folder.parents]
    choices = [level / LABELS_FILE for level in levels(folder)]
    above = [f"{path}\t{path.stat().st_mtime_ns}" for path in (*truths, *choices) if path.is_file()]
    lines = [f"{SCAN_VERSION} {list(TABLE_COLUMNS)} {folder}", *above, *sorted(_files(folder))]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).digest()


def _files(folder: Path) -> Iterator[str]:
    """Path, size and time of change of every file below a folder that a scan depends on; of strays, the path."""
    refused: list[str] = []
    for file in files_below(folder, refused):
        name = file.name.lower()
        if name in _NOT_READ:
            continue
        if name.endswith(_ENDINGS_READ) or may_be_dicom(file.name):
            with suppress(OSError):
                status = file.stat()
                yield f"{file.path}\t{status.st_size}\t{status.st_mtime_ns}"
        else:
            yield file.path
    yield from refused


def _write(file: Path, state: bytes, found: Dataset) -> None:
    """Cache it where the disk allows: it is worth seconds, not an error."""
    table = found.table.copy(deep=False)
    # Parquet keeps the attributes of a table as JSON: all fields of the data set but the table itself and the
    # version, which is the state of the files.
    for each in fields(found):
        if each.name not in ("table", "version"):
            table.attrs[each.name] = getattr(found, each.name)
    table.attrs["root"] = str(found.root)
    table.attrs["sources"] = [asdict(source) for source in found.sources]
    table.attrs["label_mappings"] = [mapping.to_json() for mapping in found.label_mappings]
    table.attrs["columns"] = found.columns.model_dump() if found.columns else None
    table.attrs["skipped"] = [list(each) for each in found.skipped]
    content = table.to_parquet()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, lambda part: part.write_bytes(_seal(state, content) + content))
    except OSError as error:
        _log.warning("%s cannot be written, so that the folder will be scanned again: %s", file, error)


def _read(file: Path, state: bytes) -> Dataset | None:
    """The cached data set; None where there is none, or a damaged one, or one of another state."""
    try:
        sealed = file.read_bytes()
    except OSError:
        return None
    seal = sealed[:_SEAL_BYTES]
    content = sealed[_SEAL_BYTES:]
    if seal != _seal(state, content):
        return None
    table = pd.read_parquet(BytesIO(content))
    kept = {str(name): value for name, value in table.attrs.items()}
    table.attrs = {}
    kept["root"] = Path(kept["root"])
    kept["label_names"] = tuple(kept["label_names"])
    kept["sources"] = tuple(Source(**source) for source in kept["sources"])
    kept["label_mappings"] = tuple(LabelMapping.from_json(each) for each in kept["label_mappings"])
    kept["columns"] = ColumnsChoice.model_validate(kept["columns"]) if kept["columns"] else None
    kept["skipped"] = tuple(Skipped(*each) for each in kept["skipped"])
    return Dataset(table=table, **kept)


def _seal(state: bytes, content: bytes) -> bytes:
    """A checksum of both: Parquet itself would read content with a changed bit as another table."""
    return hashlib.sha256(state + content).digest()
