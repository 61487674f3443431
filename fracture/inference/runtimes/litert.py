"""LiteRT, which comes with the project and runs every graph."""

from collections.abc import Callable
from typing import Any

from fracture.inference.runtimes.runner import Runner, Runtime


def load_litert(content: bytes, interpreters: int, threads: int) -> Callable[[], Runner]:
    """What makes an interpreter of a graph; all of them read the weights from the same bytes."""
    del interpreters  # each is made by itself

    def interpreter() -> Any:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(model_content=content, num_threads=threads).get_signature_runner()

    return interpreter


LITERT = Runtime("litert", "LiteRT", load_litert)
