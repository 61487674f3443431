"""Tasks that workers import, for the tests of :mod:`fracture.parallel`."""

import os
import signal
import time
from pathlib import Path

from fracture.errors import RadiographError
from fracture.parallel import worker_threads


def square(number: int) -> int:
    return number**2


def square_by_another(folder: Path, number: int) -> int:
    """The first worker that gets 5 or 11 is killed, and leaves a mark."""
    if number in (5, 11):
        mark = folder / str(number)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def kill_at_seven(number: int) -> int:
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def kill_while_six_waits(folder: Path, number: int) -> int:
    """Item 7 kills its worker each time; item 6 is under way at the first two kills."""
    if number == 6:
        while len(list(folder.iterdir())) < 2:
            time.sleep(0.01)
    if number == 7:
        (folder / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def refuse_three(number: int) -> int:
    if number == 3:
        raise RadiographError("three.png cannot be read.")
    return number


def process_and_threads(_: int) -> tuple[int, int | None]:
    return os.getpid(), worker_threads()


def lacks_a_thing() -> str:
    return "has no thing. Bring one."


def lacks_nothing() -> str:
    return ""
