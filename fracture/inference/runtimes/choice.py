"""Which runtime runs a graph here: chosen by a short trial, unless ``FRACTURE_RUNTIME`` says so.

Which one is faster depends on the processor and on the graph, so that no table of processors could tell.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable

import numpy as np

from fracture.errors import FractureError
from fracture.inference.runtimes.litert import LITERT
from fracture.inference.runtimes.openvino import OPENVINO, in_integers, installed
from fracture.inference.runtimes.runner import Runner, Runtime

VARIABLE = "FRACTURE_RUNTIME"

AUTO = "auto"

TRIAL_SECONDS = 0.5
"""How long the passes of a trial take together."""

MAX_DIFFERENCE = 0.5
"""Of the logits for noise. Both runtimes round, and differed by at most 0.13; more is an error of OpenVINO."""

MAX_RATIO = 0.9
"""OpenVINO is chosen where its pass takes at most this share of LiteRT's processor time: it needs more memory."""

_log = logging.getLogger(__name__)

_chosen: dict[str, Runtime] = {}
"""By the graph's hash: the results of the trials of this process."""

# Two trials at once would slow each other down.
_trial = threading.Lock()


def choose_runtime(content: bytes, threads: int) -> Runtime:
    """The runtime for a graph: LiteRT where OpenVINO is not installed; else the faster one, tried once a process.

    Graphs that do not compute in integers always run on LiteRT.

    Raises:
        FractureError: ``FRACTURE_RUNTIME`` names no runtime, or OpenVINO, and that is not installed.
    """
    wanted = os.environ.get(VARIABLE) or AUTO
    if wanted not in (AUTO, LITERT.name, OPENVINO.name):
        raise FractureError(f"{VARIABLE} must be {AUTO}, {LITERT.name} or {OPENVINO.name}. Received: {wanted[:80]}")
    if wanted == OPENVINO.name and not installed():
        raise FractureError(f"{VARIABLE} is openvino, which is not installed: pip install 'fracture[openvino]'.")
    if wanted == LITERT.name or not installed() or not in_integers(content):
        return LITERT
    if wanted == OPENVINO.name:
        return OPENVINO
    return _tried(content, threads)


def _tried(content: bytes, threads: int) -> Runtime:
    digest = hashlib.sha256(content).hexdigest()
    with _trial:
        if digest not in _chosen:
            _chosen[digest] = _faster(content, threads)
        return _chosen[digest]


def _faster(content: bytes, threads: int) -> Runtime:
    """The faster one, after both have had turns; LiteRT where OpenVINO fails."""
    litert = LITERT.load(content, 1, threads)()
    try:
        openvino = OPENVINO.load(content, 1, threads)()
        ratio = _ratio(openvino, litert)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        _log.warning("OpenVINO can't run a graph, which LiteRT runs then: %s", error)
        return LITERT
    chosen = OPENVINO if ratio <= MAX_RATIO else LITERT
    _log.info("%s runs a graph: a pass of OpenVINO took %.2f of LiteRT's processor time", chosen.title, ratio)
    return chosen


def _ratio(first: Runner, second: Runner, clock: Callable[[], float] = time.process_time) -> float:
    """The shortest pass of the first runner, as a share of the second one's, in processor time.

    Of the clock's time, other programs on a busy machine would decide.
    """
    size = int(second.get_input_details()["image"]["shape"][1])
    image = np.random.default_rng(0).integers(0, 256, (1, size, size, 1), np.uint8)
    runners = (first, second)
    # The first pass also prepares the memory.
    logits = [float(runner(image=image)["logit"].item()) for runner in runners]
    if not abs(logits[0] - logits[1]) <= MAX_DIFFERENCE:
        raise RuntimeError(f"its logit for noise is {logits[0]:.3f}, LiteRT's {logits[1]:.3f}")
    shortest = [float("inf"), float("inf")]
    end = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < end or float("inf") in shortest:
        for place, runner in enumerate(runners):
            started = clock()
            runner(image=image)
            shortest[place] = min(shortest[place], clock() - started)
    return shortest[0] / shortest[1]
