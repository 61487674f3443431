"""What a runtime is to :class:`fracture.inference.litert.Graph`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Runner(Protocol):
    """One interpreter of a graph, which one thread at a time may call. Its methods are those of LiteRT's."""

    def get_input_details(self) -> Mapping[str, Mapping[str, Any]]:
        """Of the input ``image``, its ``shape``: (1, S, S, 1)."""

    def get_output_details(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each output, its ``shape``."""

    def __call__(self, *, image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """The outputs for one image; the next call may overwrite them."""


Load = Callable[[bytes, int, int], Callable[[], Runner]]
"""A graph, how many interpreters may run at once, and the threads of each -> what makes an interpreter."""


@dataclass(frozen=True)
class Runtime:
    """A program that runs graphs."""

    name: str
    """As the variable ``FRACTURE_RUNTIME`` has it."""
    title: str
    load: Load
    """Raises ValueError or RuntimeError where the bytes are no graph that it can read."""
