"""A model's files against its card."""

import json

import pytest

from fracture.errors import ModelError
from fracture.inference.classifier import load_classifier
from fracture.registry.model_folder import bundled_model, read_card
from fracture.registry.sums import check_files, sums


@pytest.mark.parametrize("name", ["model.tflite", "familiarity.npz"])
def test_a_file_of_another_model_does_not_answer(make_model, name):
    """One changed byte is enough, and the sentence names the file."""
    folder = make_model("m")
    content = bytearray((folder.path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder.path / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"m/{name} is not the file that the model's card was written with"):
        load_classifier("m")


def test_a_card_from_before_there_were_sums_is_believed(make_model):
    """What was trained then still answers."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    del card["files"]
    folder.card.write_text(json.dumps(card))
    load_classifier("m")


def test_the_model_that_comes_along_is_vouched_for():
    """Its card has the sums of both files that answer."""
    card = read_card(bundled_model())
    assert card["files"] == sums(bundled_model())
    assert sorted(card["files"]) == ["familiarity.npz", "model.tflite"]
    check_files(bundled_model(), card)
