"""OpenVINO, an optional extra: graphs in full integers take it about two thirds of LiteRT's time.

Others it runs no faster, and with two streams OpenVINO 2026.4 gave wrong logits for them: they stay on LiteRT. It reads
LiteRT's files from a path, and names the outputs by their tensors; which output a tensor is, the file's signature says.
"""

import struct
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fracture.inference.runtimes.runner import Runner, Runtime


def installed() -> bool:
    """Whether OpenVINO can be imported; it is not imported for that."""
    return find_spec("openvino") is not None


def in_integers(content: bytes) -> bool:
    """Whether a graph computes in integers, and not only keeps its weights so. Raises ValueError for other bytes."""
    try:
        if not schema.Model.ModelBufferHasIdentifier(content, 0):
            raise ValueError("no LiteRT file.")
        model = schema.Model.GetRootAs(content)
        codes = (model.OperatorCodes(place) for place in range(model.OperatorCodesLength()))
        return any(code.BuiltinCode() == schema.BuiltinOperator.QUANTIZE for code in codes)
    except struct.error as error:  # an offset that leads behind the end, as in a file that was cut short
        raise ValueError("a damaged LiteRT file.") from error


class _Request:
    """One inference request of a compiled graph, with the methods of LiteRT's interpreter."""

    def __init__(self, compiled: Any, tensor_of: Mapping[str, str]) -> None:
        self._compiled = compiled
        self._request = compiled.create_infer_request()
        self._tensor_of = tensor_of

    def get_input_details(self) -> dict[str, dict[str, Any]]:
        return {"image": {"shape": list(self._compiled.input(0).shape)}}

    def get_output_details(self) -> dict[str, dict[str, Any]]:
        return {name: {"shape": list(self._compiled.output(tensor).shape)} for name, tensor in self._tensor_of.items()}

    def __call__(self, *, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        # Shared memory: each request is used by one thread, which copies the outputs before the next call.
        self._request.infer([np.ascontiguousarray(image)], share_inputs=True)
        return {name: self._request.get_tensor(tensor).data for name, tensor in self._tensor_of.items()}


def load_openvino(content: bytes, interpreters: int, threads: int) -> Callable[[], Runner]:
    """What makes an inference request of a graph, which is compiled once for all of them; they take turns.

    Raises RuntimeError where OpenVINO cannot read the graph.
    """
    import openvino

    del interpreters  # more streams take more memory
    core = openvino.Core()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.tflite"
        file.write_bytes(content)
        try:
            model = core.read_model(file)
        except RuntimeError as error:  # its own words are lines on its source files
            raise RuntimeError("OpenVINO can't read it.") from error
        # The batch has no fixed size in the file.
        model.reshape([1, *(side.get_length() for side in list(model.inputs[0].partial_shape)[1:])])
        compiled = core.compile_model(model, "CPU", _options(threads))
    tensor_of = _tensors(content)
    return lambda: _Request(compiled, tensor_of)


def _options(threads: int) -> dict[str, Any]:
    return {
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        # Some processors would compute what is not in integers in 16 bits, and answer somewhat differently.
        "INFERENCE_PRECISION_HINT": "f32",
        # The cores are shared with the rest of the server.
        "ENABLE_CPU_PINNING": False,
    }


def _tensors(content: bytes) -> dict[str, str]:
    """The name of the tensor of each output, by the output's name in the signature."""
    model = schema.Model.GetRootAs(content)
    signature = model.SignatureDefs(0)
    tensors = model.Subgraphs(0)
    outputs = [signature.Outputs(place) for place in range(signature.OutputsLength())]
    return {output.Name().decode(): tensors.Tensors(output.TensorIndex()).Name().decode() for output in outputs}


OPENVINO = Runtime("openvino", "OpenVINO", load_openvino)
