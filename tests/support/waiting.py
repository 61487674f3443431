"""Waiting for other processes without sleeping for a fixed time."""

import time
from collections.abc import Callable
from typing import Any


def wait(until: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait until a condition holds, and return what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := until():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
