"""The core of ``POST /api/classify``, without a server."""

import logging

import pytest

from fracture.api import classify
from fracture.api.classify import ReceivedFile, check_files, classify_files
from fracture.api.options import Options
from fracture.api.refusals import RefusalError
from fracture.imaging.limits import MAX_FILE_MB, MAX_UPLOADS


def received(files):
    return [ReceivedFile(name, len(content), lambda content=content: content) for name, content in files.items()]


def test_files_of_one_name_are_each_answered(make_model, pictures):
    """Clients often call every file the same."""
    make_model("m")
    both = [received({"view.png": pictures[name]})[0] for name in ("0.png", "1.png")]
    first, second = classify_files(both, Options(answer_unlike=True, threshold=0.5))["results"]
    assert first["image"] == second["image"] == "view.png"
    assert first["probability"] != second["probability"]


@pytest.mark.parametrize("name", ["https://host.invalid/view.png", "/etc/passwd", "zip://a.png::file:///b.zip"])
def test_name_of_an_upload_is_never_opened(make_model, pictures, name):
    """A name that looks like a URL or a path is a name: the answer is that of the bytes."""
    make_model("m")
    named, plain = (
        classify_files(received({each: pictures["0.png"]}), Options(answer_unlike=True)) for each in (name, "0.png")
    )
    assert named["errors"] == []
    assert named["results"][0]["image"] == name
    assert named["results"][0]["probability"] == plain["results"][0]["probability"]


def test_limits_are_those_of_the_page(make_model, pictures):
    """No file, a large one, and too many."""
    make_model("m")
    with pytest.raises(RefusalError, match="Received: none"):
        check_files([])
    with pytest.raises(RefusalError, match=f"{MAX_FILE_MB} MB") as refused:
        check_files([ReceivedFile("a.png", MAX_FILE_MB * 2**20 + 1, bytes)])
    assert refused.value.status == 413
    with pytest.raises(RefusalError, match=f"may have {MAX_UPLOADS} files"):
        classify_files(received(pictures) * MAX_UPLOADS, Options())


def test_defect_is_logged_without_its_words(make_model, pictures, monkeypatch, caplog):
    """A message of an error may quote a patient's name."""
    make_model("m")

    words = "".join(["Patient", "Name"])  # not in the line that the log shows

    def fail(*_):
        raise KeyError(words)

    monkeypatch.setattr(classify, "answer_uploads", fail)
    with caplog.at_level(logging.ERROR), pytest.raises(RefusalError, match="its log says where") as refused:
        classify_files(received(pictures), Options())
    assert refused.value.status == 500
    assert "KeyError" in caplog.text and words not in caplog.text
