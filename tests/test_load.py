"""Several visitors at the same time, on real websockets; ``tests.benchmarks.many_visitors`` is the long one."""

import io

import numpy as np
import pytest
from PIL import Image

from fracture.classify.classifier import Classifier
from fracture.classify.store import bundled_model
from fracture.data.phantom.drawing import Plan
from fracture.data.phantom.writing import write
from tests.benchmarks.many_visitors import homes_beside_the_bundled_model
from tests.drawing import draw_mura
from tests.serving import served
from tests.visitors import mark, mark_of, uploads, visit_all


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


@pytest.mark.parametrize("number", [0, 5, 4095])
def test_a_mark_is_read_from_a_picture_of_another_size(number):
    """What tells the visitors' images apart survives being shrunk, tinted and packed."""
    drawn = Image.fromarray(mark(np.full((512, 512), 120, np.uint8), number)).resize((300, 300))
    tinted = Image.blend(drawn.convert("RGB"), Image.new("RGB", (300, 300), "orange"), 0.4)
    file = io.BytesIO()
    tinted.save(file, "JPEG")
    assert mark_of(file.getvalue(), 512) == number
