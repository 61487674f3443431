"""Whether the ImageNet weights are available: in Keras's cache, or on the server that Keras fetches them from.

Without importing Keras, which the app and the command line don't load.
"""

import logging
import os
import threading
import time
from pathlib import Path

WEIGHTS_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
ADDRESS = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{WEIGHTS_FILE}"
"""Both as ``keras.applications.inception_v3`` has them."""

PAGE_TIMEOUT_SECONDS = 2.0
"""How long a page waits for the server."""

RUN_TIMEOUT_SECONDS = 5.0
"""How long a run waits for the server before it fails: over a slow line the first answer takes a while."""

ANSWER_LIFETIME_SECONDS = 600.0
"""How long the server's answer is reused in this process."""

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_answers: dict[str, tuple[float, bool]] = {}


def available(timeout: float = PAGE_TIMEOUT_SECONDS) -> bool:
    """Whether the weights are in Keras's cache, or their server answers within ``timeout`` seconds."""
    return cached_file().is_file() or reachable(timeout=timeout)


def cached_file() -> Path:
    """Where Keras keeps the weights: see ``keras.src.backend.config`` and ``keras.utils.get_file``."""
    user = Path("~").expanduser()
    default = (user if os.access(user, os.W_OK) else Path("/tmp")) / ".keras"  # noqa: S108  Keras's own choice
    folder = Path(os.environ.get("KERAS_HOME", default)).expanduser()
    if not os.access(folder, os.W_OK):
        folder = Path("/tmp/.keras")  # noqa: S108
    return folder / "models" / WEIGHTS_FILE


def reachable(address: str = ADDRESS, timeout: float = PAGE_TIMEOUT_SECONDS) -> bool:
    """Whether a server has the file at this address and says so within ``timeout`` seconds.

    The answer is reused for ten minutes. Several callers at a time wait for one answer.
    """
    with _lock:
        asked, answer = _answers.get(address, (0.0, False))
        if not asked or time.monotonic() - asked > ANSWER_LIFETIME_SECONDS:
            answer = _ask_in_time(address, timeout)
            _answers[address] = time.monotonic(), answer
        return answer


def _ask_in_time(address: str, timeout: float) -> bool:
    answers: list[bool] = []
    # The timeout of a request doesn't end the look-up of a name, which may take half a minute without a network.
    asking = threading.Thread(target=lambda: answers.append(_ask(address, timeout)), daemon=True)
    asking.start()
    asking.join(timeout)
    return any(answers)


def _ask(address: str, timeout: float) -> bool:
    # 5 MB, which a server or a command that trains nothing need not carry.
    import requests

    try:
        # A hotel's network redirects to its own page: only the file itself counts.
        return requests.head(address, timeout=timeout, allow_redirects=False).status_code == requests.codes.ok
    except requests.RequestException as error:
        _log.info("The server of the ImageNet weights does not answer: %s", type(error).__name__)
        return False
