"""FracAtlas at figshare: where its zip is, and how to read the files in it."""

import json
import os
import zipfile
from collections.abc import Generator
from functools import partial
from pathlib import Path

import requests

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers.download import Downloader, ReadFile, RemoteFile
from fracture.importers.file_checks import check_space, has_md5
from fracture.importers.http import http_status, read_body, translate_errors
from fracture.importers.remote_zip import ZipMembers, open_remote

FIGSHARE = "https://api.figshare.com/v2"
"""figshare's API; the variable FRACTURE_FIGSHARE replaces it."""

ARTICLE = 22363012
ARTICLE_PAGE = "https://doi.org/10.6084/m9.figshare.22363012"
ZIP = "FracAtlas.zip"
BY_HAND = f"or download it in a browser from {ARTICLE_PAGE}, and then: python -m fracture import-zip FILE"


def open_zip(hidden: Path, whole: bool, session: requests.Session, downloader: Downloader) -> ZipMembers:
    """The files in FracAtlas's zip: read from figshare by ranges or, with ``whole``, from a download of all of it.

    ``hidden``: a folder for figshare's answer and the whole zip. Raises FetchError.
    """
    article = hidden / "article.json"
    article.unlink(missing_ok=True)  # the URL in an earlier answer may have expired
    base = os.environ.get("FRACTURE_FIGSHARE") or FIGSHARE
    downloader.download(hidden, [RemoteFile(article.name)], _reader(session, f"{base}/articles/{ARTICLE}"))
    url, size, md5 = _find_zip(article)
    if not whole:
        no_ranges = FetchError(
            "figshare does not send parts of FracAtlas's zip at the moment, and the whole of it is "
            f"{format_bytes(size)}. To download it all the same, add --whole to the command; {BY_HAND}"
        )
        return open_remote(url, session, "figshare", no_ranges)
    check_space(hidden, size)
    is_complete = partial(has_md5, md5=md5)
    downloader.download(hidden, [RemoteFile(ZIP, size)], _reader(session, url), is_complete)
    return ZipMembers(lambda: zipfile.ZipFile(hidden / ZIP), ZIP)


def _find_zip(article: Path) -> tuple[str, int, str]:
    """(URL, bytes, MD5 sum) of the article's largest zip; an empty sum where figshare names none."""
    try:
        files = json.loads(article.read_text(encoding="utf-8"))["files"]
        zips = [file for file in files if file["name"].lower().endswith(".zip")]
        found = max(zips, key=lambda file: file["size"])
        return str(found["download_url"]), int(found["size"]), str(found.get("computed_md5") or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"figshare's answer about FracAtlas names no zip; {BY_HAND}") from error


def _reader(session: requests.Session, url: str) -> ReadFile:
    """Reads from this URL, whatever the file is called."""

    def read(_: RemoteFile) -> Generator[bytes, None, None]:
        try:
            with translate_errors("figshare"):
                response = session.get(url, stream=True)
                response.raise_for_status()
        except requests.HTTPError as error:
            raise FetchError(f"figshare refuses to answer ({http_status(error)}); {BY_HAND}") from None
        yield from read_body(response, "figshare")

    return read
