"""Single files out of a zip: on this disk, or on a server that sends ranges of it."""

import contextlib
import io
import lzma
import threading
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

import requests
from remotezip import (  # type: ignore[import-untyped]
    PartialBuffer,
    RangeNotSupported,
    RemoteFetcher,
    RemoteIOError,
    RemoteZip,
    RemoteZipError,
)

from fracture.errors import FetchError
from fracture.importers.http import CHUNK_BYTES, NotFoundError, RetryableError, http_status, translate_errors

_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError)
"""What zipfile raises for a damaged zip; RuntimeError is for a password, or an unknown compression method."""


class ZipMembers:
    """The files in a zip, for several threads at a time.

    ``open_archive``: opens the zip. ``source``: where it is, for messages.
    """

    def __init__(self, open_archive: Callable[[], zipfile.ZipFile], source: str) -> None:
        self._open_archive = open_archive
        self._source = source
        self._idle: list[zipfile.ZipFile] = []  # opened before, and used by no thread right now

    def close(self) -> None:
        """Close the zip, after all threads have finished."""
        for archive in self._idle:
            archive.close()

    def infos(self) -> list[zipfile.ZipInfo]:
        """The table of contents. Raises as :meth:`read` does."""
        with self._archive() as archive:
            return archive.infolist()

    def read(self, name: str) -> Generator[bytes, None, None]:
        """The bytes of one file, whose checksum is verified.

        Raises RetryableError where another attempt may help, NotFoundError where the zip holds no such file, and
        FetchError where the server sends no ranges.
        """
        with self._archive() as archive:
            if name not in archive.NameToInfo:
                raise NotFoundError(f"The zip of {self._source} holds no {name[:120]!r}.")
            with archive.open(name) as member:
                while chunk := member.read(CHUNK_BYTES):
                    yield chunk

    @contextlib.contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        """An open archive for this thread alone; one that failed is not used again."""
        try:
            with translate_errors(self._source), contextlib.ExitStack() as stack:
                archive = stack.enter_context(self._take())
                yield archive
                stack.pop_all()
        except _DAMAGED:
            raise RetryableError(f"What {self._source} sent is damaged.") from None
        self._idle.append(archive)

    def _take(self) -> zipfile.ZipFile:
        # Not "if self._idle": another thread may take the last one in between.
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        return self._open_archive()


def open_remote(url: str, session: requests.Session, server: str, no_ranges: FetchError) -> ZipMembers:
    """The files in a zip on a server, each read by one request for a range of it.

    ``no_ranges``: the error to raise where the server sends no ranges.
    """
    return ZipMembers(_RangeFetcher(url, session, server, no_ranges).open_archive, server)


class _RangeFetcher(RemoteFetcher):  # type: ignore[misc]
    """Fetches ranges of a zip; the table of contents once for all threads."""

    def __init__(self, url: str, session: requests.Session, server: str, no_ranges: FetchError) -> None:
        super().__init__(url, session)
        self._server = server
        self._no_ranges = no_ranges
        self._contents: dict[Any, tuple[int, bytes]] = {}  # by range: (offset in the zip, bytes)
        self._lock = threading.Lock()

    def open_archive(self) -> zipfile.ZipFile:
        try:
            archive: zipfile.ZipFile = RemoteZip(self._url, fetcher=lambda *_, **__: self)
        except BaseException:
            with self._lock:
                self._contents.clear()  # it may be damaged
            raise
        return archive

    def fetch(self, data_range: Any, stream: bool = False) -> PartialBuffer:
        """Called by remotezip: with ``stream`` for a file in the zip, without for the table of contents."""
        if stream:
            return self._fetch_range(data_range, stream)
        with self._lock:
            if data_range not in self._contents:
                part = self._fetch_range(data_range, stream)
                self._contents[data_range] = part.tell(), part.read()
            offset, content = self._contents[data_range]
        return PartialBuffer(io.BytesIO(content), offset, len(content), stream)

    def _fetch_range(self, data_range: Any, stream: bool) -> PartialBuffer:
        # No OSError may leave here: zipfile takes one for a damaged zip, and the errors of requests are OSErrors.
        try:
            with translate_errors(self._server):
                try:
                    return super().fetch(data_range, stream)
                except RemoteIOError as error:  # remotezip wraps the error of the request
                    raise error.__context__ or error from None
        except requests.HTTPError as error:
            raise RetryableError(f"{self._server} refuses a part of its zip ({http_status(error)}).") from None
        except RangeNotSupported:
            raise self._no_ranges from None
        except RemoteZipError:
            raise RetryableError(f"{self._server} sent another part of its zip than requested.") from None
