"""What it takes to look inside a network, and how far its logit is from the served one.

    python -m benchmarks.inside_network

All times are the processor's, which other programs on the machine hardly change.

For each model that comes with the project, each way in a process of its own, on the real samples: the largest
difference of a logit from the served one, the median seconds of a look at mixed10, and the memory in MB that a look
takes at its peak and leaves behind. The ways: the wanted maps as further outputs, as the page does it, and LiteRT's
own ``experimental_preserve_all_tensors`` without delegates. Then, of the data map, the seconds of PCA and of t-SNE on
the shipped features, and on 9,000 images made of them with noise.
"""

import argparse
import gc
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil
from numpy.typing import NDArray

from fracture.experiments.projection import project_pca, project_tsne
from fracture.experiments.shipped.features import shipped_bench
from fracture.imaging.radiograph import fit, load
from fracture.inference.inside.maps import look_inside
from fracture.inference.inside.structure import LAST, read_structure
from fracture.inference.litert import Graph
from fracture.registry.model_folder import SHIPPED_MODELS, model_folder, read_card
from fracture.sample_radiographs import sample_radiographs

MANY = 9000

Look = Callable[[NDArray[np.uint8]], float]


def as_outputs(content: bytes) -> Look:
    """The way of the page."""
    return lambda pixels: look_inside(content, read_structure(content), pixels, [LAST]).logit


def preserved(content: bytes) -> Look:
    """LiteRT's own way."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def look(pixels: NDArray[np.uint8]) -> float:
        interpreter = Interpreter(
            model_content=content,
            num_threads=2,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        return float(interpreter.get_signature_runner()(image=pixels[None, :, :, None])["logit"][0, 0])

    return look


WAYS = {"outputs": as_outputs, "preserved": preserved}


class Peak:
    """The most memory of this process while a block of code runs, in MB."""

    def __enter__(self) -> "Peak":
        self.most = memory()
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, memory())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()


def memory() -> float:
    return psutil.Process().memory_info().rss / 2**20


def measure(name: str, way: str) -> None:
    """Print the figures of one way."""
    folder = model_folder(name)
    content = folder.served_model.read_bytes()
    graph = Graph(content, interpreters=1)
    images = [fit(load(each.path).pixels, graph.size, read_card(folder).input.fit) for each in sample_radiographs()]
    served = [graph(image).logit for image in images]
    look = WAYS[way](content)
    gc.collect()
    before = memory()
    seconds, differences = [], []
    with Peak() as peak:
        for image, logit in zip(images, served, strict=True):
            started = time.process_time()
            differences.append(abs(look(image) - logit))
            seconds.append(time.process_time() - started)
    gc.collect()
    print(
        f"{name}, {way}: logit differs by at most {max(differences):.6f}; {statistics.median(seconds):.2f} s; "
        f"{peak.most - before:.0f} MB at the peak, {memory() - before:.0f} MB left",
        flush=True,
    )


def measure_map() -> None:
    """Print the seconds of both projections."""
    features = shipped_bench().features
    rng = np.random.default_rng(0)
    chosen = features[rng.integers(0, len(features), MANY)]
    many = (chosen + rng.normal(0, 0.05, chosen.shape)).astype(np.float32)
    for each in (features, many):
        started = time.process_time()
        explained = project_pca(each).explained
        middle = time.process_time()
        project_tsne(each, 0)
        ended = time.process_time()
        assert explained is not None
        print(
            f"{len(each):,} images: PCA {middle - started:.1f} s, {sum(explained):.0%} of the variance; "
            f"t-SNE {ended - middle:.0f} s",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=2, help="the model and the way to measure in this process")
    args = parser.parse_args()
    if args.one:
        measure(*args.one)
        return
    for name in SHIPPED_MODELS:
        for way in WAYS:
            subprocess.run([sys.executable, "-m", "benchmarks.inside_network", "--one", name, way], check=True)
    measure_map()


if __name__ == "__main__":
    main()
