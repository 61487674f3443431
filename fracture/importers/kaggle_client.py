"""The files of a data set at Kaggle, one by one.

Kaggle's own client makes the requests: its ``download_dataset`` serves single files, too, and the response is read
here as it arrives. (``dataset_download_file``, its public function for that, has retries and pauses of its own that
know nothing of other workers and cannot be stopped; and up to version 2.2.4 it drops the folders of a file's path.)
"""

import contextlib
import itertools
import tempfile
import threading
import zipfile
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import requests

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers.download import RemoteFile
from fracture.importers.file_checks import MAX_FILE_BYTES
from fracture.importers.http import InterruptibleAdapter, NotFoundError, http_status, read_body, translate_errors
from fracture.importers.kaggle_credentials import TOKENS, Credentials, find_credentials
from fracture.importers.remote_zip import ZipMembers

TOP = "MURA-v1.1/"
"""The folder that holds everything in the data set; a copy may lack it."""


class KaggleDataset:
    """A data set at Kaggle. It looks for credentials when its first file is read. ``name``: ``owner/name``."""

    def __init__(self, name: str, credentials: Credentials | None) -> None:
        self._name = name
        self._credentials = credentials
        self._adapter = InterruptibleAdapter()
        self._client: Any = None
        self._lock = threading.Lock()
        self._folders = (TOP, "")  # the one in which the last file was comes first
        self.interrupt = self._adapter.interrupt

    def close(self) -> None:
        """Close the connections, after all threads have finished."""
        self._adapter.close()

    def read(self, file: RemoteFile) -> Generator[bytes, None, None]:
        """The bytes of a file below ``MURA-v1.1``, or of a data set without that folder.

        Raises RetryableError, NotFoundError and FetchError as :data:`fracture.importers.download.ReadFile` says.
        """
        received = _limited(file.name, read_body(self._find(file.name), "Kaggle"))
        yield from _limited(file.name, _unzipped(file.name, received))

    def _find(self, name: str) -> requests.Response:
        first, second = self._folders
        try:
            return self._request(first + name)
        except NotFoundError:
            with contextlib.suppress(NotFoundError):
                response = self._request(second + name)
                self._folders = (second, first)
                return response
            raise

    def _request(self, path: str) -> requests.Response:
        from kagglesdk.datasets.types.dataset_api_service import (  # type: ignore[import-untyped]
            ApiDownloadDatasetRequest,
        )

        with self._lock:
            if self._client is None:
                self._client = _new_client(find_credentials(self._credentials), self._adapter)
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._name.split("/")
        request.file_name = path
        try:
            with translate_errors("Kaggle"):
                response: requests.Response = self._client.datasets.dataset_api_client.download_dataset(request)
        except requests.HTTPError as error:
            raise _refusal(self._name, path, http_status(error)) from None
        return response


def _new_client(credentials: Credentials, adapter: InterruptibleAdapter) -> Any:
    from kagglesdk import KaggleClient  # type: ignore[import-untyped]

    # Entering it opens its session, which stays open: KaggleDataset.close closes the connections.
    # Also an empty token keeps the client from looking for another account's in the environment.
    client = KaggleClient(user_agent="fracture", api_token=credentials.token).__enter__()
    session = adapter.prepare(client.http_client()._session)
    if not credentials.token:
        session.auth = (credentials.username, credentials.key)
    return client


def _refusal(dataset: str, path: str, status: int) -> FetchError:
    """What Kaggle refuses, with what to do."""
    page = f"https://www.kaggle.com/datasets/{dataset}"
    if status == 401:
        return FetchError(
            "Kaggle does not accept these credentials (401). "
            f"Get a new token at {TOKENS}, or check the user name and key."
        )
    if status == 403:
        return FetchError(
            f"Kaggle does not give this account access to {dataset} (403). Open {page} signed in as the same account, "
            "accept the terms of the data set if it asks for that, check that the name is right, and start again."
        )
    if status == 404:
        return NotFoundError(
            f"Kaggle finds no file {path} in a data set {dataset} (404). Look at {page} whether both are there."
        )
    return FetchError(f"Kaggle refuses the request for {path} of {dataset} with status {status}.")


def _limited(name: str, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes. Raises FetchError where there are far too many."""
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > MAX_FILE_BYTES:
            raise FetchError(
                f"A file of MURA has less than {format_bytes(MAX_FILE_BYTES)}. {name} has more: is it another data set?"
            )
        yield chunk


def _unzipped(name: str, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same bytes or, where Kaggle sends a file zipped as it does with large ones, those of the file in the zip."""
    first = next(chunks, b"")
    chunks = itertools.chain([first], chunks)
    if not first.startswith(b"PK\3\4"):
        yield from chunks
        return
    last = name.rsplit("/", 1)[-1]
    with tempfile.TemporaryFile() as file:
        file.writelines(chunks)
        members = ZipMembers(lambda: zipfile.ZipFile(file), f"Kaggle as {name}")
        for info in members.infos():
            if info.filename.rsplit("/", 1)[-1] == last:
                yield from members.read(info.filename)
                return
    raise FetchError(f"Kaggle sent {name} as a zip that holds no {last}.")
