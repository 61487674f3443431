"""The served graph, asked by many at once."""

import gc
import multiprocessing
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from fracture.inference.litert import Graph, fastest_graph
from tests.support.waiting import wait

FEATURES = 4


def images(count: int, size: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, size, size), np.uint8))


@pytest.fixture(scope="module")
def content(trained) -> bytes:
    return trained.served_model.read_bytes()


def test_graph_run_by_many_threads_answers_as_run_alone(content):
    """Twelve threads with images of their own, over three interpreters: every number as if there were no others."""
    graph = Graph(content, interpreters=3)
    asked = images(12, graph.size)
    single = Graph(content, interpreters=1)
    alone = [single(image) for image in asked]
    with ThreadPoolExecutor(len(asked)) as callers:
        for _ in range(5):
            for expected, found in zip(alone, callers.map(graph, asked), strict=True):
                assert found.logit == expected.logit
                assert np.array_equal(found.features, expected.features)
                assert np.array_equal(found.cam, expected.cam)
    assert len({each.logit for each in alone}) == len(asked), "the images must have different answers"


def test_graph_run_all_gives_outputs_in_order(content):
    """However many interpreters there are."""
    graph = Graph(content, interpreters=2)
    asked = images(5, graph.size)
    assert [each.logit for each in graph.run_all(*asked)] == [graph(image).logit for image in asked]


class Stand:
    """Stands in for LiteRT's interpreter: knows who is in it, and answers with the image's first pixel."""

    made: list["Stand"]
    together: threading.Barrier | None = None
    """Where those who are inside at the same time meet."""

    def __init__(self, **_: object) -> None:
        self.inside, self.crowded, self.answered = 0, False, 0
        Stand.made.append(self)

    def get_signature_runner(self):
        return self

    def get_input_details(self):
        return {"image": {"shape": np.array([1, 2, 2, 1])}}

    def get_output_details(self):
        return {name: {"shape": np.array([1, FEATURES])} for name in ("logit", "features", "cam")}

    def __call__(self, image):
        self.inside += 1
        self.crowded |= self.inside > 1
        if Stand.together:
            Stand.together.wait(20)
        self.crowded |= self.inside > 1
        self.inside -= 1
        self.answered += 1
        first = float(image[0, 0, 0, 0])
        return {"logit": np.array([[first]]), "features": np.zeros((1, FEATURES)), "cam": np.zeros((1, 1, 1))}


@pytest.fixture
def stand(monkeypatch):
    """Graphs of :class:`Stand`."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    monkeypatch.setattr(interpreter, "Interpreter", Stand)
    Stand.made, Stand.together = [], None
    return Stand


def first_pixels(count: int) -> list[np.ndarray]:
    return [np.full((2, 2), number, np.uint8) for number in range(count)]


def test_graph_runs_its_interpreters_at_once(stand):
    """Two calls are inside two interpreters at once: each of them waits there for the other."""
    graph = Graph(b"", interpreters=2)
    stand.together = threading.Barrier(2)
    assert [each.logit for each in graph.run_all(*first_pixels(6))] == [0, 1, 2, 3, 4, 5]
    assert [each.answered for each in stand.made] == [3, 3]


def test_graph_lets_one_thread_into_an_interpreter(stand):
    """Of eight threads at once each interpreter lets in one after another, held there until two are inside."""
    graph = Graph(b"", interpreters=2)
    stand.together = threading.Barrier(2)
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(graph, first_pixels(40)))
    assert [each.logit for each in found] == list(range(40))
    assert len(stand.made) == 2
    assert not any(each.crowded for each in stand.made)


@pytest.mark.slow
def test_graph_deleted_leaves_no_thread_and_no_interpreter(content):
    """Its memory is free again."""
    before = set(threading.enumerate())
    graph = Graph(content, interpreters=2)
    graph.run_all(*images(4, graph.size))
    workers = set(threading.enumerate()) - before
    assert workers
    del graph
    gc.collect()
    wait(lambda: not any(worker.is_alive() for worker in workers), 20)


def test_fastest_graph_is_shared_while_somebody_keeps_it(content):
    """The pages and the REST interface have one copy in memory; a graph that nobody keeps is deleted."""
    content = content + bytes(1)  # another one than other tests of this process may keep
    graph = fastest_graph(content)
    with ThreadPoolExecutor(4) as callers:
        assert all(other is graph for other in callers.map(fastest_graph, [bytes(content)] * 4))
    kept = weakref.ref(graph)
    del graph

    def deleted() -> bool:
        gc.collect()  # a thread may hold its last task for a moment
        return kept() is None

    wait(deleted, 20)


@pytest.mark.slow
def test_fastest_graph_after_a_fork_is_another_one(content):
    """A child has none of its parent's threads: it would wait for them for ever."""
    graph = fastest_graph(content)
    (image,) = images(1, graph.size)
    expected = graph(image).logit
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as child:
        assert child.submit(_asked_anew, content, image).result(60) == expected


def _asked_anew(content, image):
    return fastest_graph(content)(image).logit


@pytest.mark.slow
def test_graph_in_a_process_that_forks_harms_no_child(content):
    """The child does not have the threads of the interpreters."""
    graphs = [Graph(content, interpreters=2) for _ in range(3)]
    for graph in graphs:
        graph.run_all(*images(4, graph.size))
    for _ in range(3):
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            assert list(pool.map(abs, [-1, -2])) == [1, 2]
