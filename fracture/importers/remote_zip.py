"""Single files out of a zip, one on this disk or one far away that is read in ranges."""

import io
import threading
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
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
from fracture.importers.http import CHUNK, NotThereError, Trouble, asking, patient_session, status_of


class Members:
    """The files in a zip; each thread that reads has the zip open for itself.

    ``opened`` puts all that is to be closed some day into the stack that it is given.
    """

    def __init__(self, opened: Callable[[ExitStack], zipfile.ZipFile], whom: str) -> None:
        self._opened, self._whom, self._own = opened, whom, threading.local()
        self._stacks: list[ExitStack] = []

    def close(self) -> None:
        """Close what is open, once nobody reads any more."""
        for stack in self._stacks:
            stack.close()

    def infos(self) -> list[zipfile.ZipInfo]:
        """What there is. Raises as :meth:`read` does."""
        with self._zip() as archive:
            return archive.infolist()

    def read(self, name: str) -> Generator[bytes, None, None]:
        """The bytes of one file, whose check sum is looked at.

        Raises Trouble for what may go better the next time, NotThereError where the zip holds no such file, and
        FetchError where ranges cannot be had.
        """
        with self._zip() as archive:
            if name not in archive.NameToInfo:
                raise NotThereError(f"The zip of {self._whom} holds no {name[:120]!r}.")
            with archive.open(name) as member:
                yield from iter(lambda: member.read(CHUNK), b"")

    @contextmanager
    def _zip(self) -> Iterator[zipfile.ZipFile]:
        try:
            with asking(self._whom):
                if not hasattr(self._own, "zip"):
                    self._stacks.append(stack := ExitStack())
                    self._own.stack = stack
                    self._own.zip = self._opened(stack)
                yield self._own.zip
        except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError):  # the last where it has a password
            self._forget()
            raise Trouble(f"What {self._whom} sent is damaged.") from None
        except BaseException:
            self._forget()  # in whatever state it is
            raise

    def _forget(self) -> None:
        self._own.stack.close()
        self._own.__dict__.pop("zip", None)


def local(file: Path) -> Members:
    """The files in a zip on this disk."""
    return Members(lambda stack: stack.enter_context(zipfile.ZipFile(file)), file.name)


def remote(address: str, whom: str, without_ranges: FetchError) -> Members:
    """The files in a zip far away; each is read by a request of its own, which may be led on to another address.

    ``without_ranges``: what is raised where the server knows no ranges.
    """
    directory: dict[Any, tuple[bytes, int]] = {}
    lock = threading.Lock()

    class Fetcher(RemoteFetcher):  # type: ignore[misc]
        """Fetches the zip's table of contents once for all threads."""

        def fetch(self, data_range: Any, stream: bool = False) -> PartialBuffer:
            if stream:
                return self._part(data_range, stream)
            with lock:
                if data_range not in directory:
                    part = self._part(data_range, stream)
                    directory[data_range] = part.read(), part.tell() - len(part)
                content, offset = directory[data_range]
            return PartialBuffer(io.BytesIO(content), offset, len(content), False)

        def _part(self, data_range: Any, stream: bool) -> PartialBuffer:
            # No OSError may leave here: zipfile takes one for a damaged zip, and those of requests are OSErrors.
            try:
                with asking(whom), _unwrapped():
                    return super().fetch(data_range, stream)
            except requests.HTTPError as error:
                raise Trouble(f"{whom} refuses a part of its zip ({status_of(error)}).") from None
            except RangeNotSupported:
                raise without_ranges from None
            except RemoteZipError:
                raise Trouble(f"{whom} sent another part of its zip than it was asked for.") from None

    def opened(stack: ExitStack) -> zipfile.ZipFile:
        session = stack.enter_context(patient_session())
        try:
            archive: zipfile.ZipFile = stack.enter_context(RemoteZip(address, session=session, fetcher=Fetcher))
        except BaseException:
            directory.clear()  # what came may be what is wrong
            raise
        return archive

    return Members(opened, whom)


@contextmanager
def _unwrapped() -> Iterator[None]:
    """The error of the request itself, instead of that which remotezip makes of it."""
    try:
        yield
    except RemoteIOError as error:
        raise error.__context__ or error from None
