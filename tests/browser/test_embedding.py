"""The app in a frame on another site: a page on ``localhost`` embeds the app on ``127.0.0.1``, and a file is uploaded.

The upload needs the cookie against cross-site request forgery, which is then a third-party cookie.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.chromium import CHROMIUM, PATIENCE
from tests.browser.widgets import keyed
from tests.support.serving import homes_in, served


class CoursePage(BaseHTTPRequestHandler):
    """A page that is nothing but a frame, whose address is the query of its own."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        frame = self.path.partition("?frame=")[2]
        self.wfile.write(f'<title>Course</title><iframe src="{frame}" width="1000" height="800"></iframe>'.encode())

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def course():
    """The address of a course page on another site than the app's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), CoursePage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()


@contextmanager
def visitor(place, *, third_party_cookies):
    """A page of a browser that takes cookies of framed sites, or does not: Debian's Chromium doesn't by default."""
    settings = {"block_third_party_cookies": not third_party_cookies, "cookie_controls_mode": not third_party_cookies}
    preferences = place / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps({"profile": {name: int(value) for name, value in settings.items()}}))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(place), executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        context.close()


@pytest.mark.parametrize(
    ("same_site", "third_party_cookies", "status"),
    [("lax", True, 403), ("none", True, 204), ("none", False, 403)],
)
def test_upload_in_a_frame_needs_cookies_of_other_sites(
    course, tmp_path, monkeypatch, same_site, third_party_cookies, status
):
    """The server must send its cookie for frames, and the browser must take it; else the upload is refused by 403."""
    monkeypatch.setenv("STREAMLIT_SERVER_XSRF_COOKIE_SAME_SITE", same_site)
    monkeypatch.delenv("FRACTURE_SHIPPED", raising=False)  # without any model, nothing can be uploaded
    homes = {name: place for name, place in homes_in(tmp_path / "home").items() if name != "FRACTURE_SHIPPED"}
    picture = tmp_path / "view.png"
    Image.linear_gradient("L").save(picture)
    with (
        served(tmp_path / "server.log", homes=homes) as app,
        visitor(tmp_path / "profile", third_party_cookies=third_party_cookies) as page,
    ):
        page.goto(f"{course}?frame={app.address}/classify?embed=true")
        frame = page.frame_locator("iframe")
        field = keyed(frame, "uploads").locator("input[type=file]")
        with page.expect_response(lambda response: "upload_file" in response.url) as answered:
            field.set_input_files(picture)
        assert answered.value.status == status
