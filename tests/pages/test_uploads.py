"""Uploads on *Classify*: which are used, what is forgotten with them, and changes that leave nothing to see."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from fracture.app.classify import result, verdict
from fracture.app.shared import prediction_cache, uploads
from fracture.app.shared.uploads import Upload
from fracture.app.viewer import component
from fracture.errors import RadiographError
from fracture.inference.classifier import Classifier
from tests.hostile.dicoms import dicom
from tests.pages.test_pages import alone, as_png, healthy, words
from tests.support.widgets import by_key, keys_of


@pytest.fixture
def first_passes(monkeypatch):
    """The names of the images that models run their first pass over."""
    names: list[str] = []
    original = Classifier.first_pass

    def first_pass(self, name, image):
        names.append(name)
        return original(self, name, image)

    monkeypatch.setattr(Classifier, "first_pass", first_pass)
    return names


@pytest.fixture
def app(homes, make_model):
    """*Classify* with a model of one's own."""
    make_model("m")
    return healthy(alone("classify").run())


@pytest.fixture
def arm(drawn) -> np.ndarray:
    """A limb of the images that the model was trained on, (H, W)."""
    return np.asarray(Image.open(sorted(drawn.rglob("*.png"))[0]).convert("L"))


def upload(app, *files):
    """Put files into the uploader, in place of those in it; each a name and its bytes."""
    return app.file_uploader(key="uploads").set_value([(name, data, "") for name, data in files]).run()


def change_first(app, monkeypatch, changes):
    """Change the first upload in the viewer."""
    monkeypatch.setattr(component, "_viewer", lambda **_: {"classify": changes})
    app.button(key=keys_of(app.button, "open viewer")[0]).click().run()
    monkeypatch.undo()


def cropped(left, top, width, height):
    return {"crop": [left, top, width, height], "quarter_turns": 0, "invert": False}


def test_hidden_answers_are_shown_one_by_one(app, drawn, monkeypatch):
    """A shown answer stays when another is asked for, and similar images of a hidden one are not shown."""
    similar: list[list[str]] = []

    def record(_model, examined, _suffix):
        similar.append([each.view.name for each in examined])

    monkeypatch.setattr(result, "show_similar_images", record)
    app.session_state["hide answer"] = True
    first, *_, last = sorted(drawn.rglob("*.png"))
    upload(app, ("a.png", first.read_bytes()), ("b.png", last.read_bytes()))
    assert not healthy(app).metric and not similar
    by_key(app.button, "show answer study 2").click().run()
    assert len(healthy(app).metric) == 1 and similar[-1] == ["b.png"]
    by_key(app.button, "show answer study 1").click().run()
    assert len(healthy(app).metric) == 2 and similar[-1] == ["a.png", "b.png"]


def test_shown_answer_is_that_of_a_model_and_its_pictures():
    """Another model, another file or another frame of it has an answer of its own, which stays hidden."""

    def identity(model, source, embedding):
        seen = SimpleNamespace(name="a.dcm", embedding=np.array([embedding]))
        return verdict.identify(SimpleNamespace(name=model), [SimpleNamespace(source=source, seen=seen)])

    others = [identity("n", "x 1", 1.0), identity("m", "x 2", 1.0), identity("m", "x 1", 2.0)]
    assert identity("m", "x 1", 1.0) == identity("m", "x 1", 1.0)
    assert identity("m", "x 1", 1.0) not in others


def test_too_large_file_of_a_data_set_is_refused_and_the_uploads_stay(tmp_path, monkeypatch):
    """The sentence names the limit."""
    session = {"kept uploads": ("before",)}
    monkeypatch.setattr(uploads.st, "session_state", session)
    large = tmp_path / "large.dcm"
    with large.open("wb") as file:
        file.truncate(51 * 2**20)
    with pytest.raises(RadiographError, match=r"may have 50 MB. Received: 51 MB"):
        uploads.classify_file(large)
    assert session == {"kept uploads": ("before",)}


def test_file_of_a_data_set_is_answered_although_others_were_hidden(tmp_path, monkeypatch):
    """It replaces the uploads, whose bytes are given back."""
    session = {"kept uploads": ("before",), "hide answer": True}
    monkeypatch.setattr(uploads.st, "session_state", session)
    removed = []
    manager = SimpleNamespace(remove_session_files=removed.append)
    context = SimpleNamespace(uploaded_file_mgr=manager, session_id="me")
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(uploads.st, "switch_page", lambda _: None)
    image = tmp_path / "a.png"
    image.write_bytes(b"x")
    uploads.classify_file(image)
    assert [each.name for each in session["kept uploads"]] == ["a.png"]
    assert session["hide answer"] is False and removed == ["me"]


