"""Images at URLs; skipped where fsspec is not installed."""

import builtins
import http.server
import threading
import zipfile
from functools import partial

import pytest

from fracture.errors import FractureError, RadiographError
from fracture.inference.batch.listing import list_studies
from fracture.inference.batch.urls import is_url, list_url, name_in, read_url


def studies(url):
    return [study.name for study in list_studies([url], together=False)]


@pytest.fixture
def fsspec():
    """The library, which comes with the extra ``cluster``."""
    return pytest.importorskip("fsspec", reason="needs the extra: pip install 'fracture[cluster]'")


@pytest.fixture
def site(tmp_path):
    """The address of a server of ``tmp_path / "site"``, which has an image."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"picture")
    (folder / "b.txt").write_bytes(b"text")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_names_of_urls():
    """The last part, also of a file in an archive; a path is no URL."""
    assert is_url("s3://bucket/a.png") and not is_url("/data/a.png")
    assert name_in("s3://bucket/x/a.png") == name_in("zip://x/a.png::https://host/b.zip") == "a.png"


def test_memory_is_listed_and_read(fsspec):
    """All images below a folder, by name."""
    files = fsspec.filesystem("memory")
    files.pipe({"/scans/b.png": b"2", "/scans/a.png": b"1", "/scans/deep/c.jpg": b"3", "/scans/readme.txt": b"no"})
    found = studies("memory://scans")
    assert [name_in(name) for name in found] == ["a.png", "b.png", "c.jpg"]
    assert [read_url(name) for name in found] == [b"1", b"2", b"3"]


def test_a_server_is_listed_and_read(fsspec, site):
    """By the links of its page."""
    assert studies(f"{site}/") == [f"{site}/a.png"]
    assert read_url(f"{site}/a.png") == b"picture"
    with pytest.raises(RadiographError, match=r"none\.png cannot be opened"):
        read_url(f"{site}/none.png")


def test_a_zip_file_is_listed_and_read(fsspec, tmp_path):
    """An archive at another URL; that one comes after two colons."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("scans/a.png", b"packed")
        archive.writestr("scans/b.txt", b"no")
    beyond = f"file://{tmp_path}/all.zip"
    found = studies(f"zip://::{beyond}")
    assert found == [f"zip://scans/a.png::{beyond}"]
    assert read_url(found[0]) == b"packed"


def test_a_zip_file_of_a_server_without_ranges_is_a_sentence(fsspec, site, tmp_path):
    """It would have to be fetched whole for each image."""
    with zipfile.ZipFile(tmp_path / "site" / "all.zip", "w") as archive:
        archive.writestr("a.png", b"packed")
    with pytest.raises(FractureError, match="support range requests"):
        studies(f"zip://::{site}/all.zip")


def test_what_cannot_be_listed_is_a_sentence(fsspec):
    """An unknown kind of URL, and a host that does not answer."""
    for url in ("nonsense://x/y", "http://127.0.0.1:9/scans/"):
        with pytest.raises(FractureError, match=f"^{url} can"):
            list(list_url(url))


def test_url_without_fsspec_names_the_extra(monkeypatch):
    """A URL is asked for, and fsspec is not installed."""
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("fsspec"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FractureError, match=r"pip install 'fracture\[cluster\]'.*Received: s3://b/a"):
        list(list_url("s3://b/a"))
