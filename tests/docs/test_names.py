"""The files and modules that the documentation names."""

import importlib.util
import re

import pytest

from fracture.paths import PROJECT

PAGES = sorted([*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"])
FILE = re.compile(r"`((?:fracture|pages|tests|benchmarks|docs|models/fracatlas)/[\w./-]+)`")
MODULE = re.compile(r"(?:\bfrom |`)(fracture(?:\.[a-z_]+)+)")
COMMAND = re.compile(r"python -m ((?:tests|benchmarks|docs)(?:\.[a-z_]+)+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_on_a_page_exist(page):
    """Whoever follows a name on a page finds it."""
    text = page.read_text(encoding="utf-8")
    files = [name for name in FILE.findall(text) if "NAME" not in name and not (PROJECT / name).exists()]
    modules = [name for name in [*MODULE.findall(text), *COMMAND.findall(text)] if not _is_module(name)]
    assert files + modules == []


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
