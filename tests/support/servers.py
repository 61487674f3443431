"""Small HTTP servers on this machine: a Kaggle and a figshare with a few files, and with faults on demand."""

import base64
import hashlib
import io
import itertools
import json
import sys
import threading
import time
import urllib.parse
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KAGGLE_PORT = 7777
"""Where Kaggle's client looks for Kaggle with KAGGLE_API_ENVIRONMENT=TEST."""

TOKEN = "KGAT_0123456789abcdef"
USERNAME = "somebody"
KEY = "fedcba9876543210"


@dataclass(frozen=True)
class Request:
    """A request that a server received."""

    method: str
    path: str
    authorization: str
    range: str
    body: dict[str, object]

    @property
    def scheme(self) -> str:
        """Of its Authorization: Bearer, Basic, or nothing."""
        return self.authorization.split(" ")[0]


@dataclass(frozen=True)
class Response:
    """What a server sends.

    ``cut_after``: bytes after which the connection ends. ``content_length``: the announced length, if it is not that of
    the body. ``byte_delay``: seconds after each byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    content_length: int | None = None
    byte_delay: float = 0.0


class Server:
    """Answers requests on this machine while its ``with`` lasts. ``requests``: those received.

    ``latency``: seconds before each response.
    """

    def __init__(self, respond: Callable[[Request], Response], port: int = 0, latency: float = 0.0) -> None:
        self.requests: list[Request] = []
        self._respond = respond
        server = self

        class Handler(_Handler):
            def respond(self, request: Request) -> Response:
                server.requests.append(request)
                time.sleep(latency)
                return server._respond(request)

        self._http = _QuietServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that was killed, or closed the connection
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        received = self.rfile.read(length)
        if len(received) < length:  # the client was killed in the middle of its request
            self.close_connection = True
            return
        request = Request(
            self.command,
            urllib.parse.unquote(self.path),
            self.headers.get("Authorization", ""),
            self.headers.get("Range", ""),
            json.loads(received) if received else {},
        )
        self._send(self.respond(request))

    def _send(self, response: Response) -> None:
        length = len(response.body) if response.content_length is None else response.content_length
        self.send_response(response.status)
        for name, value in {"Content-Length": str(length), **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        body = response.body[: response.cut_after]
        while response.byte_delay and body:
            self.wfile.write(body[:1])
            body = body[1:]
            time.sleep(response.byte_delay)
        self.wfile.write(body)
        if response.cut_after is not None or length != len(response.body):
            self.close_connection = True

    do_GET = do_POST = _serve  # noqa: N815  what http.server looks for


class Kaggle(Server):
    """Kaggle with one data set.

    ``faults``: by file, the responses before the right one. ``fault_for``: returns a response that is sent instead of
    the right one each time, or None. ``zipped``: the files that are sent as a zip.
    """

    def __init__(self, files: dict[str, bytes], latency: float = 0.0, port: int = KAGGLE_PORT) -> None:
        self.files = files
        self.dataset = ("cjinny", "mura-v11")
        self.faults: dict[str, deque[Response]] = defaultdict(deque)
        self.fault_for: Callable[[str], Response | None] = lambda _: None
        self.zipped: set[str] = set()
        super().__init__(self._serve_api, port, latency)

    def requested_files(self) -> list[str]:
        """The files that were requested, in order."""
        return [str(request.body["fileName"]) for request in self.requests if request.path.endswith("/DownloadDataset")]

    def _serve_api(self, request: Request) -> Response:
        if request.path.startswith("/storage/"):
            return self._serve_storage(request.path.removeprefix("/storage/").split("?")[0])
        if not request.path.endswith("/datasets.DatasetApiService/DownloadDataset"):
            return _refusal(404, "no such call")
        if request.authorization not in (f"Bearer {TOKEN}", _basic(USERNAME, KEY)):
            return _refusal(401, "Unauthenticated")
        file = str(request.body["fileName"])
        if (request.body["ownerSlug"], request.body["datasetSlug"]) != self.dataset or file not in self.files:
            return _refusal(404, "Not found")
        if fault := self.fault_for(file):
            return fault
        if self.faults[file] and self.faults[file][0].status != 200:
            return self.faults[file].popleft()
        return Response(302, headers={"Location": f"/storage/{urllib.parse.quote(file)}?signature=0"})

    def _serve_storage(self, file: str) -> Response:
        if self.faults[file]:
            return self.faults[file].popleft()
        body = self.files[file]
        return Response(body=zip_of({file.rsplit("/", 1)[-1]: body}) if file in self.zipped else body)


class Figshare(Server):
    """figshare with one article of one zip; each signed address serves a single request.

    ``faults``: the responses before the right one, when the zip is requested. ``on_request`` is called each time.
    ``bytes_sent``: of the zip.
    """

    def __init__(self, archive: bytes, ranges: bool = True) -> None:
        self.archive = archive
        self.ranges = ranges
        self.bytes_sent = 0
        self.faults: deque[Response] = deque()
        self.on_request: Callable[[], object] = lambda: None
        self.byte_delay = 0.0
        self._signed: set[str] = set()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        super().__init__(self._serve_api)

    def requested_ranges(self) -> list[str]:
        """The ranges of the zip that were requested, in order; empty for the whole."""
        return [request.range for request in self.requests if request.path.startswith("/signed/")]

    def _serve_api(self, request: Request) -> Response:
        if request.path == "/articles/22363012":
            return self._article()
        if request.path == "/files/1":
            address = f"/signed/{next(self._numbers)}"
            self._signed.add(address)
            return Response(302, headers={"Location": address})
        if request.path not in self._signed:
            return Response(403, b"Request has expired")
        self._signed.discard(request.path)
        self.on_request()
        if self.faults:
            return self.faults.popleft()
        if request.range and self.ranges:
            return self._serve_range(request.range)
        self.bytes_sent += len(self.archive)
        return Response(body=self.archive)

    def _article(self) -> Response:
        readme = {"name": "readme.txt", "size": 9, "download_url": f"{self.url}/files/2"}
        archive = {
            "name": "FracAtlas.zip",
            "size": len(self.archive),
            "computed_md5": hashlib.md5(self.archive).hexdigest(),
            "download_url": f"{self.url}/files/1",
        }
        return _json(200, {"files": [readme, archive]})

    def _serve_range(self, wanted: str) -> Response:
        if wanted.count("-") != 1:
            return Response(416)
        first, last = wanted.removeprefix("bytes=").split("-")
        size = len(self.archive)
        start = int(first) if first else max(0, size - int(last))
        stop = min(size, int(last) + 1) if first and last else size
        with self._lock:
            self.bytes_sent += stop - start
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
        return Response(206, self.archive[start:stop], headers, byte_delay=self.byte_delay)


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def _basic(username: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{key}".encode()).decode()


def _refusal(code: int, message: str) -> Response:
    return _json(code, {"code": code, "message": message})


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(status, json.dumps(document).encode(), {"Content-Type": "application/json"})
