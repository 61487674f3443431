"""What a process writes to stderr."""

import subprocess
import sys

CODE = """
import logging
from fracture.logs import configure_logs
configure_logs()
import pydicom
logging.getLogger("pydicom.pixels").warning("PatientName")
logging.getLogger("fracture.data").warning("a file cannot be written")
"""


def test_configure_logs_writes_warnings_to_stderr_and_none_of_pydicom():
    """Pydicom's messages may quote a header, whatever it sets up when it is imported."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["WARNING fracture.data: a file cannot be written"]