def test_crop_that_shows_nothing_can_be_undone(app, arm, monkeypatch):
    """The sentence stands there with the buttons to crop again and to undo; the other file keeps its answer."""
    picture = np.vstack([np.zeros((40, 64), np.uint8), arm])
    upload(app, ("long.png", as_png(picture)), ("arm.png", as_png(arm)))
    before = [metric.value for metric in healthy(app).metric]
    with monkeypatch.context() as patched:
        change_first(app, patched, cropped(0, 0, 64, 38))
    assert "long.png (changed) must show something" in app.error[0].value.replace("\\", "")
    assert len(app.metric) == 1
    assert len(keys_of(app.button, "open viewer")) == 2
    by_key(app.button, "undo changes").click().run()
    assert [metric.value for metric in healthy(app).metric] == before


def test_text_is_looked_for_in_the_changed_picture(app, arm, monkeypatch):
    """Cropped away, it is warned of no more."""
    picture = Image.fromarray(np.pad(arm, ((100, 0), (0, 300))))
    ImageDraw.Draw(picture).text((10, 8), "DOE JANE 1970-01-02", fill=255, font=ImageFont.load_default(20))
    upload(app, ("arm.png", as_png(np.asarray(picture))))
    assert "There seems to be text" in words(healthy(app))
    with monkeypatch.context() as patched:
        change_first(app, patched, cropped(0, 100, 64, 64))
    assert "cropped to 64 x 64 px" in words(healthy(app))
    assert "There seems to be text" not in words(app)


def test_changes_of_a_frame_survive_a_look_at_another(app, arm, monkeypatch):
    """They are of this frame alone, and forgotten with the file."""
    deep = arm.astype(np.uint16) * 12 + 500
    frames = np.vstack([deep, deep[::-1]])
    data = dicom(frames, BitsStored=12, HighBit=11, NumberOfFrames="2", Rows=deep.shape[0])
    upload(app, ("run.dcm", data))
    with monkeypatch.context() as patched:
        change_first(app, patched, {"crop": None, "quarter_turns": 1, "invert": False})
    assert keys_of(healthy(app).button, "undo changes")
    app.number_input(key="frame of 0 run.dcm").set_value(2).run()
    assert not keys_of(healthy(app).button, "undo changes")
    app.number_input(key="frame of 0 run.dcm").set_value(1).run()
    assert keys_of(healthy(app).button, "undo changes")


def test_other_files_are_not_joined_without_a_click(app, arm):
    """They may be of the next patient."""

    def views(study):
        pictures = (arm, np.ascontiguousarray(arm[:, ::-1]))
        return [(f"{study} {number}", dicom(each, StudyInstanceUID=study)) for number, each in enumerate(pictures)]

    upload(app, *views("1.2.3"))
    app.button(key="join studies").click().run()
    assert len(healthy(app).metric) == 1
    upload(app, *views("1.2.9"))
    assert len(healthy(app).metric) == 2


def test_cleared_uploads_leave_neither_bytes_nor_answers(app, arm, monkeypatch, first_passes):
    """Streamlit's copies are freed at once; a file that is uploaded again is classified again."""
    freed = []
    original = MemoryUploadedFileManager.remove_session_files

    def remove(self, session_id):
        freed.append(sum(len(file.data) for file in self.file_storage.get(session_id, {}).values()))
        original(self, session_id)
        assert not self.file_storage.get(session_id)

    monkeypatch.setattr(MemoryUploadedFileManager, "remove_session_files", remove)
    data = as_png(arm)
    upload(app, ("arm.png", data))
    healthy(app.run())
    assert first_passes == ["arm.png"]
    app.button(key="clear uploads").click().run()
    assert freed == [len(data)]
    app.file_uploader(key="uploads 1").set_value([("arm.png", data, "")]).run()
    assert first_passes == ["arm.png"] * 2 and healthy(app).metric


def test_several_models_are_asked_about_no_more_files_than_are_cached(
    homes, make_model, monkeypatch, first_passes, arm
):
    """Else each click would classify all of them again. The page says how many are classified."""
    folders = [make_model("one"), make_model("two")]
    monkeypatch.setattr("fracture.app.shared.widgets.shipped_models", lambda: folders)
    monkeypatch.setattr(prediction_cache, "MAX_EXAMINED", 5)
    app = healthy(alone("classify").run())
    upload(app, *[(f"{number}.png", as_png(np.roll(arm, number))) for number in range(3)])
    assert first_passes == ["0.png", "1.png"] * 2
    assert "The first 2 of 3 files are classified, since several models are asked; one model takes 100." in words(app)
    healthy(app.run())
    assert len(first_passes) == 4
    assert prediction_cache.examined._info.max_entries == 100


def test_earlier_uploads_say_how_many_of_them_are_classified(homes, make_model, arm, monkeypatch):
    """Also those that were chosen on *Home*, of which the first hundred are kept."""
    make_model("m")
    monkeypatch.setattr(prediction_cache, "MAX_EXAMINED", 1)
    app = alone("classify")
    data = as_png(arm)
    app.session_state["kept uploads"] = tuple(Upload(f"{number}.png", data) for number in range(2))
    app.session_state["uploads chosen"] = 101
    said = words(healthy(app.run()))
    assert "The first 1 of 101 files are classified" in said and len(app.metric) == 1
