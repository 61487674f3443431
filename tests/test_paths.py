"""Where things lie on disk."""

import os

import pytest

from fracture import paths
from fracture.errors import FractureError


def test_short_folder_of_the_data_home_is_its_name(homes):
    """Also where it is a link; a link to itself does no harm."""
    (homes / "data" / "loop").symlink_to("loop")
    (homes / "elsewhere").mkdir()
    (homes / "data" / "mine").symlink_to(homes / "elsewhere")
    assert paths.short(str(homes / "elsewhere")) == "mine"
    assert paths.short("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize(("variable", "folder"), [("FRACTURE_DATA", "data_home"), ("FRACTURE_MODELS", "models_home")])
def test_data_home_unreadable_is_refused(homes, monkeypatch, variable, folder):
    """The error names the variable and what to do; models are still named after their data."""

    def refuse(place: str) -> None:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FractureError, match=f"{variable} must be a folder that this user may read. Received: {homes}"):
        getattr(paths, folder)()
    assert paths.short("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize(
    "path", ["../a.png", "/a.png", "a/../b.png", "C:/a.png", "a\\b.png", "a\nb.png", "a\u202eb", ""]
)
def test_inside_path_that_leads_out_is_refused(tmp_path, path):
    """Also where it does so on another system only, or looks like another name."""
    assert paths.leads_out(path)
    with pytest.raises(ValueError, match="by a path below its folder"):
        paths.inside(tmp_path, path)
    assert paths.inside(tmp_path, "a/b c.png") == tmp_path / "a" / "b c.png"


@pytest.mark.parametrize(
    ("text", "name"), [("my bones (1)", "my-bones-1"), ("../../etc", "etc"), (".hidden", "hidden"), ("…", "data")]
)
def test_as_name_of_any_text_is_a_name(text, name):
    """It leads nowhere and is not hidden."""
    assert paths.as_name(text, "data") == name and paths.is_name(name)
    assert paths.is_name(text) == (text == name)
