"""Several visitors at the same time, on real websockets; ``benchmarks.many_visitors`` is the long one."""

import io
import os
import re
import urllib.request

import numpy as np
import pytest
from PIL import Image

from benchmarks.many_visitors import homes_beside_the_bundled_model
from benchmarks.rest_load import measure
from fracture.inference.classifier import Classifier
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.registry.model_folder import bundled_model
from tests.support.drawing import draw_mura
from tests.support.rest_clients import BY_REST, ON_THE_PAGE
from tests.support.serving import served
from tests.support.tab import Tab
from tests.support.visitors import mark, mark_of, uploads, visit_all
from tests.support.waiting import wait


@pytest.mark.slow
def test_visitors_at_the_same_time_each_get_their_own_answer(tmp_path, monkeypatch):
    """Six sessions open, browse and classify with no error; each finds its own name, mark and answer, and no other."""
    monkeypatch.delenv("FRACTURE_MODELS", raising=False)
    draw_mura(tmp_path / "data" / "drawn", train_patients=24, valid_patients=6)
    write(tmp_path / "phantoms", Plan(patients=2))
    files = sorted((tmp_path / "phantoms").rglob("image*.png"))
    made = uploads(files, 6, Classifier(bundled_model()))
    assert len({upload.answer["probability"] for upload in made}) == len(made), "their answers must differ"
    with served(tmp_path / "server.log", homes=homes_beside_the_bundled_model(tmp_path)) as app:
        record, visitors = visit_all(app.address, [[upload] for upload in made], think=0, end=0)
        for visitor in visitors:
            visitor.join(90)
    assert record.errors == [] and record.mixed_up == []
    assert record.checked >= len(made)


@pytest.mark.slow
def test_rest_clients_beside_pages_each_get_their_own_answer(tmp_path, monkeypatch):
    """The answers of this process, and no other, with no error; ``benchmarks.rest_load`` is the long one."""
    monkeypatch.delenv("FRACTURE_MODELS", raising=False)
    record, _ = measure(tmp_path, clients=4, pages=2, seconds=5, think=0)
    assert record.errors == [] and record.mixed_up == []
    assert record.checked >= 6
    assert {action.partition(" ")[2] for action in record.seconds} >= {BY_REST, ON_THE_PAGE}


def _held(address: str) -> dict[str, float]:
    """What the server says that it holds, in bytes or entries, by the name of the cache."""
    with urllib.request.urlopen(f"{address}/_stcore/metrics") as answer:
        lines = re.findall(r'^cache_memory_bytes{cache_type="(.*)",cache="(.*)"} (.+)$', answer.read().decode(), re.M)
    return {cache or kind: float(value) for kind, cache, value in lines}


@pytest.mark.slow
def test_an_upload_goes_with_its_visitor(tmp_path):
    """Once a tab has been closed for as long as one may come back to it, the next who come find it gone from memory."""
    brief = {**os.environ, "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1"}  # seconds, instead of 120
    homes = homes_beside_the_bundled_model(tmp_path)
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400), np.uint8)).save(content, "PNG")
    with served(tmp_path / "server.log", environment=brief, homes=homes) as app:
        tab = Tab(app.address)
        tab.open("classify")
        tab.upload(tab.all("file_uploader")[0], "view.png", content.getvalue())
        answers = {"UploadedFileManager", "fracture.app.shared.prediction_cache.examined"}
        assert answers <= set(_held(app.address))
        tab.close()

        def gone() -> bool:
            other = Tab(app.address)
            other.open("")
            other.close()
            return not answers & set(_held(app.address))

        wait(gone, seconds=60)


@pytest.mark.parametrize("number", [0, 5, 4095])
def test_a_mark_is_read_from_a_picture_of_another_size(number):
    """What tells the visitors' images apart survives being shrunk, tinted and packed."""
    drawn = Image.fromarray(mark(np.full((512, 512), 120, np.uint8), number)).resize((300, 300))
    tinted = Image.blend(drawn.convert("RGB"), Image.new("RGB", (300, 300), "orange"), 0.4)
    file = io.BytesIO()
    tinted.save(file, "JPEG")
    assert mark_of(file.getvalue(), 512) == number
