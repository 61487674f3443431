"""The served graph at work: pixels in; logit, features and class-activation map out. No TensorFlow."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError

THREADS = 2
"""Threads of one interpreter; on the two-core reference machine more were no faster."""


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
    """One LiteRT interpreter. It is not thread-safe, so calls take turns.

    Raises:
        ModelError: the bytes are no graph with the input and outputs of :mod:`fracture.learn.export`.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=content, num_threads=THREADS)
            self._run: Any = interpreter.get_signature_runner()
            self.size = int(self._run.get_input_details()["image"]["shape"][1])
            details = self._run.get_output_details()
            outputs = set(details)
            self.compared = int(details["looks" if "looks" in outputs else "features"]["shape"][-1])
            self.shows_places = "places" in outputs
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"The served graph cannot be loaded: {error}") from error
        if not {"logit", "features", "cam"} <= outputs:
            raise ModelError(f"The served graph must give logit, features and cam. Received: {sorted(outputs)}")
        self._turn = threading.Lock()

    def __call__(self, pixels: NDArray[np.uint8]) -> Output:
        """Run one fitted image (S, S)."""
        with self._turn:
            out = self._run(image=pixels[None, :, :, None])
            places = out["places"][0].copy() if "places" in out else None
            features = out["features"][0].copy()
            looks = out["looks"][0].copy() if "looks" in out else features
            return Output(float(out["logit"][0, 0]), features, out["cam"][0].copy(), looks, places)
