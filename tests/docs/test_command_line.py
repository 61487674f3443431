"""The generated page on the command line."""

import subprocess
import sys

from docs.generate_cli import PAGE, page
from fracture.paths import PROJECT


def test_page_is_current():
    """The page says what the parser says; ``python -m docs.generate_cli`` writes it again."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_generator_imports_no_tensorflow():
    """Generating the page stays a matter of a second."""
    code = "import sys; from docs.generate_cli import page; page(); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
