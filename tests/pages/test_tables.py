"""The page Data asks which columns of a table hold what, and which classes of boxes are which."""

from fracture.data.dataset import scan
from fracture.data.labels.columns import parse_columns
from fracture.data.labels.labels_file import read_labels
from fracture.data.labels.store import choose_columns
from tests.data.annotations.test_yolo import draw_yolo
from tests.data.tables.test_columns import AMBIGUOUS, listed
from tests.pages.test_labels import class_widget
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import header_counts, open_tab


def column_widget(app, role):
    """The choice of a column for one role."""
    return next(each for each in app.selectbox if each.key and each.key.startswith(f"{role} of "))


def test_page_asks_for_columns_with_a_guess_and_stores_the_answer(homes):
    """The form shows the columns with values, begins with a guess, and follows the label; undo asks again."""
    root = listed(homes / "data" / "set", *AMBIGUOUS)
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    assert "Which of its columns hold what?" in words(app)
    assert [column_widget(app, role).value for role in ("image", "label", "patient", "study")] == [
        "File",
        "Fracture",
        "pid",
        "",
    ]
    assert app.dataframe[0].value["Values"].tolist()[1] == "Z00, S52"
    assert class_widget(app, "1").value == "positive"
    healthy(column_widget(app, "label").set_value("Diagnosis").run())
    assert class_widget(app, "S52").label == "S52 (3 images)"
    class_widget(app, "S52").set_value("positive")
    class_widget(app, "Z00").set_value("negative")
    column_widget(app, "patient").set_value("")
    healthy(app.button(key="save columns").click().run())
    assert scan(root).columns.named() == {"file": "list.csv", "image": "File", "label": "Diagnosis"}
    assert header_counts(app)[0] == 6
    assert "image from 'File', label from 'Diagnosis'" in words(app).replace("\\", "")
    healthy(app.button(key="undo columns").click().run())
    assert "Which of its columns hold what?" in words(app)
    assert not read_labels(root).columns


def test_page_with_a_label_of_many_values_offers_no_save(homes):
    """A column with a value for each image is no label."""
    listed(homes / "data" / "set", "file;note;fracture;class", *(f"image{n};{n};{n % 2};{n % 3}" for n in range(50)))
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    healthy(column_widget(app, "label").set_value("note").run())
    assert "A label has at most 40 values. note has 50." in words(app)
    assert app.button(key="save columns").disabled


def test_page_takes_images_without_boxes_for_negative_only_where_it_is_ticked(homes):
    """Without the tick, no image is negative, and the answer is refused in a sentence."""
    root = draw_yolo(homes / "data" / "set", "train/images", "valid/images")
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    assert class_widget(app, "fracture").value == "positive"
    (tick,) = [each for each in app.checkbox if each.key.startswith("class unannotated,")]
    assert tick.label == "Images without boxes are negative (4 images)" and not tick.value
    app.button(key="save labels").click().run()
    assert [error.value for error in app.error if "none that is negative" in error.value]
    next(each for each in app.checkbox if each.key.startswith("class unannotated,")).check()
    healthy(app.button(key="save labels").click().run())
    assert header_counts(app)[0] == 8
    assert scan(root).label_mappings[0].negative == ("unannotated",)
    (tick,) = [each for each in app.checkbox if each.key and each.key.startswith("class unannotated,")]
    assert tick.value


def test_page_offers_a_table_beside_class_folders(homes):
    """Where folders are read and a table is not, its columns can be chosen instead."""
    root = listed(homes / "data" / "set", *AMBIGUOUS)
    (root / "xrays").rename(root / "normal")
    (root / "fractured").mkdir()
    (root / "normal" / "image5.png").rename(root / "fractured" / "image5.png")
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    healthy(app.button(key="save columns").click().run())
    assert scan(root).layout == "table"


def test_page_in_a_public_demo_shows_no_form(homes, monkeypatch):
    """A visitor sees what is missing."""
    listed(homes / "data" / "set", *AMBIGUOUS)
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = open_tab(alone("data"), "Decisions and export")
    assert "it must be known which columns" in words(app)
    assert "save columns" not in [button.key for button in app.button]


def test_columns_whose_names_begin_alike_are_told_apart(homes):
    """Long names are cut; the form keeps the column that it shows."""
    first, second = (f"Is a fracture of the bone visible in this image? Reader {number}" for number in (1, 2))
    lines = [f"File,{first},{second}", *(f"image{n},{n % 2},{1 - n % 2}" for n in range(6))]
    listed(homes / "data" / "set", *lines)
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    shown = column_widget(app, "label")
    assert len(set(shown.options)) == len(shown.options)
    before = shown.value
    assert column_widget(healthy(app.run()), "label").value == before == first


def test_columns_of_a_table_that_is_gone_can_be_undone(homes):
    """The page says what is missing, and offers the undo."""
    root = listed(homes / "data" / "set", *AMBIGUOUS)
    choose_columns(root, parse_columns(["image=File", "label=Fracture"]))
    (root / "list.csv").unlink()
    app = open_tab(alone("data"), "Decisions and export")
    assert not app.exception and "no such file" in app.error[0].value
    app.button(key="undo columns").click().run()
    assert not read_labels(root).columns


def test_public_demo_does_not_say_where_its_data_are(homes, monkeypatch):
    """A sentence about a data set names the data set alone."""
    listed(homes / "data" / "set", *AMBIGUOUS)
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = open_tab(alone("data"), "Decisions and export")
    assert not app.exception
    assert str(homes) not in words(app) and "set" in app.error[0].value
