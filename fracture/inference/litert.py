"""Runs a served graph on LiteRT: pixels in; logit, features and class-activation map out. No TensorFlow."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError

THREADS_PER_INTERPRETER = 2
"""On the two-core reference machine more were no faster."""

INTERPRETERS = min(4, os.cpu_count() or 1)
"""Interpreters of a graph that may run at once: one a core, at most 4, since each takes about 50 MB at 427 px."""


@dataclass(frozen=True)
class Output:
    """The outputs of a graph for one image."""

    logit: float
    features: NDArray[np.float32]
    """(2048,), averaged over the image."""
    cam: NDArray[np.float32]
    """(h, w): what each cell adds to the logit, before averaging."""
    embedding: NDArray[np.float32]
    """(F,), by which images are compared: of a fine-tuned network mixed8's mean (1280,), since its last features tell
    little more than the answer; else ``features``."""
    places: NDArray[np.float32] | None
    """(H, W): the logit of each cell by itself; None where the network was not trained on boxes.

    Without it, the logit is the mean of ``cam`` plus the head's bias; with it, its maximum is added, weighted."""


class Graph:
    """A graph and a few LiteRT interpreters of it, which run at once. It may be shared between threads.

    An interpreter is not thread-safe: each belongs to one worker thread, which makes it when there is work for it and
    which alone ever enters it. Callers are served in their order; a lock would often return to the thread that has just
    had it. All interpreters read the weights from the same bytes, and so are of the same model, even where its file is
    replaced meanwhile.

    Args:
        content: the graph of :mod:`fracture.training.export.tflite`.
        interpreters: how many may run at once.
        threads: of each interpreter.

    Raises:
        ModelError: the bytes are no graph with the input and outputs of :mod:`fracture.training.export.tflite`.
    """

    def __init__(
        self, content: bytes, interpreters: int = INTERPRETERS, threads: int = THREADS_PER_INTERPRETER
    ) -> None:
        self._content = content
        self._threads = threads
        # By thread, and not in a threading.local: a process that forks would free the other threads' in its child,
        # where LiteRT's own threads are not, and crash.
        self._runners: dict[int, Any] = {}
        self._workers = ThreadPoolExecutor(interpreters, "graph")
        try:
            runner = self._workers.submit(self._runner).result()
            self.size = int(runner.get_input_details()["image"]["shape"][1])
            details = runner.get_output_details()
            outputs = set(details)
            embedding = "looks" if "looks" in outputs else "features"
            self.embedding_size = int(details[embedding]["shape"][-1])
            self.shows_places = "places" in outputs
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"The served graph cannot be loaded: {error}") from error
        if not {"logit", "features", "cam"} <= outputs:
            raise ModelError(f"The served graph must give logit, features and cam. Received: {sorted(outputs)}")

    def __call__(self, pixels: NDArray[np.uint8]) -> Output:
        """Run one fitted image (S, S)."""
        return self._workers.submit(self._run, pixels).result()

    def run_all(self, *images: NDArray[np.uint8]) -> list[Output]:
        """Run several fitted images (S, S), as many at once as there are interpreters."""
        return list(self._workers.map(self._run, images))

    def _runner(self) -> Any:
        """The interpreter of the current worker thread."""
        thread = threading.get_ident()
        if thread not in self._runners:
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
            self._runners[thread] = interpreter.get_signature_runner()
        return self._runners[thread]

    def _run(self, pixels: NDArray[np.uint8]) -> Output:
        out = self._runner()(image=pixels[None, :, :, None])
        # Copies: the next image of this interpreter overwrites its outputs.
        features = out["features"][0].copy()
        embedding = out["looks"][0].copy() if "looks" in out else features
        places = out["places"][0].copy() if "places" in out else None
        return Output(float(out["logit"][0, 0]), features, out["cam"][0].copy(), embedding, places)
