"""What may import what."""

import ast
from pathlib import Path

import pytest

import fracture

ROOT = Path(fracture.__file__).parent


def imported(folder: str) -> set[str]:
    """The packages of this project that the modules of a folder import, wherever in a module."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fracture."):
                found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [("data", {"data", "errors", "home"}), ("classify", {"classify", "data", "errors", "home"})],
)
def test_arrows_point_one_way(folder, allowed):
    """Data knows nothing of training and models; answering needs of training only what lies in the model folder."""
    assert imported(folder) <= allowed
