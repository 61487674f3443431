"""The served graph at work: pixels in; logit, features and class-activation map out. No TensorFlow."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError

THREADS = 2
"""Threads of one interpreter; on the two-core reference machine more were no faster."""

INTERPRETERS = min(4, os.cpu_count() or 1)
"""How many interpreters of a graph may answer at once: one for each core, as far as memory goes, of which each takes
about 50 MB at 427 px."""


@dataclass(frozen=True)
class Output:
    """What the graph says of one image."""

    logit: float
    features: NDArray[np.float32]
    """(2048,), averaged over the image."""
    cam: NDArray[np.float32]
    """(h, w): what each place adds to the logit, before averaging."""
    looks: NDArray[np.float32]
    """(F,), by which the image is compared with others: of a fine-tuned network mixed8's mean (1280,), since its last
    features tell little more than the answer; else ``features``."""
    places: NDArray[np.float32] | None
    """(H, W): what each place says by itself, as a logit; None where the network has not learned from boxes.

    Without them, the mean of ``cam`` plus the head's bias is the logit; with them, the highest is added, weighted."""


class Graph:
    """A graph and a few LiteRT interpreters of it, which answer at once.

    An interpreter is not thread-safe: each belongs to one worker thread, which makes it when there is work for it and
    which alone ever enters it. Whoever asks is served in the order of asking; a lock would rather go on to whoever has
    just had it. All interpreters read the weights from the same bytes, and so are of the same model, whatever becomes
    of its file.

    Args:
        content: the graph of :mod:`fracture.training.export.tflite`.
        interpreters: how many may answer at once.
        threads: of each interpreter.

    Raises:
        ModelError: the bytes are no graph with the input and outputs of :mod:`fracture.training.export.tflite`.
    """

    def __init__(self, content: bytes, interpreters: int = INTERPRETERS, threads: int = THREADS) -> None:
        self._content, self._threads = content, threads
        # By thread, and not in a threading.local: a process that forks would free the other threads' in its child,
        # where LiteRT's own threads are not, and crash.
        self._runners: dict[int, Any] = {}
        self._workers = ThreadPoolExecutor(interpreters, "graph")
        try:
            runner = self._workers.submit(self._runner).result()
            self.size = int(runner.get_input_details()["image"]["shape"][1])
            details = runner.get_output_details()
            outputs = set(details)
            self.compared = int(details["looks" if "looks" in outputs else "features"]["shape"][-1])
            self.shows_places = "places" in outputs
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"The served graph cannot be loaded: {error}") from error
        if not {"logit", "features", "cam"} <= outputs:
            raise ModelError(f"The served graph must give logit, features and cam. Received: {sorted(outputs)}")

    def __call__(self, pixels: NDArray[np.uint8]) -> Output:
        """Run one fitted image (S, S)."""
        return self._workers.submit(self._run, pixels).result()

    def each(self, *images: NDArray[np.uint8]) -> list[Output]:
        """Run fitted images (S, S), as many at once as there are interpreters."""
        return list(self._workers.map(self._run, images))

    def _runner(self) -> Any:
        """The interpreter of the worker thread that asks."""
        thread = threading.get_ident()
        if thread not in self._runners:
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
            self._runners[thread] = interpreter.get_signature_runner()
        return self._runners[thread]

    def _run(self, pixels: NDArray[np.uint8]) -> Output:
        out = self._runner()(image=pixels[None, :, :, None])
        places = out["places"][0].copy() if "places" in out else None
        features = out["features"][0].copy()
        looks = out["looks"][0].copy() if "looks" in out else features
        return Output(float(out["logit"][0, 0]), features, out["cam"][0].copy(), looks, places)
