"""HTTP requests: which failures are worth another attempt, when that may be made, and how to interrupt a download.

:func:`translate_errors` turns what may succeed the next time into :class:`RetryableError`; a :class:`RateLimiter` that
all workers share says when that next time is.
"""

import contextlib
import logging
import socket
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import tenacity
import urllib3

from fracture.errors import Cancelled, FetchError

CHUNK_BYTES = 1 << 16
"""Bytes between two checks of whether to stop."""

TIMEOUTS = (10.0, 30.0)
"""Seconds that a server has to accept a connection, and to send the next bytes."""

MAX_RETRY_AFTER = 600.0
"""Seconds: a server that asks for a longer pause is not waited for."""

_log = logging.getLogger(__name__)


class RetryableError(Exception):
    """A request that failed, in a sentence for people; it may well succeed when it is repeated.

    ``retry_after``: the seconds that the server asks to wait, or 0.
    """

    def __init__(self, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotFoundError(FetchError):
    """The server has no such file: another attempt would not help."""


@dataclass
class RateLimiter:
    """When the next request may go out, for all workers together, and how often a failed one is repeated.

    Requests are ``interval`` seconds apart. A failure of one worker makes all of them pause: for ``first_wait``
    seconds, twice as long after each further failure of the same file up to ``max_wait``, or longer where the server
    asks for it. After ``attempts`` attempts the download of the file has failed.
    """

    attempts: int = 8
    first_wait: float = 1.0
    max_wait: float = 60.0
    interval: float = 0.02
    _next: float = 0.0
    _reason: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self, stop: threading.Event) -> None:
        """Wait until a request may go out. Raises Cancelled as soon as ``stop`` is set."""
        while not stop.is_set():
            with self._lock:
                now = time.monotonic()
                seconds = self._next - now
                if seconds <= 0:
                    self._next = now + self.interval
                    return
            stop.wait(seconds)
        raise Cancelled

    def pause(self, seconds: float, reason: str = "") -> None:
        """Let no request out for so many seconds. ``reason``: a sentence; by default the one before stays."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
            self._reason = reason or self._reason

    def note(self) -> str | None:
        """What the workers wait for, as a sentence; None where they don't wait."""
        with self._lock:
            seconds = self._next - time.monotonic()
            return f"{self._reason} Trying again in {seconds:.0f} s." if seconds >= 1 else None

    def retrying(self) -> tenacity.Retrying:
        """Calls a function again after a RetryableError. Raises FetchError after the last attempt.

        It pauses this limiter instead of sleeping: the function waits by :meth:`acquire`, which can be stopped.
        """
        backoff = tenacity.wait_exponential(multiplier=self.first_wait, max=self.max_wait)
        jitter = tenacity.wait_random(0, self.first_wait / 2)
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RetryableError),
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=backoff + jitter,
            sleep=self.pause,
            before_sleep=tenacity.before_sleep_log(_log, logging.INFO),
            retry_error_callback=_raise_final_error,
        )


def _raise_final_error(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    raise FetchError(
        f"{error} Gave up after {state.attempt_number} attempts. Downloaded files are kept: "
        "start the same import again later."
    )


@contextlib.contextmanager
def translate_errors(server: str) -> Iterator[None]:
    """Raise RetryableError for failures of the network and the server; statuses 400 to 499 but for 429 pass through.

    The libraries' own messages are dropped: they may hold addresses with signatures in them.
    """
    try:
        yield
    except requests.HTTPError as error:
        status = http_status(error)
        if error.response is not None:
            error.response.close()
        if status == 429:
            raise _retry_later(f"{server} asks to slow down (429).", error) from None
        if status >= 500:
            raise _retry_later(f"{server} has a problem of its own ({status}).", error) from None
        raise
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError, ConnectionResetError):
        raise RetryableError(f"The connection to {server} broke off.") from None
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise RetryableError(f"{server} does not answer in time.") from None
    except (urllib3.exceptions.DecodeError, ValueError):  # requests raises ValueError for a redirect to no valid URL
        raise RetryableError(f"{server} sent an invalid answer.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError):
        raise RetryableError(f"{server} cannot be reached: is there a connection to the internet?") from None


def http_status(error: requests.HTTPError) -> int:
    """The HTTP status. Kaggle may state it in a JSON document that itself comes with status 200."""
    response = error.response
    if response is None:
        return 0
    if response.status_code >= 400:
        return response.status_code
    try:
        return int(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        return 0


def _retry_later(sentence: str, error: requests.HTTPError) -> RetryableError:
    """The error to raise. Raises FetchError where the server asks for too long a pause."""
    seconds = 0.0
    try:
        if error.response is not None:
            seconds = urllib3.Retry().get_retry_after(error.response.raw) or 0.0
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):  # no number, no date, or far too large
        _log.warning("Ignored an invalid Retry-After header.")
    if seconds > MAX_RETRY_AFTER:
        raise FetchError(
            f"{sentence} It asks to wait for {seconds:,.0f} s. Downloaded files are kept: "
            "start the same import again after that."
        )
    return RetryableError(sentence, seconds)


def read_body(response: requests.Response, server: str) -> Generator[bytes, None, None]:
    """The bytes of a response as they arrive. Raises RetryableError where they differ from the announced length."""
    announced = response.headers.get("Content-Length", "")
    received = 0
    with translate_errors(server), response:
        # read1 returns what has arrived instead of waiting for a full chunk: in between, a stop is noticed.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            received += len(chunk)
            yield chunk
    if announced.isdigit() and received != int(announced) and "Content-Encoding" not in response.headers:
        raise RetryableError(f"{server} sent {received:,} of {int(announced):,} bytes.")


class InterruptibleAdapter(requests.adapters.HTTPAdapter):
    """Sends the requests of one import, with timeouts, and can interrupt them from another thread."""

    def __init__(self) -> None:
        super().__init__()
        # Weak, so that closed connections drop out by themselves.
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._sockets_lock = threading.Lock()

    def prepare(self, session: requests.Session) -> requests.Session:
        """Let a session send its requests through this adapter; several threads may share it then."""
        session.mount("http://", self)
        session.mount("https://", self)
        # A compressed body would have other bytes than its Content-Length says, which read_body compares.
        session.headers["Accept-Encoding"] = "identity"
        # Cookies are the one part of a session that isn't safe to share between threads, and no server here needs them.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request, with the default timeouts unless it has its own."""
        options["timeout"] = options.get("timeout") or TIMEOUTS
        return super().send(request, *args, **options)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> urllib3.HTTPConnectionPool:
        """The pool that ``send`` takes a connection from; the connections that it opens can be interrupted."""
        pool = super().get_connection_with_tls_context(*args, **options)
        # A pool is kept for later requests: it must not be wrapped again each time.
        if "ConnectionCls" not in vars(pool):
            pool.ConnectionCls = partial(self._new_connection, pool.ConnectionCls)  # type: ignore[assignment]
        return pool

    def _new_connection(self, connection_class: Any, **options: Any) -> Any:
        connection = connection_class(**options)
        original_connect = connection.connect

        def connect() -> None:
            original_connect()
            with self._sockets_lock:
                self._sockets.add(connection.sock)

        connection.connect = connect
        return connection

    def interrupt(self) -> None:
        """End all requests in progress, however slow the server is: their threads get a RetryableError."""
        with self._sockets_lock:
            sockets = list(self._sockets)
        for open_socket in sockets:
            with contextlib.suppress(OSError):  # it has been closed already
                open_socket.shutdown(socket.SHUT_RDWR)
