"""The feature maps of chosen blocks, from a second interpreter that lives for one image.

The served interpreter reuses the memory of its inner maps. LiteRT can keep them all
(``experimental_preserve_all_tensors``), but only without its delegates, whose slower kernels round differently: the
logits then differed from the served ones by up to 0.10 on the committed samples. So the wanted maps become outputs of
the graph instead: the same kernels run, and the logit is the served one to the last bit.
"""

import ctypes
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.inference.inside.structure import Structure, with_outputs
from fracture.inference.litert import THREADS_PER_INTERPRETER

Maps = NDArray[np.float32]
"""(h, w, C): what the channels of a block answer at each cell; 0 or more, since each ends in a ReLU."""

# One interpreter at a time: each takes about 100 MB while it lives.
_one_at_a_time = threading.Lock()


class Inside(NamedTuple):
    """One pass through a network."""

    logit: float
    maps: dict[str, Maps]
    """By the names of the blocks."""


class Strongest(NamedTuple):
    """The channels of a block that answer most to an image, the strongest first."""

    channels: list[int]
    means: list[float]
    """Averaged over the image."""
    maps: NDArray[np.float32]
    """(K, h, w)."""
    total: int
    """Channels of the block."""


def look_inside(content: bytes, structure: Structure, pixels: NDArray[np.uint8], blocks: Sequence[str]) -> Inside:
    """Run one fitted image (S, S) through a served graph, and keep the maps of these blocks.

    Args:
        content: the served graph.
        structure: of the same graph.
        pixels: as :func:`fracture.imaging.radiograph.fit` makes them.
        blocks: names of :data:`fracture.inference.inside.structure.BLOCKS`.

    Raises:
        ModelError: there is no such block, or the graph cannot be run.
    """
    unknown = [name for name in blocks if name not in structure.tensors]
    if unknown:
        raise ModelError(f"blocks must be of {', '.join(structure.tensors)}. Received: {', '.join(unknown)}")
    wanted = {name: structure.tensors[name] for name in blocks}
    with _one_at_a_time:
        inside = _run(with_outputs(content, list(wanted.values())), wanted, pixels)
        _return_memory()
    return inside


def strongest(maps: Maps, count: int) -> Strongest:
    """The ``count`` channels of a block with the highest means."""
    means = maps.mean(axis=(0, 1))
    chosen = np.argsort(-means, kind="stable")[:count]
    return Strongest(chosen.tolist(), means[chosen].tolist(), maps[..., chosen].transpose(2, 0, 1), maps.shape[2])


def _run(graph: bytes, wanted: dict[str, int], pixels: NDArray[np.uint8]) -> Inside:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=graph, num_threads=THREADS_PER_INTERPRETER)
        # The runner names the outputs: in the file alone they are numbers.
        logit = interpreter.get_signature_runner()(image=pixels[None, :, :, None])["logit"]
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"The served graph cannot be run: {error}") from error
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    maps = {name: _real(interpreter, details[tensor]) for name, tensor in wanted.items()}
    return Inside(float(logit[0, 0]), maps)


def _return_memory() -> None:
    """Give the interpreter's memory back to the system: the C library of Linux would keep it for this process."""
    with suppress(OSError, AttributeError, TypeError):  # other systems have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _real(interpreter: Any, detail: dict[str, Any]) -> Maps:
    """The values of a tensor of one image (1, h, w, C), also of one that is stored in integers."""
    values = interpreter.get_tensor(detail["index"])[0]  # (h, w, C)
    scale, zero = detail["quantization"]
    if not scale:
        return np.asarray(values, np.float32)
    real: Maps = (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)
    return real
