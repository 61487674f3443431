"""A CSV file as a table of texts, within bounds."""

import codecs
from io import StringIO
from pathlib import Path

import pandas as pd

from fracture.errors import DatasetError
from fracture.files import open_file
from fracture.formatting import format_bytes

MAX_CSV_BYTES = 50 * 2**20
"""MURA's list of 40,561 images has 3 MB."""

MAX_COLUMNS = 500

SEPARATORS = ",;\t"


def read_csv(file: Path) -> pd.DataFrame:
    """All cells as texts, the empty ones as "".

    Columns are separated by commas, semicolons or tabs, whichever the first line has most of; the text is UTF-8, or
    UTF-16 where its first two bytes say so, as Excel writes it.

    Raises DatasetError for a file that is too large or is no table.
    """
    try:
        with open_file(file) as opened:
            content = opened.read(MAX_CSV_BYTES + 1)
        _check_size(file, len(content))
        text = _decode(content)
        header = text.split("\n", 1)[0]
        separator = max(SEPARATORS, key=header.count)
        _check_columns(file, header.count(separator) + 1)
        return pd.read_csv(StringIO(text), sep=separator, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error


def _check_size(file: Path, size: int) -> None:
    if size > MAX_CSV_BYTES:
        raise DatasetError(f"A table may have {format_bytes(MAX_CSV_BYTES)}. Received: {file}, which has more; cut it.")


def _check_columns(file: Path, count: int) -> None:
    if count > MAX_COLUMNS:
        raise DatasetError(f"A table may have {MAX_COLUMNS} columns. Received: {count:,} in {file}; leave some out.")


def _decode(content: bytes) -> str:
    is_utf16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return content.decode("utf-16" if is_utf16 else "utf-8-sig")


def path_below(name: str) -> str:
    """A path in a table as it may be meant on this machine.

    ``C:/export/1.png``, also with backslashes, and ``../export/1.png`` are ``export/1.png``.
    """
    parts = name.strip().replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..") and not part.endswith(":"))
