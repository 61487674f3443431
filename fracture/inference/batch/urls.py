"""Radiographs at URLs that fsspec reads: ``s3://``, ``gs://``, ``abfs://``, ``https://``, ``zip://`` and others.

fsspec is imported for a URL alone: ``pip install 'fracture[cluster]'``; each kind of store has a package of its own,
such as s3fs. URLs are for the command line and for Python: the app takes none.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fracture.errors import FractureError, RadiographError


def is_url(file: str) -> bool:
    """Whether a text is a URL, and no path."""
    return "://" in file


def name_in(file: str) -> str:
    """The last part of a path or URL; of ``zip://scans/a.png::https://host/b.zip`` it is ``a.png``."""
    return file.partition("::")[0].replace("\\", "/").rstrip("/").rpartition("/")[2]


def list_url(url: str) -> Iterator[tuple[str, list[str]]]:
    """The folders at a URL and below it, each with the URLs of its files, sorted by name.

    The names of a single folder are in memory at once, as fsspec lists it.

    Raises:
        FractureError: fsspec is not installed, knows no such kind of URL, or can't list it.
    """
    files, path = _locate(url)
    beyond = url.partition("::")[2]

    def full(name: str) -> str:
        found: str = files.unstrip_protocol(name)
        return f"{found}::{beyond}" if beyond else found

    try:
        for folder, _, found in files.walk(path, detail=True, on_error="raise"):
            names = sorted(str(info["name"]) for info in found.values())
            yield full(folder), [full(name) for name in names]
    except Exception as error:
        raise FractureError(f"{url} can't be listed: {_reason(error)}.") from error


def read_url(url: str) -> bytes:
    """The bytes of a file. Raises RadiographError where it can't be read, FractureError as :func:`list_url`."""
    try:
        files, path = _locate(url)
        content: bytes = files.cat_file(path)
    except FractureError:
        raise
    except Exception as error:
        raise RadiographError(f"{name_in(url)} cannot be opened: {_reason(error)}.") from error
    return content


def _locate(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path there."""
    inner, chained, beyond = url.partition("::")
    if not chained:
        files, path = _file_system(url)
        return files, path
    protocol, _, path = inner.partition("://")
    return _archive(protocol, beyond), path


@lru_cache(maxsize=4)
def _archive(protocol: str, target: str) -> Any:
    """A zip file, whose list of contents is read once and not for each image."""
    return _file_system(f"{protocol}://::{target}")[0]


def _file_system(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise FractureError(
            f"URLs need fsspec, which is not installed: pip install 'fracture[cluster]'. Received: {url}"
        ) from error
    try:
        files, path = url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise FractureError(f"{url} can't be read: {_reason(error)}.") from error
    except Exception as error:
        raise FractureError(f"{url} cannot be opened: {_reason(error)}.") from error
    return files, path


def _reason(error: BaseException) -> str:
    """One line of what fsspec or its store says."""
    words = str(error).strip().splitlines()
    return words[0].rstrip(".")[:200] if words else type(error).__name__
