"""What may import what."""

import ast
from pathlib import Path

import pytest

import fracture

ROOT = Path(fracture.__file__).parent

FOUNDATION = {"background", "errors", "files", "home", "public", "shapes"}
"""What every part may use, and what itself uses no part."""


def imported(folder: str) -> set[str]:
    """The packages of this project that the modules of a folder import, wherever in a module."""
    found = set()
    for path in [ROOT / f"{folder}.py", *(ROOT / folder).rglob("*.py")]:
        if not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "fracture":
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fracture."):
                found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("data", {"data", *FOUNDATION}),
        ("classify", {"classify", "data", *FOUNDATION}),
        *((name, FOUNDATION) for name in sorted(FOUNDATION)),
    ],
)
def test_arrows_point_one_way(folder, allowed):
    """Data knows nothing of training and models; answering needs of training only what lies in the model folder."""
    assert imported(folder) <= allowed
