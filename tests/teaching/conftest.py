"""A room to vote in."""

import pytest

from fracture.teaching import rooms
from tests.support.votes import LABELS, MODEL, image


@pytest.fixture
def room(homes):
    """An open room with three images: its code and its teacher's secret."""
    return rooms.open_room([image(place) for place in range(3)], LABELS, MODEL, "CC BY")
