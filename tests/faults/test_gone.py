"""What is deleted or renamed while it is looked at: a word about it, and the rest goes on."""

import shutil

import pytest

from fracture.registry.model_folder import delete_folder
from fracture.training.runs import queue
from tests.faults.test_damage import ASKED, show
from tests.pages.test_pages import words


@pytest.mark.slow
@pytest.mark.parametrize("page", ["train", "comparison", "models", "classify", "playground"])
def test_a_model_deleted_between_two_looks(home_with_data, features, make_model, page):
    """The page goes on with what is left, in the same session and with what it has cached."""
    make_model("good")
    bad = make_model("bad")
    app = show(page)
    delete_folder(bad)
    app.run()
    assert not app.exception, app.exception
    assert "Traceback" not in words(app)
    assert queue.find_run(bad) is None and show(page)


@pytest.mark.slow
def test_a_data_set_renamed_between_two_looks(home_with_data, features, make_model):
    """Each page that shows it says that it is gone, or does without it."""
    make_model("good")
    shown = {page: show(page) for page in ASKED}
    shutil.move(home_with_data / "data" / "drawn", home_with_data / "data" / "renamed")
    for page, app in shown.items():
        app.run()
        assert not app.exception, (page, app.exception)
