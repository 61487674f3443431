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
USERNAME, KEY = "somebody", "fedcba9876543210"


@dataclass(frozen=True)
class Asked:
    """A request, as a test may look at it."""

    method: str
    path: str
    kind: str
    """Of its Authorization: Bearer, Basic, or nothing."""
    authorization: str
    range: str
    body: dict[str, object]


@dataclass(frozen=True)
class Answer:
    """What the server says.

    ``cut``: bytes after which the connection ends. ``announced``: a length of one's own. ``drip``: seconds after each
    byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    announced: int | None = None
    drip: float = 0.0


class Server:
    """Answers requests on this machine while its ``with`` lasts; ``asked`` holds what it was asked."""

    def __init__(self, answer: Callable[[Asked], Answer], port: int = 0, latency: float = 0.0) -> None:
        self.asked: list[Asked] = []
        server, self._answer = self, answer

        class Handler(_Handler):
            def handle_one(self, asked: Asked) -> Answer:
                server.asked.append(asked)
                time.sleep(latency)
                return server._answer(asked)

        self._http = _Quiet(("127.0.0.1", port), Handler)
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


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # that is a client which was killed, or has seen enough
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        said = self.headers.get("Authorization", "")
        length = int(self.headers.get("Content-Length", 0))
        sent = self.rfile.read(length)
        if len(sent) < length:  # the client was killed in the middle of its question
            self.close_connection = True
            return
        body = json.loads(sent) if sent else {}
        path = urllib.parse.unquote(self.path)
        self._send(
            self.handle_one(
                Asked(self.command, path, said.split(" ")[0], said, self.headers.get("Range", ""), body),
            )
        )

    def _send(self, answer: Answer) -> None:
        length = len(answer.body) if answer.announced is None else answer.announced
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(length), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        body = answer.body[: answer.cut]
        while answer.drip and body:
            self.wfile.write(body[:1])
            body = body[1:]
            time.sleep(answer.drip)
        self.wfile.write(body)
        if answer.cut is not None or length != len(answer.body):
            self.close_connection = True

    do_GET = do_POST = _serve  # noqa: N815  what http.server looks for


class Kaggle(Server):
    """Kaggle with one data set. ``faults``: by file, what is answered first, one after the other."""

    def __init__(self, files: dict[str, bytes], latency: float = 0.0, port: int = KAGGLE_PORT) -> None:
        self.files, self.dataset = files, ("cjinny", "mura-v11")
        self.faults: dict[str, deque[Answer]] = defaultdict(deque)
        self.always: Callable[[str], Answer | None] = lambda _: None
        self.zipped: set[str] = set()
        super().__init__(self._one, port, latency)

    def fetched(self) -> list[str]:
        """The files that were asked for, in order."""
        return [str(asked.body["fileName"]) for asked in self.asked if asked.path.endswith("/DownloadDataset")]

    def _one(self, asked: Asked) -> Answer:
        if asked.path.startswith("/storage/"):
            return self._stored(asked.path.removeprefix("/storage/").split("?")[0])
        if not asked.path.endswith("/datasets.DatasetApiService/DownloadDataset"):
            return _refusal(404, "no such call")
        if asked.authorization not in (f"Bearer {TOKEN}", _basic(USERNAME, KEY)):
            return _refusal(401, "Unauthenticated")
        file = str(asked.body["fileName"])
        if (asked.body["ownerSlug"], asked.body["datasetSlug"]) != self.dataset or file not in self.files:
            return _refusal(404, "Not found")
        if fault := self.always(file):
            return fault
        if self.faults[file] and self.faults[file][0].status != 200:
            return self.faults[file].popleft()
        return Answer(302, headers={"Location": f"/storage/{urllib.parse.quote(file)}?signature=0"})

    def _stored(self, file: str) -> Answer:
        if self.faults[file]:
            return self.faults[file].popleft()
        body = self.files[file]
        return Answer(body=zip_of({file.rsplit("/", 1)[-1]: body}) if file in self.zipped else body)


class Figshare(Server):
    """figshare with one article of one zip; each signed address serves a single request.

    ``faults``: what is answered first, one after the other, when the zip is asked for. ``watch`` is called each time.
    """

    def __init__(self, archive: bytes, ranges: bool = True) -> None:
        self.archive, self.ranges, self.sent = archive, ranges, 0
        self.faults: deque[Answer] = deque()
        self.watch: Callable[[], object] = lambda: None
        self.drip = 0.0
        self._signed, self._numbers, self._lock = set[str](), itertools.count(), threading.Lock()
        super().__init__(self._one)

    def ranges_asked(self) -> list[str]:
        """The ranges of the zip that were asked for, in order; empty for the whole."""
        return [asked.range for asked in self.asked if asked.path.startswith("/signed/")]

    def _one(self, asked: Asked) -> Answer:
        if asked.path == "/articles/22363012":
            md5 = hashlib.md5(self.archive).hexdigest()
            told = {"name": "FracAtlas.zip", "size": len(self.archive), "computed_md5": md5}
            readme = {"name": "readme.txt", "size": 9, "download_url": f"{self.url}/files/2"}
            return _json(200, {"files": [readme, {**told, "download_url": f"{self.url}/files/1"}]})
        if asked.path == "/files/1":
            address = f"/signed/{next(self._numbers)}"
            self._signed.add(address)
            return Answer(302, headers={"Location": address})
        if asked.path not in self._signed:
            return Answer(403, b"Request has expired")
        self._signed.discard(asked.path)
        self.watch()
        if self.faults:
            return self.faults.popleft()
        if asked.range and self.ranges:
            return self._part(asked.range)
        self.sent += len(self.archive)
        return Answer(body=self.archive)

    def _part(self, wanted: str) -> Answer:
        if wanted.count("-") != 1:
            return Answer(416)
        first, last = wanted.removeprefix("bytes=").split("-")
        size = len(self.archive)
        start = max(0, size - int(last)) if not first else int(first)
        stop = min(size, int(last) + 1) if first and last else size
        with self._lock:
            self.sent += stop - start
        return Answer(
            206, self.archive[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}, drip=self.drip
        )


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def _basic(username: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{key}".encode()).decode()


def _refusal(code: int, message: str) -> Answer:
    return _json(code, {"code": code, "message": message})


def _json(status: int, said: dict[str, object]) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"})
