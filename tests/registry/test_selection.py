"""On which images a model's epoch, temperature and thresholds were chosen, in words."""

import json

import pytest

from fracture.registry.card import Card
from fracture.registry.model_folder import bundled_model
from fracture.registry.selection import chosen_on, selection_sentence


@pytest.fixture
def document():
    """The card of the bundled model, which chose on its validation images."""
    return json.loads(bundled_model().card.read_text())


def test_selection_sentence_of_an_old_card_says_that_the_metrics_are_optimistic(document):
    """A card without the key is one whose validation images chose."""
    card = Card.from_json(document)
    assert chosen_on(card) == "the validation images of fracatlas"
    assert selection_sentence(card) == (
        "Epoch, temperature and thresholds were chosen on the validation images of fracatlas themselves: metrics on "
        "these are slightly optimistic."
    )
    del document["data"]
    assert "optimistic" in selection_sentence(Card.from_json(document)), "nothing is known of the data"


def test_selection_sentence_with_held_out_images_counts_them(document):
    """And says that the validation images did not choose."""
    held_out = {"images": 1255, "groups": 600, "share": 0.1}
    card = Card.from_json({**document, "data": {**document["data"], "selection": held_out}})
    assert chosen_on(card, lambda name: f"*{name}*") == "1,255 held-out training images of *fracatlas*"
    assert selection_sentence(card).endswith("; the validation images were evaluated once, at the end.")
