"""A zip from somebody -> a data set's folder: checked in full first, then unpacked whole or not at all."""

import contextlib
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import ZipInfo

from filelock import FileLock, Timeout

from fracture import demo, paths
from fracture.data.dataset import scan, tables_in
from fracture.data.splits import SPLIT_OF_NAME
from fracture.errors import Cancelled, ColumnsError, DatasetError, FetchError, LabelsError
from fracture.imaging.codecs.formats import HEAD_BYTES, is_dicom
from fracture.importers.download import OnProgress, Progress, ignore_progress, throttled
from fracture.importers.http import CHUNK_BYTES
from fracture.importers.zip_checks import LIMIT, LimitedReads, check_sizes, choose_entries, is_list, too_large
from fracture.paths import sanitize_name


@dataclass(frozen=True)
class Unpacked:
    """What came out of a zip."""

    root: Path
    layout: str
    images: int
    files: int
    """Images and lists together."""
    bytes: int


def unpack(
    source: str | Path | BinaryIO,
    out: Path,
    body_part: str | None = None,
    *,
    limit: int = LIMIT,
    on_progress: OnProgress = ignore_progress,
    should_stop: Callable[[], bool] = lambda: False,
) -> Unpacked:
    """Unpack the images of a data set, and the lists that belong to them.

    Args:
        source: a zip's path, or an open file, such as an upload.
        out: a folder that does not exist yet, or is empty.
        body_part: of MURA's tree, only this one, such as ``XR_HUMERUS``.
        limit: bytes that may come out of it.
        on_progress: receives the progress, about once a second.
        should_stop: called between files.

    Raises:
        FetchError: this is no zip, an unsafe one, or no data set; nothing is left behind.
        Cancelled: ``should_stop`` returned True.
        PublicError: this is a public demo.
    """
    demo.refuse("zip")
    name = str(source) if isinstance(source, str | Path) else sanitize_name(str(getattr(source, "name", "The upload")))
    report_progress = throttled(on_progress)

    def report(progress: Progress) -> None:
        if should_stop():
            raise Cancelled
        report_progress(progress)

    with _translate_errors(name, out):
        _check_empty(out)
        with _opened(source) as file, zipfile.ZipFile(cast(BinaryIO, LimitedReads(file))) as archive:
            places = choose_entries(archive.infolist(), name, body_part, partial(_is_dicom, archive))
            check_sizes(places, out, limit)
            with _temporary_folder(out, name) as folder:
                size = _write(archive, places, folder, limit, report)
                on_progress(Progress(len(places), len(places), size, size, 0.0))
                layout = _layout(folder)
                # Windows renames no folder onto another one, even an empty one.
                if out.exists():
                    out.rmdir()
                folder.rename(out)
    images = sum(not is_list(place) for place in places.values())
    return Unpacked(out, layout, images, len(places), size)


def _layout(folder: Path) -> str:
    """The layout of what was unpacked. Classes and columns of unknown names are kept: the page asks which is which."""
    try:
        return scan(folder).layout
    except ColumnsError:
        if not tables_in(folder):  # there is nothing that could be asked
            raise
        return "table"
    except LabelsError as error:
        return {"folders": "class folders", "values": "table"}.get(error.what, error.what)


def _is_dicom(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    with archive.open(info) as file:
        return is_dicom(file.read(HEAD_BYTES))


def default_folder(file: str | Path) -> Path:
    """The folder for a zip, below the data home and with the zip's name, where the user chooses none.

    A split's name, such as ``train``, is extended: all images below such a folder would be taken for that split's.
    """
    stem = paths.as_name(Path(file).stem, "unpacked")
    return paths.data_home() / (f"{stem}-unpacked" if stem.lower() in SPLIT_OF_NAME else stem)


def _opened(source: str | Path | BinaryIO) -> contextlib.AbstractContextManager[BinaryIO]:
    """A path opened; a file that is open already stays open afterwards."""
    return Path(source).open("rb") if isinstance(source, str | Path) else contextlib.nullcontext(source)


def _check_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FetchError(
            f"A zip is unpacked into a new or empty folder. Received: {out}, which holds something already."
        )


@contextlib.contextmanager
def _translate_errors(name: str, out: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError) as error:  # ValueError: offsets before its beginning
        raise FetchError(f"{name} is no zip, or a damaged one; download it again. Nothing was kept of it.") from error
    except NotImplementedError as error:
        raise FetchError(f"{name} has an unknown compression method; zip it again with deflate.") from error
    except Timeout as error:
        raise FetchError(f"Another zip is being unpacked into {out.parent}. Wait until that has ended.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise FetchError(f"{name} cannot be unpacked into {out}: {reason}. Nothing was kept of it.") from error


@contextlib.contextmanager
def _temporary_folder(out: Path, name: str) -> Iterator[Path]:
    """An empty hidden folder beside ``out``; it is deleted afterwards unless it was renamed.

    Raises FetchError for a DatasetError, whose message then names the zip instead of this folder.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk as out, so that the renaming is one step.
    folder = out.with_name(f".{out.name}.unpacking")
    with FileLock(out.parent / ".unpacking.lock", timeout=0):
        shutil.rmtree(folder, ignore_errors=True)  # left by a process that was killed
        folder.mkdir()
        try:
            yield folder
        except DatasetError as error:
            raise FetchError(str(error).replace(str(folder), name)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write(archive: zipfile.ZipFile, places: dict[ZipInfo, str], folder: Path, limit: int, report: OnProgress) -> int:
    """Unpack, and return the bytes that came: they are counted, as the sizes in the zip may be wrong."""
    total = sum(info.file_size for info in places)
    size = 0
    for number, (info, place) in enumerate(places.items()):
        report(Progress(number, len(places), size, total))
        target = paths.inside(folder, place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as member, target.open("wb") as file:
            while chunk := member.read(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise too_large(size, limit)
                file.write(chunk)
    return size
