"""Clients of the REST interface, beside visitors who classify the same images on the page; each checks its answers."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache, partial

import requests

from fracture.files import JsonObject
from fracture.inference.batch import answering
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card
from tests.support.visitors import Record, Upload, classify_in_new_tabs

BY_REST = "by REST"
ON_THE_PAGE = "on the page"

NEGATIVE = "negative"
"""An image in which the page draws no boxes, for which another network would run in a process of its own."""

OTHER = "other"

PATIENCE = 120
"""Seconds that a client waits for an answer."""


@cache
def bundled_model_labels() -> tuple[str, str]:
    """The negative label and the positive one."""
    return read_card(bundled_model()).labels


def answer_alone(model: ModelFolder, uploads: Sequence[Upload]) -> dict[int, list[JsonObject]]:
    """The results that each upload must have, by its number, computed in this process."""
    request = answering.Request((answering.ask(model, None),))
    results = {}
    for upload in uploads:
        content = answering.Upload(upload.name, upload.content)
        answer = answering.answer_uploads(request, upload.name, [content])
        results[upload.number] = json.loads(json.dumps(answer.rows))
    return results


def action(upload: Upload, where: str) -> str:
    """The name under which the seconds of an upload are kept."""
    kind = NEGATIVE if upload.answer["answer"] == bundled_model_labels()[0] else OTHER
    return f"{kind} {where}"


def classify_by_rest(
    base: str,
    own: Sequence[Upload],
    expected: dict[int, list[JsonObject]],
    think: Callable[[], None],
    end: float,
    record: Record,
) -> None:
    """Send one upload after the other until ``end`` (monotonic), and compare the answers."""
    try:
        for upload in itertools.cycle(own):
            think()
            with record.timed(action(upload, BY_REST)):
                files = {"files": (upload.name, upload.content)}
                answer = requests.post(f"{base}/api/classify", files=files, timeout=PATIENCE)
            answer.raise_for_status()
            document = answer.json()
            record.checked += 1
            if document["results"] != expected[upload.number] or document["errors"]:
                record.mixed_up.append(f"{upload.number} by REST: {document}")
            if time.monotonic() >= end:
                return
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        record.errors.append(f"client {own[0].number}: {type(error).__name__}: {str(error)[:500]}")


def load(
    base: str,
    shares: Sequence[Sequence[Upload]],
    expected: dict[int, list[JsonObject]],
    pages: int,
    think: float,
    seconds: float,
) -> Record:
    """What happened while a client for each share of the uploads, and as many visitors as ``pages``, were served.

    All of them think ``think`` seconds on average between two images.
    """
    record = Record()
    end = time.monotonic() + seconds

    def pause() -> None:
        time.sleep(random.uniform(0, 2 * think))

    on_the_page = partial(action, where=ON_THE_PAGE)
    threads = [
        threading.Thread(target=classify_by_rest, args=(base, own, expected, pause, end, record), daemon=True)
        for own in shares
    ]
    threads += [
        threading.Thread(target=classify_in_new_tabs, args=(base, own, pause, end, record, on_the_page), daemon=True)
        for own in shares[:pages]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return record
