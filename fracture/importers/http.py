"""Asking a server for files: what can go wrong, in words, and when to ask again.

Whoever asks wraps it in :func:`asking`; what may well succeed the next time then comes as :class:`Trouble`, and a
:class:`Pace` that all workers share says when that next time is.
"""

import contextlib
import random
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

from fracture.errors import Cancelled, FetchError

CHUNK = 1 << 16
"""Bytes between two looks at whether to stop."""

PATIENCE = (10.0, 30.0)
"""Seconds that a server has to take a connection, and to send the next bytes."""

LONGEST_ASKED = 600.0
"""Seconds: a server that asks to be left alone for longer is not waited for."""

_answers: weakref.WeakSet[urllib3.BaseHTTPResponse] = weakref.WeakSet()
_noting = threading.Lock()


class Trouble(Exception):  # noqa: N818  an error only once it has come too often
    """A request that failed, and may well succeed when it is made again.

    ``sentence``: for people. ``after``: the seconds that the server asks to wait, if it does.
    """

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.after = sentence, after


class NotThereError(FetchError):
    """A server has no such file, however often it is asked."""


@dataclass
class Pace:
    """When the next request may go out, for all workers together.

    Requests are ``interval`` seconds apart. Trouble that one worker has makes all of them pause: for as long as the
    server asks, or else for ``first_wait`` seconds, twice as long each time up to ``longest_wait``, less up to a half
    by chance. One success, and it begins anew; ``tries`` failures in a row, and it is given up.
    """

    tries: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    interval: float = 0.02
    failures: int = 0
    _sentence: str = ""
    _next: float = 0.0
    _paused: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, stop: threading.Event) -> float:
        """Wait until a request may go out, and return when that was. Raises Cancelled once ``stop`` is set."""
        while not stop.is_set():
            with self._lock:
                now = time.monotonic()
                left = self._next - now
                if left <= 0:
                    self._next = now + self.interval
                    return now
            stop.wait(left)
        raise Cancelled

    def succeeded(self, began: float) -> None:
        """Take note that the request that went out at ``began`` was answered."""
        with self._lock:
            if began >= self._paused:  # one from before a pause says nothing of how it goes after it
                self.failures, self._sentence = 0, ""

    def failed(self, trouble: Trouble, began: float) -> None:
        """Take note that the request that went out at ``began`` failed. Raises FetchError once that is too often."""
        with self._lock:
            now = time.monotonic()
            if began < self._paused:  # everyone pauses for this trouble already
                self._next = max(self._next, now + (trouble.after or 0.0))
                return
            self.failures += 1
            if self.failures >= self.tries:
                raise given_up(trouble.sentence, self.tries)
            self._paused, self._sentence = now, trouble.sentence
            self._next = now + self._wait(trouble)

    def note(self) -> str | None:
        """What is being waited for, as a sentence; None where nothing is."""
        with self._lock:
            left = self._next - time.monotonic()
            return f"{self._sentence} Trying again in {left:.0f} s." if self._sentence and left >= 1 else None

    def _wait(self, trouble: Trouble) -> float:
        if (trouble.after or 0.0) > LONGEST_ASKED:
            raise FetchError(
                f"{trouble.sentence} It asks to wait for {trouble.after:,.0f} s. What has been fetched is kept: "
                "start the same import again after that."
            )
        wait = min(self.first_wait * 2.0 ** (self.failures - 1), self.longest_wait)
        jittered = wait * random.uniform(0.5, 1)  # noqa: S311  nothing is kept secret by it
        return jittered if trouble.after is None else trouble.after + jittered / 4


def given_up(sentence: str, tries: int) -> FetchError:
    """The error of whoever has tried often enough."""
    return FetchError(
        f"{sentence} Given up after {tries} tries. What has been fetched is kept: start the same import again later."
    )


@contextlib.contextmanager
def asking(whom: str) -> Iterator[None]:
    """What a network and a server refuse, as Trouble; answers 400 to 499 but for 429 stay ``requests.HTTPError``.

    No words of the libraries are passed on: they may hold addresses with signatures in them.
    """
    try:
        yield
    except requests.HTTPError as error:
        status = status_of(error)
        if error.response is not None:
            error.response.close()
        if status == 429:
            raise Trouble(f"{whom} asks to slow down (429).", _retry_after(error)) from None
        if status >= 500:
            raise Trouble(f"{whom} has trouble of its own ({status}).", _retry_after(error)) from None
        raise
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError, ConnectionResetError):
        raise Trouble(f"The connection to {whom} was cut off.") from None
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise Trouble(f"{whom} does not answer in time.") from None
    except (urllib3.exceptions.DecodeError, ValueError):  # the last where it leads on to an address that is none
        raise Trouble(f"{whom} sent an answer that cannot be understood.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError):
        raise Trouble(f"{whom} cannot be reached: is there a connection to the internet?") from None


def status_of(error: requests.HTTPError) -> int:
    """The HTTP status; Kaggle may say it in a document that itself comes with 200."""
    response = error.response
    if response is None:
        return 0
    if response.status_code >= 400:
        return response.status_code
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return int(response.json()["code"])
    return 0


def body(response: requests.Response, whom: str) -> Generator[bytes, None, None]:
    """What a server sends, bit by bit. Raises Trouble where it is not as long as announced."""
    announced, got = response.headers.get("Content-Length", ""), 0
    with asking(whom), response:
        # What is there, and no waiting until a chunk is full: in between it may be stopped.
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            got += len(chunk)
            yield chunk
    if announced.isdigit() and got != int(announced) and "Content-Encoding" not in response.headers:
        raise Trouble(f"{whom} sent {got:,} of {int(announced):,} bytes.")


def hang_up() -> None:
    """End whatever servers are sending to this process, however slowly: who reads it has Trouble."""
    with _noting:
        answers = list(_answers)
    for answer in answers:
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has come already
            answer.shutdown()


def patient_session() -> requests.Session:
    """A new session, prepared."""
    return prepare(requests.Session())


def prepare(session: requests.Session) -> requests.Session:
    """Give a session patience that ends, and have it take bytes as they are; returns it."""
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Patient())
    return session


class _Patient(requests.adapters.HTTPAdapter):
    """Ends a request that nobody else gave an end to; :func:`hang_up` ends what comes in answer."""

    def send(self, request: requests.PreparedRequest, *args: Any, **choices: Any) -> requests.Response:
        choices["timeout"] = choices.get("timeout") or PATIENCE
        response = super().send(request, *args, **choices)
        with _noting:
            _answers.add(response.raw)
        return response


def _retry_after(error: requests.HTTPError) -> float | None:
    said = error.response.headers.get("Retry-After") if error.response is not None else None
    try:
        return urllib3.Retry().parse_retry_after(said) if said else None
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):  # no number, no date, or far too large
        return None
