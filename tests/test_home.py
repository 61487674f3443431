"""Where things lie on disk."""

import os

import pytest

from fracture import home
from fracture.errors import FractureError


def test_a_folder_of_the_data_home_goes_by_its_name(homes):
    """Also where it is a link; a link that leads to itself is in nobody's way."""
    (homes / "data" / "loop").symlink_to("loop")
    (homes / "elsewhere").mkdir()
    (homes / "data" / "mine").symlink_to(homes / "elsewhere")
    assert home.short(str(homes / "elsewhere")) == "mine"
    assert home.short("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize(("variable", "folder"), [("FRACTURE_DATA", "data_home"), ("FRACTURE_MODELS", "models_home")])
def test_a_home_that_may_not_be_read_is_a_sentence(homes, monkeypatch, variable, folder):
    """Which one, and what to do; a name is still given to what a model was trained on."""

    def refuse(place: str) -> None:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FractureError, match=f"{variable} must be a folder that this user may read. Received: {homes}"):
        getattr(home, folder)()
    assert home.short("/somewhere/else") == "/somewhere/else"
