"""The blocks of a served graph and the weights of its head, read from the LiteRT file.

The blocks are found by how the graph is connected, not by the names of its tensors, which change with each conversion:
a block of InceptionV3 ends in a concatenation that no other concatenation takes (Szegedy et al., CVPR 2016).
"""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fracture.errors import ModelError

CHANNELS = (256, 288, 288, 768, 768, 768, 768, 768, 1280, 2048, 2048)
"""Of the blocks mixed0 to mixed10."""

LAST = "mixed10"

STEM = ("conv1", "pool1", "pool2")
"""The first convolution, and what both poolings of the stem leave."""

BLOCKS = (*STEM, *(f"mixed{number}" for number in range(len(CHANNELS))))
"""The names of all blocks whose maps can be shown, from the image to the head."""

_OP = schema.BuiltinOperator


class Structure(NamedTuple):
    """Where to find the blocks and the head of a graph."""

    tensors: dict[str, int]
    """The number of each block's tensor, by the block's name."""
    weights: NDArray[np.float32]
    """(2048,), of the head, a number for each channel of mixed10."""
    bias: float


class _Step(NamedTuple):
    operator: int
    inputs: list[int]
    output: int


def read_structure(content: bytes) -> Structure:
    """The blocks and the head of a served graph.

    Raises ModelError where the file is damaged, or is no InceptionV3 with one unit on its averaged last maps.
    """
    try:
        model = schema.Model.GetRootAs(content)
        graph = model.Subgraphs(0)
        steps = _steps(model, graph)
        tensors = {**_stem(steps), **_mixed(graph, steps)}
        head = _constant(model, graph, steps, CHANNELS[-1] + 1)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            "Only a served graph of InceptionV3 can be looked into. This one has other blocks: export the model again."
        ) from error
    return Structure(tensors, head[:-1], float(head[-1]))


def with_outputs(content: bytes, tensors: Sequence[int]) -> bytes:
    """The same graph with more tensors among its outputs, which the interpreter then keeps.

    The list of outputs is written again behind the file, and the reference to the old one changed: a FlatBuffer's
    offsets point forward from where they stand.
    """
    graph = schema.Model.GetRootAs(content).Subgraphs(0)
    outputs = [graph.Outputs(place) for place in range(graph.OutputsLength())]
    # The first of a table's fields stands at byte 4 of its offsets, each takes two bytes, and outputs are the third.
    field = graph._tab.Pos + graph._tab.Offset(8)
    padding = b"\0" * (-len(content) % 16)
    wanted = [*outputs, *tensors]
    listed = struct.pack(f"<I{len(wanted)}i", len(wanted), *wanted)
    changed = bytearray(content + padding + listed)
    struct.pack_into("<I", changed, field, len(content) + len(padding) - field)
    return bytes(changed)


def _steps(model: Any, graph: Any) -> list[_Step]:
    operators = [model.OperatorCodes(place).BuiltinCode() for place in range(model.OperatorCodesLength())]
    found = (graph.Operators(place) for place in range(graph.OperatorsLength()))
    return [_Step(operators[each.OpcodeIndex()], each.InputsAsNumpy().tolist(), each.Outputs(0)) for each in found]


def _stem(steps: Sequence[_Step]) -> dict[str, int]:
    convolutions = [step.output for step in steps if step.operator == _OP.CONV_2D]
    poolings = [step.output for step in steps if step.operator == _OP.MAX_POOL_2D]
    return dict(zip(STEM, (convolutions[0], poolings[0], poolings[1]), strict=True))


def _mixed(graph: Any, steps: Sequence[_Step]) -> dict[str, int]:
    """The tensors of the blocks mixed0 to mixed10. Raises ValueError where they are others."""
    joined = [step for step in steps if step.operator == _OP.CONCATENATION]
    inner = {tensor for step in joined for tensor in step.inputs}
    shapes = {step.output: graph.Tensors(step.output).ShapeAsNumpy().tolist() for step in joined}
    # The first one makes three channels of the gray image; the last one, of two axes, appends a 1 for the bias.
    blocks = [tensor for tensor, shape in shapes.items() if len(shape) == 4 and shape[3] > 3 and tensor not in inner]
    channels = tuple(shapes[tensor][3] for tensor in blocks)
    if channels != CHANNELS:
        raise ValueError(f"blocks must have {CHANNELS} channels. Received: {channels}")
    return dict(zip(BLOCKS[len(STEM) :], blocks, strict=True))


def _constant(model: Any, graph: Any, steps: Sequence[_Step], length: int) -> NDArray[np.float32]:
    """The one constant of so many numbers by which something is multiplied. Raises ValueError without it."""
    factors = [tensor for step in steps if step.operator == _OP.MUL for tensor in step.inputs]
    for tensor in factors:
        buffer = model.Buffers(graph.Tensors(tensor).Buffer())
        if buffer.DataLength() == 4 * length:
            # A copy: the view would keep all of the file in memory.
            return np.frombuffer(buffer.DataAsNumpy().tobytes(), "<f4").astype(np.float32)
    raise ValueError(f"no constant of {length} numbers")
