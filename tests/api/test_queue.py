"""The bounded queue."""

import asyncio
import threading

import pytest

from fracture.api.queue import BoundedQueue
from fracture.api.refusals import RefusalError


def test_full_queue_refuses_until_a_place_is_free():
    """A thread and one that waits: the third is told when to ask again."""
    queue = BoundedQueue(threads=1, waiting=1)
    with queue.place():
        with queue.place(), pytest.raises(RefusalError, match="ask again in") as refused, queue.place():
            pass
        assert refused.value.status == 503 and int(refused.value.headers["Retry-After"]) > 0
        with queue.place():
            pass


def test_tasks_run_beside_the_event_loop():
    """In another thread; the result, or the error, comes back."""
    queue = BoundedQueue()
    assert asyncio.run(queue.run(threading.get_ident)) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(queue.run(lambda: 1 // 0))
