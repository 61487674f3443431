"""Where things lie on disk."""

import os

import pytest

from fracture import paths
from fracture.errors import FractureError


def test_a_folder_of_the_data_home_goes_by_its_name(homes):
    """Also where it is a link; a link that leads to itself is in nobody's way."""
    (homes / "data" / "loop").symlink_to("loop")
    (homes / "elsewhere").mkdir()
    (homes / "data" / "mine").symlink_to(homes / "elsewhere")
    assert paths.short(str(homes / "elsewhere")) == "mine"
    assert paths.short("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize(("variable", "folder"), [("FRACTURE_DATA", "data_home"), ("FRACTURE_MODELS", "models_home")])
def test_a_home_that_may_not_be_read_is_a_sentence(homes, monkeypatch, variable, folder):
    """Which one, and what to do; a name is still given to what a model was trained on."""

    def refuse(place: str) -> None:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FractureError, match=f"{variable} must be a folder that this user may read. Received: {homes}"):
        getattr(paths, folder)()
    assert paths.short("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize(
    "path", ["../a.png", "/a.png", "a/../b.png", "C:/a.png", "a\\b.png", "a\nb.png", "a\u202eb", ""]
)
def test_a_path_stays_inside_its_folder(tmp_path, path):
    """Whatever would lead out, on any system, or be read as something else."""
    assert paths.leads_out(path)
    with pytest.raises(ValueError, match="by a path below its folder"):
        paths.inside(tmp_path, path)
    assert paths.inside(tmp_path, "a/b c.png") == tmp_path / "a" / "b c.png"


@pytest.mark.parametrize(
    ("text", "name"), [("my bones (1)", "my-bones-1"), ("../../etc", "etc"), (".hidden", "hidden"), ("…", "data")]
)
def test_any_text_becomes_a_name(text, name):
    """That leads nowhere and hides nothing."""
    assert paths.as_name(text, "data") == name and paths.is_name(name)
    assert paths.is_name(text) == (text == name)
