"""A small web server on loopback, for what fetches things at run time."""

import http.server
import threading

import pytest


class _Answers(http.server.BaseHTTPRequestHandler):
    """``/404/...`` is not found; ``/200/...`` is found, and is not what was expected."""

    def do_GET(self):
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def do_HEAD(self):
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def httpserver_port():
    """The port of a server that answers as its path says."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
