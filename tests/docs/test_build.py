"""The documentation as a site."""

import os
import re
import subprocess
import sys

import pytest

from fracture.paths import PROJECT

LOADED = re.compile(r"<(?:script|img|iframe)[^>]+src=[\"'](?:https?:)?//|<link[^>]+href=[\"'](?:https?:)?//")
"""A tag by which a page loads something from another server; links to follow are ``<a>``."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a proxy that nobody answers stands for a machine without the internet."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = "http://127.0.0.1:9"
    offline = {"http_proxy": nowhere, "https_proxy": nowhere, "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, **offline, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
def test_build_with_every_page_finds_no_broken_link(site):
    """The strict build passes, and each Markdown file has become a page."""
    pages = {path.stem for path in site.glob("*.html")}
    assert {path.stem for path in (PROJECT / "docs").glob("*.md")} <= pages


@pytest.mark.slow
def test_pages_load_nothing_from_the_internet(site):
    """Fonts, scripts and pictures come with the site."""
    for path in site.glob("*.html"):
        assert not LOADED.search(path.read_text(encoding="utf-8")), path.name
