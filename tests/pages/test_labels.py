"""The page Data asks which class is which, says what it took for granted, and swaps it."""

import pytest

from fracture.data.dataset import scan
from fracture.data.labels.labels_file import read_choices
from fracture.data.labels.store import choose_labels
from tests.pages.test_pages import alone, healthy, words
from tests.support.drawing import draw_classes
from tests.support.widgets import header_counts, open_tab


def class_widget(app, name):
    """The choice for one class."""
    return next(each for each in app.button_group if each.key and each.key.startswith(f"class {name},"))


def test_page_asks_which_class_is_which_and_stores_the_answer(homes):
    """Classes of unknown names are listed with their counts; the answer is stored, and the images are shown."""
    root = draw_classes(homes / "data" / "set", "A", "B", "C", images=4)
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    assert "Which is which?" in words(app)
    assert class_widget(app, "A").label == "A (4 images)"
    class_widget(app, "A").set_value("negative")
    class_widget(app, "B").set_value("positive")
    healthy(app.button(key="save labels").click().run())
    (choice,) = read_choices(root)
    assert (choice.negative, choice.positive, choice.ignore) == (["A"], ["B"], ["C"])
    assert header_counts(app)[0] == 8
    assert "4 images are left out" in words(open_tab(app, "Checks"))
    open_tab(app, "Decisions and export")
    app.button(key="undo labels").click().run()
    assert "Which is which?" in words(app) and not read_choices(root)


def test_page_without_a_positive_class_says_what_is_missing(homes):
    """An answer that names no positive class is refused in a sentence, and nothing is stored."""
    root = draw_classes(homes / "data" / "set", "A", "B")
    app = open_tab(alone("data"), "Decisions and export")
    class_widget(app, "A").set_value("negative")
    app.button(key="save labels").click().run()
    assert [error.value for error in app.error if "none that is positive" in error.value]
    assert not read_choices(root)


def test_page_says_that_0_is_negative_and_swaps_with_one_click(homes):
    """Digits are said to be read as negative and positive; a click stores the opposite, and the form shows it."""
    root = draw_classes(homes / "data" / "set", "0", "1")
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    assert "'0' is read as negative and '1' as positive" in words(app)
    healthy(app.button(key="swap labels").click().run())
    assert "By choice, '1' is negative and '0' positive" in words(app)
    assert (class_widget(app, "0").value, class_widget(app, "1").value) == ("positive", "negative")
    assert scan(root).label_mappings[0].negative == ("1",)


def test_page_in_a_public_demo_asks_nobody(homes, monkeypatch):
    """A visitor sees what is missing, and no form."""
    draw_classes(homes / "data" / "set", "A", "B")
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = open_tab(alone("data"), "Decisions and export")
    assert "it must be known which folders are negative" in words(app)
    assert "save labels" not in [button.key for button in app.button]


@pytest.mark.parametrize(
    ("folders", "warned"), [(("0", "1"), True), (("patient1/normal", "patient2/fractured"), False)]
)
def test_train_page_warns_before_a_run(homes, folders, warned):
    """The form of a run says that no patient is known, and that 0 was taken for negative."""
    draw_classes(homes / "data" / "set", *folders)
    shown = words(healthy(alone("train").run()))
    assert ("No patient is known here" in shown) == ("is read as negative" in shown) == warned


def test_page_after_a_choice_elsewhere_shows_it(homes):
    """A choice that the command line stored counts on the page at once."""
    root = draw_classes(homes / "data" / "set", "0", "1")
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    choose_labels(root, scan(root).label_mappings[0].swapped())
    assert "By choice, '1' is negative" in words(healthy(app.run()))


def test_page_previews_and_stores_a_pattern_for_patients(homes):
    """What a pattern finds is shown before it is stored; then each patient is one group."""
    root = draw_classes(homes / "data" / "set", "normal", "fractured", images=4)
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    healthy(app.text_input(key=f"patient pattern of {root}").set_value("image{patient}").run())
    assert "4 patients in 8 of 8 images" in words(app)
    healthy(app.button(key="save patients").click().run())
    assert {metric.label: metric.value for metric in open_tab(app, "Statistics").metric}["Patients or groups"] == "4"
    open_tab(app, "Decisions and export")
    healthy(app.button(key="undo patients").click().run())
    assert {metric.label: metric.value for metric in open_tab(app, "Statistics").metric}["Patients or groups"] == "8"
