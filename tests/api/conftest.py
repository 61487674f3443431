"""The REST interface on a real server of this process, without the pages."""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from fracture.api.access import TOKEN_VARIABLE, VARIABLE
from fracture.api.queue import BoundedQueue
from fracture.api.routes import api_routes
from tests.support.waiting import wait


@contextmanager
def serve_api(queue: BoundedQueue | None = None) -> Iterator[str]:
    """The address of ``/api`` on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=[api_routes(queue)]), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        wait(lambda: server.started, 60)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        server.should_exit = True
        thread.join()


@pytest.fixture
def api(homes, monkeypatch):
    """The interface, turned on and without a token."""
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with serve_api() as address:
        yield address


@pytest.fixture
def pictures():
    """Two pictures and a file that is none, as the bytes of files by name."""
    files = {"bad.png": b"hello"}
    for number in range(2):
        content = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (80, 80), np.uint8)
        Image.fromarray(pixels).save(content, "PNG")
        files[f"{number}.png"] = content.getvalue()
    return files
