"""A bounded queue in front of a few threads: a server that is asked for more than it can do says so at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from fracture.api.refusals import RefusalError

THREADS = 2
"""Requests that are answered at once; a graph runs on several cores by itself."""

MAX_WAITING = 16
"""Requests that wait or are being received. Each holds up to 100 MB of temporary files."""

RETRY_SECONDS = 5
"""After which a refused client may ask again."""

T = TypeVar("T")


class BoundedQueue:
    """A place for each request that is received, waits or is answered, and the threads that answer them."""

    def __init__(self, threads: int = THREADS, waiting: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, "rest")
        self._places = threading.BoundedSemaphore(threads + waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place until the end of the ``with``. Raises RefusalError where none is free."""
        if not self._places.acquire(blocking=False):
            raise RefusalError(
                f"The queue is full; ask again in {RETRY_SECONDS} s.", 503, {"Retry-After": str(RETRY_SECONDS)}
            )
        try:
            yield
        finally:
            self._places.release()

    async def run(self, task: Callable[[], T]) -> T:
        """Run a task in one of the threads, not on the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, task)
