"""A zip that somebody has -> a data set's folder: looked at in full first, then unpacked whole or not at all."""

import contextlib
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import ZipInfo

from filelock import FileLock, Timeout

from fracture import demo, paths
from fracture.data.dataset import scan
from fracture.data.layouts import ENDINGS
from fracture.data.splits import SPLITS
from fracture.errors import Cancelled, DatasetError, FetchError
from fracture.importers.download import SAID_EVERY, Progress, Say
from fracture.importers.http import CHUNK
from fracture.importers.zip_checks import LIMIT, Contents, check_sizes, choose, too_large
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


def _nothing(progress: Progress) -> None:
    """Say nothing."""


def unpack(
    source: str | Path | BinaryIO,
    out: Path,
    body_part: str | None = None,
    *,
    limit: int = LIMIT,
    say: Say = _nothing,
    should_stop: Callable[[], bool] = lambda: False,
) -> Unpacked:
    """Unpack the images of a data set, and the lists that go with them.

    Args:
        source: a zip's path, or an open file, such as an upload.
        out: a folder that does not exist yet, or is empty.
        body_part: of MURA's tree, only this one, such as ``XR_HUMERUS``.
        limit: bytes that may come out of it.
        say: hears of the progress, about once a second.
        should_stop: asked between files.

    Raises:
        FetchError: this is no zip, one that should not be unpacked, or no data set; nothing is left behind.
        Cancelled: as wished.
        PublicError: this is a public demo.
    """
    demo.refuse("zip")
    name = str(source) if isinstance(source, str | Path) else sanitize_name(str(getattr(source, "name", "The upload")))
    with _words(name, out):
        _check_empty(out)
        with _opened(source) as file, zipfile.ZipFile(cast(BinaryIO, Contents(file))) as archive:
            places = choose(archive.infolist(), name, body_part)
            check_sizes(places, out, limit)
            with _folder_beside(out) as beside:
                size = _write(archive, places, beside, limit, _follower(say, should_stop))
                layout = _layout(beside, name)
                if out.exists():
                    out.rmdir()
                beside.rename(out)
    images = sum(place.lower().endswith(ENDINGS) for place in places.values())
    return Unpacked(out, layout, images, len(places), size)


def default_folder(file: str | Path) -> Path:
    """Where a zip is unpacked unless somebody says otherwise: a folder of its name in the data home.

    No name of a split, such as ``train``: all images below such a folder would be taken for that split's.
    """
    stem = paths.as_name(Path(file).stem, "unpacked")
    return paths.data_home() / (f"{stem}-unpacked" if stem.lower() in SPLITS else stem)


@contextlib.contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """A path opened; an open file stays open."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield file
    else:
        yield source


def _check_empty(out: Path) -> None:
    """Raises FetchError where a folder holds something, or is none."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FetchError(
            f"A zip is unpacked into a new or empty folder. Received: {out}, which holds something already."
        )


@contextlib.contextmanager
def _words(name: str, out: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError) as error:  # the last for places before its beginning
        raise FetchError(f"{name} is no zip, or a damaged one; fetch it anew. Nothing was kept of it.") from error
    except NotImplementedError as error:
        raise FetchError(f"{name} is packed in a way that is not known here; zip it again by deflate.") from error
    except Timeout as error:
        raise FetchError(f"Another zip is being unpacked into {out.parent}. Wait until it has ended.") from error
    except OSError as error:
        words = error.strerror or str(error)
        raise FetchError(f"{name} cannot be unpacked into {out}: {words}. Nothing was kept of it.") from error


@contextlib.contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """An empty hidden folder beside ``out``, which is gone afterwards unless it was renamed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.unpacking")
    with FileLock(out.parent / ".unpacking.lock", timeout=0):
        shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
        beside.mkdir()
        try:
            yield beside
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _follower(say: Say, should_stop: Callable[[], bool]) -> Say:
    """Passes on about a word a second, and raises Cancelled once that is wished."""
    next_word = 0.0

    def follow(progress: Progress) -> None:
        nonlocal next_word
        if should_stop():
            raise Cancelled
        if time.monotonic() >= next_word or progress.files == progress.total_files:
            say(progress)
            next_word = time.monotonic() + SAID_EVERY

    return follow


def _write(archive: zipfile.ZipFile, places: dict[ZipInfo, str], beside: Path, limit: int, follow: Say) -> int:
    """Unpack, and return how many bytes came; they are counted, whatever the zip says."""
    size, total = 0, sum(info.file_size for info in places)
    for number, (info, place) in enumerate(places.items()):
        follow(Progress(number, len(places), size, total))
        target = paths.inside(beside, place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as member, target.open("wb") as file:
            while chunk := member.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise too_large(size, limit)
                file.write(chunk)
    follow(Progress(len(places), len(places), size, total, 0.0))
    return size


def _layout(beside: Path, name: str) -> str:
    """What was unpacked is. Raises FetchError where it is no data set."""
    try:
        return scan(beside).layout
    except DatasetError as error:
        raise FetchError(str(error).replace(str(beside), name)) from error
