"""Whether the ImageNet weights can be had."""

import socket
import threading

import pytest

from fracture.training import imagenet


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(imagenet, "_answers", {})


@pytest.mark.parametrize(("status", "has_it"), [(200, True), (404, False), (302, False)])
def test_reachable_by_status_is_true_for_the_file_alone(httpserver_port, status, has_it):
    """A missing file does not count, nor a redirect as by a hotel's network."""
    assert imagenet.reachable(f"http://127.0.0.1:{httpserver_port}/{status}/w.h5") == has_it


def test_reachable_with_a_silent_server_ends_at_the_timeout():
    """The server takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not imagenet.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/w.h5", timeout=0.2)


def test_reachable_with_a_hanging_lookup_ends_at_the_timeout(monkeypatch):
    """No timeout of a request ends the look-up of a name."""
    done = threading.Event()
    monkeypatch.setattr(imagenet, "_ask", lambda *_: done.wait())
    assert not imagenet.reachable("http://nowhere.invalid/w.h5", timeout=0.2)
    done.set()


def test_reachable_asked_again_reuses_the_answer_for_a_while(monkeypatch):
    """The server is asked once, and again when the answer has expired."""
    asked = []
    monkeypatch.setattr(imagenet, "_ask", lambda address, _: asked.append(address) or True)
    assert all(imagenet.reachable("http://here.invalid/w.h5") for _ in range(3)) and len(asked) == 1
    monkeypatch.setattr(imagenet, "ANSWER_LIFETIME_SECONDS", -1.0)
    assert imagenet.reachable("http://here.invalid/w.h5") and len(asked) == 2


def test_available_with_a_cached_file_needs_no_server(tmp_path, monkeypatch):
    """Keras's cache, which ``KERAS_HOME`` moves, is enough; without it the server is asked."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet, "_ask", lambda *_: False)
    assert not imagenet.available()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / imagenet.WEIGHTS_FILE).write_bytes(b"weights")
    assert imagenet.available()


@pytest.mark.full
def test_cached_file_and_address_are_those_of_keras(monkeypatch):
    """Keras looks for the same file in the same folder, and fetches it from the same address."""
    monkeypatch.delenv("KERAS_HOME", raising=False)
    inception = pytest.importorskip("keras.src.applications.inception_v3")
    config = pytest.importorskip("keras.src.backend.config")
    assert inception.WEIGHTS_PATH_NO_TOP == imagenet.ADDRESS
    assert str(imagenet.cached_file().parent.parent) == config.keras_home()
