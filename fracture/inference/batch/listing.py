"""The studies in files, folders and URLs, listed as they are needed: a million files take no memory."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from fracture.data.layouts import ENDINGS, MAX_OTHERS_FIRST, begins_as_dicom, follow_link, may_be_dicom
from fracture.errors import FractureError
from fracture.inference.batch.answering import Study
from fracture.inference.batch.urls import is_url, list_url

MAX_SORTED = 10_000
"""Files of a folder that are listed by name; a larger folder is listed in the order of the file system, which needs no
memory."""

Folder = tuple[str, Iterator[str]]
"""A folder, and the images in it."""


def is_folder(place: str) -> bool:
    """Whether images are to be searched there: in a folder, and at a URL that does not name an image."""
    if is_url(place):
        return not place.partition("::")[0].lower().endswith(ENDINGS)
    return Path(place).is_dir()


def list_studies(places: Sequence[str], *, together: bool, on_empty: Callable[[str], object] = id) -> Iterator[Study]:
    """The studies in files, folders and URLs.

    Args:
        places: files come first, and then the folders with those below them, by name.
        together: whether all named files are the views of one study, and those of each folder; else each file is one.
            The names of a folder are then in memory at once.
        on_empty: called with each of the folders that holds no image.

    Raises:
        FractureError: a folder may not be read, or a URL can't be.
    """
    named = [place for place in places if not is_folder(place)]
    if together and named:
        yield Study(str(Path(named[0]).parent), tuple(named))
    elif named:
        yield from (Study(file, (file,)) for file in named)
    for place in places:
        if not is_folder(place):
            continue
        empty = True
        for study in _studies_below(place, together):
            empty = False
            yield study
        if empty:
            on_empty(place)


def _studies_below(place: str, together: bool) -> Iterator[Study]:
    folders = _folders_at(place) if is_url(place) else _folders_below(place)
    for folder, images in folders:
        if not together:
            yield from (Study(image, (image,)) for image in images)
            continue
        views = tuple(sorted(images))
        if views:
            yield Study(folder, views)


def _folders_at(url: str) -> Iterator[Folder]:
    for folder, files in list_url(url):
        yield folder, (file for file in files if file.partition("::")[0].lower().endswith(ENDINGS))


def _folders_below(root: str) -> Iterator[Folder]:
    """A folder and those below it, each before its own, by name; links to folders come last.

    Raises FractureError where a folder may not be read: its images would be missing, and nobody would notice.
    """
    waiting = [str(Path(root))]
    links: list[str] = []
    followed = [os.path.realpath(root)]
    while waiting or links:
        if not waiting:
            links.sort(reverse=True)
            waiting += follow_link(links.pop(), followed, None)
            continue
        folder = waiting.pop()
        below: list[str] = []
        yield folder, _images(_entries(folder, below, links))
        # Only now, after the images of the folder were listed.
        waiting += sorted(below, reverse=True)


def _images(names: Iterator[str]) -> Iterator[str]:
    """The images among the files of a folder; DICOM files without ending are found by their first bytes."""
    found = False
    others = 0
    for path in names:
        name = path.rpartition(os.sep)[2]
        if name.lower().endswith(ENDINGS):
            yield path
        elif may_be_dicom(name) and (found or others < MAX_OTHERS_FIRST):
            if begins_as_dicom(path):
                found = True
                yield path
            else:
                others += 1


def _entries(folder: str, below: list[str], links: list[str]) -> Iterator[str]:
    """The files of a folder; ``below`` gets its folders, and ``links`` its links to folders."""
    files = _scan(folder, below, links)
    first = list(islice(files, MAX_SORTED))
    if len(first) < MAX_SORTED:
        first.sort()
    yield from chain(first, files)


def _scan(folder: str, below: list[str], links: list[str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                # ``Path`` as it was named: a folder "." gives "a.png" and not "./a.png".
                path = entry.path.removeprefix(f".{os.sep}")
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(path)
                elif entry.is_symlink() and entry.is_dir():
                    links.append(path)
                elif entry.is_symlink() or entry.is_file():
                    yield path
    except FileNotFoundError:  # deleted just now
        return
    except OSError as error:
        raise FractureError(
            f"All folders must be readable. Received: {folder}: {error.strerror}; change its permissions."
        ) from error
