"""Runs a served graph on LiteRT or another runtime: pixels in; logit, features and heat maps out. No TensorFlow."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.inference.runtimes.choice import choose_runtime
from fracture.inference.runtimes.litert import LITERT
from fracture.inference.runtimes.runner import Runner, Runtime
from fracture.parallel import worker_threads

THREADS_PER_INTERPRETER = 2
"""On the two-core reference machine more were no faster."""

INTERPRETERS = min(4, os.cpu_count() or 1)
"""Interpreters of a graph that may run at once: one a core, at most 4, since each takes about 50 MB at 427 px."""


_in_use: "WeakValueDictionary[tuple[int, str, str, int], Graph]" = WeakValueDictionary()
"""By process, since a fork has none of its parent's threads, by hash, runtime and threads."""

_loading = threading.Lock()


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
    """A graph and a few interpreters of it, which run at once. It may be shared between threads.

    An interpreter is not thread-safe: each belongs to one worker thread, which makes it when there is work for it and
    which alone ever enters it. Callers are served in their order; a lock would often return to the thread that has just
    had it. All interpreters read the weights from the same bytes, and so are of the same model, even where its file is
    replaced meanwhile.

    Args:
        content: the graph of :mod:`fracture.training.export.tflite`.
        interpreters: how many may run at once.
        threads: of each interpreter.
        runtime: what runs it. LiteRT's outputs are the ones that models are measured by.

    Raises:
        ModelError: the bytes are no graph with the input and outputs of :mod:`fracture.training.export.tflite`.
    """

    def __init__(
        self,
        content: bytes,
        interpreters: int = INTERPRETERS,
        threads: int = THREADS_PER_INTERPRETER,
        runtime: Runtime = LITERT,
    ) -> None:
        self.runtime = runtime
        # By thread, and not in a threading.local: a process that forks would free the other threads' in its child,
        # where LiteRT's own threads are not, and crash.
        self._runners: dict[int, Runner] = {}
        self._workers = ThreadPoolExecutor(interpreters, "graph")
        try:
            self._new_runner = runtime.load(content, interpreters, threads)
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

    def _runner(self) -> Runner:
        """The interpreter of the current worker thread."""
        thread = threading.get_ident()
        if thread not in self._runners:
            self._runners[thread] = self._new_runner()
        return self._runners[thread]

    def _run(self, pixels: NDArray[np.uint8]) -> Output:
        out = self._runner()(image=pixels[None, :, :, None])
        # Copies: the next image of this interpreter overwrites its outputs.
        features = out["features"][0].copy()
        embedding = out["looks"][0].copy() if "looks" in out else features
        places = out["places"][0].copy() if "places" in out else None
        return Output(float(out["logit"][0, 0]), features, out["cam"][0].copy(), embedding, places)


def fastest_graph(content: bytes) -> Graph:
    """The graph on the runtime that :func:`fracture.inference.runtimes.choice.choose_runtime` chooses.

    In a worker of :mod:`fracture.parallel` it is one interpreter, with as many threads as the worker. Callers in one
    process, such as the pages and the REST interface, share the graph as long as one of them keeps it.

    Raises:
        ModelError: the bytes are no served graph.
        FractureError: ``FRACTURE_RUNTIME`` asks for what is not there.
    """
    worker = worker_threads()
    threads = worker or THREADS_PER_INTERPRETER
    try:
        runtime = choose_runtime(content, threads)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"The served graph cannot be loaded: {error}") from error
    key = (os.getpid(), hashlib.sha256(content).hexdigest(), runtime.name, threads)
    with _loading:
        graph = _in_use.get(key)
        if graph is None:
            # Of several workers on a machine, each has a part of its cores.
            graph = Graph(content, 1 if worker else INTERPRETERS, threads, runtime)
            _in_use[key] = graph
    return graph
