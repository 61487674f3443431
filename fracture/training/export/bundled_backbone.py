"""The bundled model's backbone as it is served, for another head at another size. No TensorFlow.

The file is a FlatBuffer whose layout LiteRT's package brings along: what only serves the bundled model's own answer is
left out of it, marks take its head's place, and the input gets another size. Weights stay as they are.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from fracture.registry.model_folder import bundled_model
from fracture.training.backbone.feature_cache import FEATURES
from fracture.training.export.head_slot import CAM_MARK, LOGIT_MARK

KEPT = ("cam", "features", "logit")
"""The outputs of a graph with a head on averaged features."""

IDENTIFIER = b"TFL3"
"""By which a LiteRT file is known."""

STEM_CHANNELS = 192
"""Of the map that the stem of InceptionV3 ends with."""

BACKBONE_LAYER = re.compile(r"/functional_1_1/(\w+)_\d+/")
"""The part of a tensor's name that is a Keras layer's."""

CONVOLUTION = b"/convolution"
"""In the name of a convolution's output."""

NAMELESS_LAYERS = 5
"""The input, and the head's average, dropout, unit and sigmoid, which leave no name in the bundled graph."""


def bundled_graph(image_size: int) -> bytes:
    """The graph for images of a size in px, with marks in the head's place (:mod:`fracture.training.export.head_slot`).

    At the bundled model's own size its features are the bundled model's, to the last bit.
    """
    content = bundled_model().served_model.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    _keep_outputs(model)
    _mark_head(model)
    _resize(model, image_size)
    return _packed(model)


def _resize(model: Any, image_size: int) -> None:
    """Give the input another size, and to all that is computed what LiteRT finds to follow from it."""
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = np.array([1, image_size, image_size, 1], np.int32)
    interpreter = Interpreter(
        model_content=_packed(model), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    shapes = {details["index"]: details["shape"] for details in interpreter.get_tensor_details()}
    for number, tensor in enumerate(graph.tensors):
        tensor.shape, tensor.shapeSignature = shapes[number], None


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(2**25)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _keep_outputs(model: Any) -> None:
    """Leave the outputs :data:`KEPT` and what they are made of; the logit without what the places add to it."""
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    makes = {number: operator for operator in graph.operators for number in operator.outputs}
    outputs = {output.name.decode(): output for output in signature.outputs}
    with_places = makes[outputs["logit"].tensorIndex]
    outputs["logit"].tensorIndex = with_places.inputs[0]
    signature.outputs = [outputs[name] for name in KEPT]
    graph.outputs = [output.tensorIndex for output in signature.outputs]
    needed = _ancestors(graph.outputs, makes)
    graph.operators = [operator for operator in graph.operators if needed.intersection(operator.outputs)]


def _ancestors(numbers: Iterable[int], makes: dict[int, Any]) -> set[int]:
    """The tensors that these are made of, and themselves; ``makes``: the operator of each that is computed."""
    found, waiting = set[int](), list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting.extend(makes[number].inputs if number in makes else ())
    return found


def _mark_head(model: Any) -> None:
    """Put the marks where the bundled model has its own head: no other constants are of their shapes."""
    for tensor in model.subgraphs[0].tensors:
        for mark in (CAM_MARK, LOGIT_MARK):
            if tensor.shape is not None and tuple(tensor.shape) == mark.shape:
                model.buffers[tensor.buffer].data = np.frombuffer(mark.tobytes(), np.uint8)


def describe(content: bytes) -> dict[str, Any]:
    """Describe the Keras network behind the graph, as :func:`fracture.training.backbone.network.describe` does.

    One operator of the graph does the work of a convolution, its batch normalization and its activation: here they
    count as the three layers that they are in Keras. Of all, only the head trains.
    """
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    rows = list(_rows(graph))
    total = sum(row["parameters"] for row in rows)
    head = rows[-1]["parameters"]
    return {"layers": len(_layers(graph)) + NAMELESS_LAYERS, "parameters": total, "trainable": head, "rows": rows}


def _layers(graph: Any) -> set[str]:
    """The backbone's layers, by the names that Keras's layers have left in those of the outputs."""
    names = (graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators)
    return {layer for name in names for layer in BACKBONE_LAYER.findall(name)}


def _rows(graph: Any) -> Iterator[dict[str, Any]]:
    """One row each for the stem, the Inception blocks and the head; as :mod:`fracture.training.backbone.network`."""
    parameters = 0
    for operator in graph.operators:
        output = graph.tensors[operator.outputs[0]]
        if CONVOLUTION in output.name:
            kernel, bias = (graph.tensors[number].shape for number in operator.inputs[1:3])
            # The bias is what is left of batch normalization's shift, moving mean and moving variance.
            parameters += math.prod(kernel) + 3 * math.prod(bias)
        if block := _block(output):
            yield {"name": block, "shape": output.shape[1:].tolist(), "parameters": int(parameters), "trainable": False}
            parameters = 0
    yield {"name": "features", "shape": [FEATURES], "parameters": 0, "trainable": False}
    yield {"name": "head", "shape": [1], "parameters": len(LOGIT_MARK), "trainable": True}


def _block(output: Any) -> str | None:
    """The block that ends with a tensor, by the names that Keras's layers have left."""
    name = output.name.decode()
    if found := re.search(r"/(mixed\d+)_1/concat$", name):
        return found[1]
    return "stem" if "/max_pooling2d" in name and output.shape[-1] == STEM_CHANNELS else None
