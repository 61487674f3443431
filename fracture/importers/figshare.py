"""FracAtlas at figshare: where its zip is, and how to read the files in it."""

import json
import os
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers import remote_zip
from fracture.importers.download import Downloader, ReadFile, RemoteFile
from fracture.importers.file_checks import check_space, has_md5
from fracture.importers.http import http_status, read_body, translate_errors

FIGSHARE = "https://api.figshare.com/v2"
"""figshare's API; the variable FRACTURE_FIGSHARE replaces it."""

ARTICLE = 22363012
ARTICLE_PAGE = "https://doi.org/10.6084/m9.figshare.22363012"
ZIP = "FracAtlas.zip"
BY_HAND = f"or download it in a browser from {ARTICLE_PAGE}, and then: python -m fracture import-zip FILE"


@dataclass(frozen=True)
class _Zip:
    """What figshare says about FracAtlas's zip. ``size``: bytes."""

    url: str
    size: int
    md5: str


def open_zip(hidden: Path, whole: bool, session: requests.Session, downloader: Downloader) -> remote_zip.ZipMembers:
    """The files in FracAtlas's zip: read from figshare by ranges or, with ``whole``, from a download of all of it.

    ``hidden``: a folder for figshare's answer and the whole zip. Raises FetchError.
    """
    article = hidden / "article.json"
    article.unlink(missing_ok=True)  # the URL in an earlier answer may have expired
    base = os.environ.get("FRACTURE_FIGSHARE") or FIGSHARE
    downloader.download(hidden, [RemoteFile(article.name)], _reader(session, f"{base}/articles/{ARTICLE}"))
    found = _find_zip(article)
    if not whole:
        return remote_zip.open_remote(found.url, session, "figshare", _no_ranges(found.size))
    check_space(hidden, found.size)
    is_complete = partial(has_md5, md5=found.md5)
    downloader.download(hidden, [RemoteFile(ZIP, found.size)], _reader(session, found.url), is_complete)
    return remote_zip.open_local(hidden / ZIP)


def _find_zip(article: Path) -> _Zip:
    """The largest zip of the article."""
    try:
        files = json.loads(article.read_text(encoding="utf-8"))["files"]
        zips = [file for file in files if file["name"].lower().endswith(".zip")]
        found = max(zips, key=lambda file: file["size"])
        return _Zip(str(found["download_url"]), int(found["size"]), str(found.get("computed_md5") or ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"figshare's answer about FracAtlas names no zip; {BY_HAND}") from error


def _no_ranges(size: int) -> FetchError:
    return FetchError(
        f"figshare does not send parts of FracAtlas's zip at the moment, and the whole of it is {format_bytes(size)}. "
        f"To download it all the same, add --whole to the command; {BY_HAND}"
    )


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
