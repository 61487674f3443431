"""One pass of served graphs on LiteRT, in a batch of two, and on OpenVINO where that is installed.

    python -m benchmarks.runtimes GRAPH.tflite [GRAPH.tflite ...] [--turns 10]

All runtimes and graphs take turns on the same image in one process, with two threads each. Of each are printed the
processor's time of one pass, its ratio to that of the first graph on LiteRT, the logit, and the memory that it took.
OpenVINO is no dependency of the project: ``pip install openvino`` into an environment of its own, beside the project's
``requirements.txt``. ``benchmarks/without_avx512.c`` says how to run this as on a processor without AVX-512.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

THREADS = 2

Pass = Callable[[NDArray[np.uint8]], float]
"""An image (1, S, S, 1) -> its logit."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graphs", nargs="+", type=Path)
    parser.add_argument("--turns", type=int, default=10)
    args = parser.parse_args()
    sizes = [_side(graph) for graph in args.graphs]
    image = np.random.default_rng(0).integers(0, 256, (1, sizes[0], sizes[0], 1), np.uint8)
    loaded: dict[str, tuple[Pass, float, int]] = {}
    for graph in args.graphs:
        for runtime, load, images in (("LiteRT", litert, 1), ("LiteRT, two", litert_two, 2), ("OpenVINO", openvino, 1)):
            before = psutil.Process().memory_info().rss
            try:
                run = load(graph)
            except ModuleNotFoundError as error:
                print(f"{runtime} is left out: {error}")
                continue
            run(image)
            loaded[f"{graph}, {runtime}"] = run, (psutil.Process().memory_info().rss - before) / 1e6, images
    times: dict[str, list[float]] = {name: [] for name in loaded}
    logits: dict[str, float] = {}
    for _ in range(args.turns):
        for name, (run, _, images) in loaded.items():
            spent = time.process_time()
            logits[name] = run(image)
            times[name].append((time.process_time() - spent) / images)
    medians = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    base = next(iter(medians.values()))
    for name, (_, memory, _) in loaded.items():
        print(
            f"{name}: {medians[name]:.0f} ms of processor time an image, ratio {medians[name] / base:.2f}; "
            f"logit {logits[name]:.3f}; {memory:.0f} MB"
        )


def _side(graph: Path) -> int:
    from ai_edge_litert.interpreter import Interpreter

    return int(Interpreter(str(graph)).get_input_details()[0]["shape"][1])


def litert(graph: Path, images: int = 1) -> Pass:
    """The graph as the project runs it, or with more images a call."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=graph.read_bytes(), num_threads=THREADS)
    given = interpreter.get_input_details()[0]
    if images > 1:
        interpreter.resize_tensor_input(given["index"], [images, *given["shape"][1:]])
    interpreter.allocate_tensors()
    # Of all outputs the logit alone is one number an image.
    (logit,) = (each["index"] for each in interpreter.get_output_details() if list(each["shape"][1:]) == [1])

    def run(image: NDArray[np.uint8]) -> float:
        interpreter.set_tensor(given["index"], np.repeat(image, images, axis=0))
        interpreter.invoke()
        return float(interpreter.get_tensor(logit)[0, 0])

    return run


def litert_two(graph: Path) -> Pass:
    """The graph with a batch of two."""
    return litert(graph, 2)


def openvino(graph: Path) -> Pass:
    """The graph as it is, read by OpenVINO."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(graph)
    side = model.inputs[0].partial_shape[1].get_length()
    model.reshape([1, side, side, 1])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1})
    request = compiled.create_infer_request()

    def run(image: NDArray[np.uint8]) -> float:
        outputs = request.infer([image]).values()
        (logit,) = (float(each[0, 0]) for each in outputs if each.shape == (1, 1))
        return logit

    return run


if __name__ == "__main__":
    main()
