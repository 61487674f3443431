"""Where FracAtlas lies at figshare, and the way to the files in its zip."""

import hashlib
import json
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests

from fracture.errors import FetchError
from fracture.formatting import format_bytes
from fracture.importers import remote_zip
from fracture.importers.download import Fetch, Progress, Wanted
from fracture.importers.file_checks import check_space
from fracture.importers.http import asking, body, patient_session, status_of

FIGSHARE = "https://api.figshare.com/v2"
"""Where figshare answers programs; the variable FRACTURE_FIGSHARE moves it."""

ARTICLE = 22363012
PAGE = "https://doi.org/10.6084/m9.figshare.22363012"
ZIP = "FracAtlas.zip"
BY_HAND = f"or download it in a browser from {PAGE}, and then: python -m fracture import-zip FILE"


def members_of(hidden: Path, whole: bool, get: Callable[..., Progress]) -> remote_zip.Members:
    """The files in FracAtlas's zip, far away or, with ``whole``, on this disk.

    ``hidden``: a folder for figshare's answer and the whole zip. ``get``: :func:`fracture.importers.download.fetch_all`
    with its other arguments bound. Raises FetchError in words that say what to do.
    """
    article = hidden / "article.json"
    article.unlink(missing_ok=True)  # an address found before need not be right any more
    base = os.environ.get("FRACTURE_FIGSHARE") or FIGSHARE
    get(hidden, [Wanted(article.name)], _from(f"{base}/articles/{ARTICLE}"), whole=Path.is_file)
    found = _zip_of(article)
    if not whole:
        return remote_zip.remote(found.address, "figshare", _no_ranges(found.size))
    check_space(hidden, found.size)
    get(hidden, [Wanted(ZIP, found.size)], _from(found.address), whole=partial(_is_same, md5=found.md5))
    return remote_zip.local(hidden / ZIP)


@dataclass(frozen=True)
class _Zip:
    """Where FracAtlas's zip is. ``size``: bytes."""

    address: str
    size: int
    md5: str


def _zip_of(article: Path) -> _Zip:
    try:
        files = json.loads(article.read_text(encoding="utf-8"))["files"]
        found = max((file for file in files if file["name"].lower().endswith(".zip")), key=lambda file: file["size"])
        return _Zip(str(found["download_url"]), int(found["size"]), str(found.get("computed_md5") or ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"What figshare says of FracAtlas names no zip; {BY_HAND}") from error


def _no_ranges(size: int) -> FetchError:
    return FetchError(
        f"figshare does not hand out parts of FracAtlas's zip just now, and the whole of it is {format_bytes(size)}. "
        f"To fetch it all the same, add --whole to the command; {BY_HAND}"
    )


def _from(address: str) -> Fetch:
    """Fetches from an address whatever it is called."""

    def fetch(_: Wanted) -> Generator[bytes, None, None]:
        with patient_session() as session:
            try:
                with asking("figshare"):
                    response = session.get(address, stream=True)
                    response.raise_for_status()
            except requests.HTTPError as error:
                raise FetchError(f"figshare refuses to answer ({status_of(error)}); {BY_HAND}") from None
            yield from body(response, "figshare")

    return fetch


def _is_same(file: Path, md5: str) -> bool:
    """Whether a file has this check sum; figshare names no other kind."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return not md5 or hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5
