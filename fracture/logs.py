"""What a process writes to stderr: logging, and the warnings of libraries.

Each entry point calls :func:`configure_logs` once: the command line (which background imports and phantoms run through,
too), the process of a run, and the app.
"""

import logging
import os
import warnings
from functools import cache


@cache
def configure_logs() -> None:
    """Log warnings to stderr, and silence what libraries say about single images. Only the first call does something.

    Warning filters belong to the whole process: ``warnings.catch_warnings()`` around each image is not safe between
    threads.
    """
    # stdout is for results; with --json it holds one document and nothing else.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # pydicom's warnings (odd tags, too many bytes) may quote the header, which no log must hold. A higher level
    # would not do: pydicom sets the level itself when it is imported.
    warnings.filterwarnings("ignore", module="pydicom")
    pydicom = logging.getLogger("pydicom")
    pydicom.disabled = True
    pydicom.propagate = False  # nor do loggers below it say anything
    pydicom.addHandler(logging.NullHandler())
    # Pillow ignores damaged EXIF data; nobody has to know.
    warnings.filterwarnings("ignore", "Corrupt EXIF data", module="PIL")
    # TensorFlow reads this when it is imported: errors and warnings, but not which instructions the processor has.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
