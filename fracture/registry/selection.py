"""On which images a model's epoch, temperature and thresholds were chosen, in words.

Metrics on these same images are slightly optimistic; metrics on others are not. Every page and command that shows a
model's metrics says it with the sentence of this module.
"""

from collections.abc import Callable

from fracture.registry.card import Card
from fracture.registry.validation import validation_results

WriteName = Callable[[str], str]
"""How a data set's name is written: as it is, or escaped for Markdown."""


def chosen_on(card: Card, write_name: WriteName = str) -> str:
    """The images that chose, to follow a preposition: ``the validation images of fracatlas``."""
    first = write_name(validation_results(card)[0].data)
    held_out = card.data.selection if card.data else None
    if held_out is None:
        return f"the validation images of {first}"
    return f"{held_out.images:,} held-out training images of {first}"


def selection_sentence(card: Card, write_name: WriteName = str) -> str:
    """What the epoch, the temperature and the thresholds were chosen on, and what that does to the metrics."""
    chosen = f"Epoch, temperature and thresholds were chosen on {chosen_on(card, write_name)}"
    if card.data is None or card.data.selection is None:
        return f"{chosen} themselves: metrics on these are slightly optimistic."
    return f"{chosen}; the validation images were evaluated once, at the end."
