"""Waiting for other processes without sleeping for a fixed time."""

import time
from collections.abc import Callable
from typing import Any

LONGEST_SECONDS = 600.0
"""No test takes as long; runs have a low priority, so that on a busy machine each step may take ten times longer."""


def wait(until: Callable[[], Any], seconds: float = LONGEST_SECONDS) -> Any:
    """Wait until a condition holds, and return what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := until():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
