"""How many interpreters should share the work, and how many threads each should have.

    python -m benchmarks.interpreters [--model NAME] [--callers 8] [--seconds 2] [--turns 5]

Pools of 1, 2 and 4 interpreters of 1 and 2 threads each take turns in one process. Of each are printed, as medians
over the turns: how long one answer takes on an idle pool, of an image and its mirror image, one after the other and
both at once; and while several callers ask all the time: answers a second, the longest wait of 20 answers, and the
processor's time an answer. Then, each in a process of its own, what an interpreter takes of memory. Ratios are to one
interpreter of two threads that is asked one image after the other.
"""

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import product

import numpy as np
import psutil
from numpy.typing import NDArray

from fracture.inference.litert import Graph
from fracture.registry.model_folder import SHIPPED_MODELS, ModelFolder, bundled_model, model_folder

Figures = dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=SHIPPED_MODELS[0])
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--memory", nargs=2, type=int, help="interpreters and threads of the one pool to weigh")
    args = parser.parse_args()
    if args.memory:
        weigh(args.model, *args.memory)
        return
    print(f"{psutil.cpu_count()} cores, {args.callers} callers, model {args.model}")
    speeds(args.model, args.callers, args.seconds, args.turns)
    for interpreters, threads in product((1, 2, 4), (1, 2)):
        command = [sys.executable, "-m", __spec__.name, "--model", args.model]
        subprocess.run([*command, "--memory", str(interpreters), str(threads)], check=True)


def folder(name: str) -> ModelFolder:
    """A model by its name, wherever the others lie for the one that comes along."""
    return bundled_model() if name == SHIPPED_MODELS[0] else model_folder(name)


def speeds(model: str, callers: int, seconds: float, turns: int) -> None:
    """Let the pools take turns, and print the medians."""
    content = folder(model).served_model.read_bytes()
    pools = {shape: Graph(content, *shape) for shape in product((1, 2, 4), (1, 2))}
    random = np.random.default_rng(0)
    sides = pools[1, 1].size, pools[1, 1].size
    image = random.integers(0, 256, sides, np.uint8)
    found: dict[tuple[int, int], list[Figures]] = {shape: [] for shape in pools}
    for turn in range(turns + 1):  # the first makes the interpreters
        for shape, graph in pools.items():
            figures = {**alone(graph, image), **busy(graph, image, callers, seconds if turn else 0.5)}
            found[shape] += [figures] if turn else []
    middle = {
        shape: {name: statistics.median(each[name] for each in all_) for name in all_[0]}
        for shape, all_ in found.items()
    }
    for (interpreters, threads), figures in middle.items():
        print(f"{interpreters} x {threads} threads: " + said(figures, middle[1, 2]))


def alone(graph: Graph, image: NDArray[np.uint8]) -> Figures:
    """Milliseconds of an answer where nobody else asks."""
    ways: dict[str, Callable[[], object]] = {
        "in turn": lambda: (graph(image), graph(image[:, ::-1])),
        "at once": lambda: graph.run_all(image, image[:, ::-1]),
    }
    return {name: statistics.median(timed(way) for _ in range(8)) * 1000 for name, way in ways.items()}


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def busy(graph: Graph, image: NDArray[np.uint8], callers: int, seconds: float) -> Figures:
    """What callers get who ask again as soon as they are answered."""
    end, taken, before, started = time.perf_counter() + seconds, [], time.process_time(), time.perf_counter()

    def ask() -> None:
        while time.perf_counter() < end:
            taken.append(timed(lambda: graph.run_all(image, image[:, ::-1])))

    at_once(ask, callers)
    spent, passed = time.process_time() - before, time.perf_counter() - started
    longest = float(np.percentile(taken, 95)) * 1000
    return {"a second": len(taken) / passed, "95th": longest, "processor": spent / len(taken) * 1000}


def at_once(act: Callable[[], None], callers: int) -> None:
    """Have several threads do it."""
    threads = [threading.Thread(target=act) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def said(figures: Figures, base: Figures) -> str:
    """A pool's figures in a line."""
    return (
        f"an answer alone {figures['in turn']:.0f} ms in turn, {figures['at once']:.0f} ms at once "
        f"({figures['at once'] / base['in turn']:.2f}); busy: {figures['a second']:.1f} answers a second "
        f"({figures['a second'] / base['a second']:.2f}), 95th percentile {figures['95th']:.0f} ms, "
        f"{figures['processor']:.0f} ms of processor an answer ({figures['processor'] / base['processor']:.2f})"
    )


def weigh(model: str, interpreters: int, threads: int) -> None:
    """Print what a pool has added to this process's memory once all of it has worked."""
    before = resident()
    graph = Graph(folder(model).served_model.read_bytes(), interpreters, threads)
    loaded = resident()
    graph.run_all(*np.zeros((interpreters * 4, graph.size, graph.size), np.uint8))
    print(f"{interpreters} x {threads} threads: {loaded - before:.0f} MB loaded, {resident() - before:.0f} MB at work")


def resident() -> float:
    """MB of this process."""
    return float(psutil.Process().memory_info().rss) / 2**20


if __name__ == "__main__":
    main()
