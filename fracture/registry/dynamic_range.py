"""The bundled model's graph as version 0.1.0 served it: the same 8-bit weights, its activations in floating point.

Heads are trained on the features of this graph (the weights ``bundled-8bit``), so that runs and cached features of
earlier versions go on. Nearly all of its bytes are weights that the served graph has, too: ``dynamic_range.npz`` beside
it holds the rest as ``literal`` bytes, and ``copies``: literal bytes before it, start in the served graph, length.
"""

import hashlib
from typing import Any

from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.files import read_arrays
from fracture.registry.model_folder import ModelFolder


def dynamic_range_sha256(folder: ModelFolder) -> str:
    """The hash of the graph, without rebuilding it. Raises ModelError where the file is damaged."""
    return str(_difference(folder)["sha256"])


def dynamic_range_graph(folder: ModelFolder) -> bytes:
    """The graph, rebuilt to the last byte.

    Raises:
        ModelError: the difference is damaged, or of another served graph.
    """
    difference = _difference(folder)
    served = folder.served_model.read_bytes()
    literal = difference["literal"].tobytes()
    parts = []
    done = 0
    for upto, start, length in difference["copies"].tolist():
        parts += [literal[done:upto], served[start : start + length]]
        done = upto
    graph = b"".join([*parts, literal[done:]])
    if hashlib.sha256(graph).hexdigest() != str(difference["sha256"]):
        raise ModelError(f"{folder.dynamic_range.name} is not of the {folder.served_model.name} beside it.")
    return graph


def _difference(folder: ModelFolder) -> dict[str, NDArray[Any]]:
    path = folder.dynamic_range
    try:
        found = read_arrays(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} of the bundled model is missing or damaged.") from error
    if set(found) != {"copies", "literal", "sha256"}:
        raise ModelError(f"{path.name} must hold copies, literal and sha256. Received: {', '.join(sorted(found))}")
    return found
