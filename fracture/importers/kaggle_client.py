"""The files of a data set at Kaggle, one after the other.

The requests are made by Kaggle's own client; its ``download_dataset`` is asked for single files and its answers are
read here, bit by bit. (``dataset_download_file``, a step above it, has tries and waits of its own that know nothing of
other workers, and cannot be stopped; and up to version 2.2.4 it leaves out the folder in what it writes to.)
"""

import contextlib
import itertools
import lzma
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, BinaryIO, cast

import requests

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers.download import Wanted
from fracture.importers.http import CHUNK, NotThereError, Trouble, asking, body, prepare, status_of
from fracture.importers.kaggle_credentials import TOKENS, Credentials, find_credentials

TOP = "MURA-v1.1/"
"""Where in the data set all lies; a copy may have it at its top."""

LARGEST = 100 * 2**20
"""Bytes of a file that is let in; MURA's lists and images are far below it."""

Open = Callable[[str], requests.Response]
"""Asks for one file of a data set, by its path there; may be called by several threads."""


class Source:
    """A data set at Kaggle. Only when its first file is wanted is it found out who is asking.

    ``connections``: has those that were opened, to be closed by whoever brought it.
    """

    def __init__(self, dataset: str, credentials: Credentials | None, connections: contextlib.ExitStack) -> None:
        self._dataset, self._credentials, self._connections = dataset, credentials, connections
        self._lock, self._open = threading.Lock(), cast(Open | None, None)
        self._tops = [TOP, ""]

    def read(self, item: Wanted) -> Generator[bytes, None, None]:
        """The bytes of a file below ``MURA-v1.1``, or of a data set that has it at its top."""
        response = self._ask(item.name)
        yield from _bounded(item.name, _unpacked(item.name, _bounded(item.name, body(response, "Kaggle"))))

    def _ask(self, name: str) -> requests.Response:
        with self._lock:
            self._open = self._open or self._opener()
            first, second = self._tops
        try:
            return self._open(first + name)
        except NotThereError as nowhere:
            with contextlib.suppress(NotThereError):
                response = self._open(second + name)
                self._tops = [second, first]
                return response
            raise nowhere

    def _opener(self) -> Open:
        return opener(self._dataset, find_credentials(self._credentials), self._connections)


def _bounded(name: str, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes, unless there are far too many."""
    got = 0
    for chunk in chunks:
        got += len(chunk)
        if got > LARGEST:
            raise FetchError(
                f"A file of MURA has less than {format_bytes(LARGEST)}. {name} has more: is it another data set?"
            )
        yield chunk


def _unpacked(name: str, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same bytes, or what is in them where Kaggle sends a file zipped, as it does with large ones."""
    first = next(chunks, b"")
    if not first.startswith(b"PK\3\4"):
        yield first
        yield from chunks
        return
    with tempfile.TemporaryFile() as file:
        file.writelines(itertools.chain([first], chunks))
        yield from _member(name, file)


def _member(name: str, file: BinaryIO) -> Generator[bytes, None, None]:
    last = name.rsplit("/", 1)[-1]
    try:
        with zipfile.ZipFile(file) as archive:
            inside = next((info for info in archive.infolist() if info.filename.rsplit("/", 1)[-1] == last), None)
            if inside is None:
                raise FetchError(f"Kaggle sent {name} as a zip that holds no {last}.")
            with archive.open(inside) as member:
                yield from iter(lambda: member.read(CHUNK), b"")
    except (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, ValueError):
        raise Trouble(f"Kaggle sent {name} as a damaged zip.") from None
    except RuntimeError:  # how zipfile refuses both
        raise Trouble(f"Kaggle sent {name} as a zip with a password, or packed in a way not known here.") from None


def opener(dataset: str, credentials: Credentials, connections: contextlib.ExitStack) -> Open:
    """A way to ask for the files of ``owner/name``; each thread that uses it has a connection of its own.

    Calling it raises Trouble for what may go better the next time, NotThereError, and FetchError for what will not.
    """
    from kagglesdk.datasets.types.dataset_api_service import (  # type: ignore[import-untyped]
        ApiDownloadDatasetRequest,
    )

    own, (owner, name) = threading.local(), dataset.split("/")

    def ask(file: str) -> requests.Response:
        if not hasattr(own, "client"):
            own.client = _client(credentials, connections)
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug, request.file_name = owner, name, file
        with _refusals(dataset, file), asking("Kaggle"):
            response: requests.Response = own.client.datasets.dataset_api_client.download_dataset(request)
        return response

    return ask


def _client(credentials: Credentials, connections: contextlib.ExitStack) -> Any:
    from kagglesdk import KaggleClient  # type: ignore[import-untyped]

    client = connections.enter_context(KaggleClient(user_agent="fracture"))
    # Its own way to take credentials prefers a token in the environment to a name and key that were given.
    session = prepare(client.http_client()._session)
    session.auth = _Bearer(credentials.token) if credentials.token else (credentials.username, credentials.key)
    return client


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@contextlib.contextmanager
def _refusals(dataset: str, file: str) -> Iterator[None]:
    """What Kaggle refuses for good, in words that say what to do."""
    page = f"https://www.kaggle.com/datasets/{dataset}"
    try:
        yield
    except requests.HTTPError as error:
        status = status_of(error)
        if status == 401:
            raise FetchError(
                "Kaggle does not accept these credentials (401). "
                f"Get a new token at {TOKENS}, or check the user name and key."
            ) from None
        if status == 403:
            raise FetchError(
                f"Kaggle does not let this account have {dataset} (403). Open {page} signed in as the same account, "
                "accept the terms of the data set if it asks for that, check that the name is right, and start again."
            ) from None
        if status == 404:
            raise NotThereError(
                f"Kaggle finds no file {file} in a data set {dataset} (404). Look at {page} whether both are there."
            ) from None
        raise FetchError(f"Kaggle does not answer the request for {file} of {dataset}, and says {status}.") from None
