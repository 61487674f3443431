"""The ways in which a file can be other than it was written: cut, overwritten, of another kind, in the wrong types."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

GARBAGE = np.random.default_rng(7).bytes(4096)

BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda whole: whole[: len(whole) // 2],
    "garbage": lambda _: GARBAGE,
    "zeros": lambda whole: b"\0" * min(len(whole), 1 << 20),
    "null": lambda _: b"null",
    "a list": lambda _: b"[1, 2]",
    "a text": lambda _: b'"text"',
    "deep": lambda _: b"[" * 100_000,
    "huge number": lambda _: b"1" * 5000,
    "mark of an editor": lambda whole: b"\xef\xbb\xbf" + whole,
    "another encoding": lambda whole: b"\xff\xfe" + "text".encode("utf-16-le") + whole[:100],
}
"""Whole content -> damaged content."""

WRONG: dict[str, Any] = {
    "null": None,
    "a list": [],
    "a full list": [None, 1],
    "an object": {},
    "a text": "x",
    "a number": -1,
    "no number": float("nan"),
    "infinite": float("inf"),
    "huge": 10**400,
}
"""What may stand in the place of a value of another type."""


def damage(path: Path, how: str) -> None:
    """Damage a file in one of the ways of :data:`BYTES`, or put a folder into its place."""
    if how == "a folder":
        path.unlink()
        path.mkdir()
    else:
        write(path, BYTES[how](path.read_bytes()))


def write(path: Path, content: bytes) -> None:
    """In the file's place, which other names may share, and not into it."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def restore(path: Path, whole: Path) -> None:
    """As it was: the same bytes as another file, or nothing where there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if whole.exists():
        path.hardlink_to(whole)


def wrong_values(said: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Where and how a JSON document is wrong, and that document: each of its values, one after the other."""
    if depth == 0 or not isinstance(said, dict):
        return
    for name, value in said.items():
        for how, wrong in WRONG.items():
            yield f"{name}: {how}", {**said, name: wrong}
        yield f"{name}: missing", {other: kept for other, kept in said.items() if other != name}
        for where, inner in wrong_values(value, depth - 1):
            yield f"{name}.{where}", {**said, name: inner}


def as_json(said: Any) -> bytes:
    """As Python writes it: with NaN and Infinity, which it also reads."""
    return json.dumps(said).encode()
