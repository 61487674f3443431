"""The 8-bit graph of the bundled model's backbone, for another head and another image size. No TensorFlow.

The file is a FlatBuffer whose schema comes with LiteRT's package. Operators that only the bundled model's own outputs
need are removed, marks replace its head, and the input gets another size. The weights do not change.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from fracture.files import JsonObject
from fracture.registry.dynamic_range import dynamic_range_graph
from fracture.registry.model_folder import bundled_model
from fracture.training.backbone.features import FEATURES
from fracture.training.export.head_slot import CAM_MARK, LOGIT_MARK

KEPT_OUTPUTS = ("cam", "features", "logit")
"""The outputs of a graph with a head on averaged features."""

FILE_IDENTIFIER = b"TFL3"
"""Of a LiteRT file, in its first bytes."""

BUFFER_BYTES = 2**25
"""Initial size of the buffer in which a graph is packed; it grows where that is too small."""

STEM_CHANNELS = 192
"""Of the map at the end of InceptionV3's stem."""

BACKBONE_LAYER = re.compile(r"/functional_1_1/(\w+)_\d+/")
"""Finds the name of a Keras layer in a tensor's name."""

CONVOLUTION = b"/convolution"
"""Part of the name of a convolution's output."""

NAMELESS_LAYERS = 5
"""The input, and the head's pooling, dropout, unit and sigmoid, whose names are not in the bundled graph."""


def bundled_graph(image_size: int) -> bytes:
    """The graph for images of a size in px, with marks in the head's place (:mod:`fracture.training.export.head_slot`).

    At the bundled model's own size its features are those of :mod:`fracture.registry.dynamic_range`, to the last bit.
    """
    content = dynamic_range_graph(bundled_model())
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    _keep_outputs(model)
    _mark_head(model)
    _resize(model, image_size)
    return _packed(model)


def _resize(model: Any, image_size: int) -> None:
    """Set the input's size, and the shapes of all other tensors as LiteRT computes them from it."""
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = np.array([1, image_size, image_size, 1], np.int32)
    interpreter = Interpreter(
        model_content=_packed(model), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    shapes = {details["index"]: details["shape"] for details in interpreter.get_tensor_details()}
    for number, tensor in enumerate(graph.tensors):
        tensor.shape = shapes[number]
        tensor.shapeSignature = None


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(BUFFER_BYTES)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _keep_outputs(model: Any) -> None:
    """Keep the outputs :data:`KEPT_OUTPUTS` and what they depend on; the logit without the term of the places."""
    graph = model.subgraphs[0]
    signature = model.signatureDefs[0]
    operator_of: dict[int, Any] = {}
    for operator in graph.operators:
        for number in operator.outputs:
            operator_of[number] = operator
    outputs = {output.name.decode(): output for output in signature.outputs}
    # The bundled model adds the highest place to the head's logit: the sum's first input is the logit of the head.
    logit = outputs["logit"]
    logit.tensorIndex = operator_of[logit.tensorIndex].inputs[0]
    signature.outputs = [outputs[name] for name in KEPT_OUTPUTS]
    graph.outputs = [output.tensorIndex for output in signature.outputs]
    needed = _ancestors(graph.outputs, operator_of)
    graph.operators = [operator for operator in graph.operators if needed.intersection(operator.outputs)]


def _ancestors(numbers: Iterable[int], operator_of: dict[int, Any]) -> set[int]:
    """These tensors and all that they depend on; ``operator_of``: the operator that computes a tensor."""
    found: set[int] = set()
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        if number in operator_of:  # else it is the input or a constant
            waiting.extend(operator_of[number].inputs)
    return found


def _mark_head(model: Any) -> None:
    """Replace the bundled model's own head by the marks: no other constants have their shapes."""
    for tensor in model.subgraphs[0].tensors:
        for mark in (CAM_MARK, LOGIT_MARK):
            if tensor.shape is not None and tuple(tensor.shape) == mark.shape:
                model.buffers[tensor.buffer].data = np.frombuffer(mark.tobytes(), np.uint8)


def describe_graph(content: bytes) -> JsonObject:
    """Describe the Keras network behind the graph, as :func:`fracture.training.backbone.network.describe_network` does.

    The graph has one operator for a convolution with its batch normalization and activation; here they count as the
    three layers that they are in Keras. Only the head trains.
    """
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    rows = list(_rows(graph))
    total = sum(row["parameters"] for row in rows)
    head = rows[-1]["parameters"]
    return {"layers": len(_layers(graph)) + NAMELESS_LAYERS, "parameters": total, "trainable": head, "rows": rows}


def _layers(graph: Any) -> set[str]:
    """The names of the backbone's Keras layers, which are in the names of the operators' outputs."""
    layers: set[str] = set()
    for operator in graph.operators:
        name = graph.tensors[operator.outputs[0]].name.decode()
        layers.update(BACKBONE_LAYER.findall(name))
    return layers


def _rows(graph: Any) -> Iterator[JsonObject]:
    """A row each for the stem, the Inception blocks and the head, as in :mod:`fracture.training.backbone.network`."""
    parameters = 0
    for operator in graph.operators:
        output = graph.tensors[operator.outputs[0]]
        if CONVOLUTION in output.name:
            _, kernel, bias = operator.inputs[:3]
            parameters += math.prod(graph.tensors[kernel].shape)
            # The bias replaces batch normalization's shift, moving mean and moving variance.
            parameters += 3 * math.prod(graph.tensors[bias].shape)
        block = _block(output)
        if block:
            yield {"name": block, "shape": output.shape[1:].tolist(), "parameters": int(parameters), "trainable": False}
            parameters = 0
    yield {"name": "features", "shape": [FEATURES], "parameters": 0, "trainable": False}
    yield {"name": "head", "shape": [1], "parameters": len(LOGIT_MARK), "trainable": True}


def _block(output: Any) -> str | None:
    """The block that ends with a tensor, by the Keras layer in its name; None within a block."""
    name = output.name.decode()
    found = re.search(r"/(mixed\d+)_1/concat$", name)
    if found:
        return found[1]
    if "/max_pooling2d" in name and output.shape[-1] == STEM_CHANNELS:
        return "stem"
    return None
