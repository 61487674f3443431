"""What the README promises."""

import os
import re
import subprocess
import sys

import pytest

from fracture.paths import PROJECT


@pytest.mark.full
def test_the_python_example_runs(graphs, drawn, tmp_path):
    """The README's example, word for word but for its size, trains a model and asks it."""
    example = re.search(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL).group(1)
    small = 'name="first", weights="none", image_size=75, epochs=1)'
    assert example.count('name="first")') == 1
    script = tmp_path / "example.py"
    script.write_text(example.replace('name="first")', small))
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "humerus").symlink_to(drawn)
    for number, path in enumerate(sorted(drawn.rglob("*.png"))[:2], 1):
        (tmp_path / f"view{number}.png").symlink_to(path)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"^(normal|abnormal) 0\.\d+ \[", done.stdout, re.MULTILINE)
