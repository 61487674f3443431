"""Every page, alone and through the router, empty and full."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fracture import sample_radiographs
from fracture.app.shared.widgets import escape_markdown
from fracture.files import write_json
from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import model_folder, read_card
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.hostile.dicoms import dicom as hostile_dicom
from tests.support.not_radiographs import LEGS, dicom, pictures
from tests.support.widgets import by_key, keys_of

PAGES = (
    *("home", "data", "train", "classify", "models"),
    *("lesson", "quiz", "playground", "leakage", "shortcuts", "inside", "map", "vote"),
)


def alone(page: str) -> AppTest:
    return AppTest.from_file(str(PROJECT / "pages" / f"{page}.py"), default_timeout=60)


def routed(page: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
    return app.switch_page(f"pages/{page}.py")


def watching(name: str) -> AppTest:
    """The page *Train* as a link to a run opens it."""
    app = alone("train")
    app.query_params["run"] = name
    return app.run()


def choose_sample(app: AppTest, identity: str) -> AppTest:
    """Choose a sample by the name of its file or by its number, as a click on the strip does."""
    app.session_state["sample"] = identity
    return app.run()


def words(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.caption, *app.info, *app.error, *app.warning, *app.header]
    return "\n".join(str(part.value) for part in parts)


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, words(app)
    return app


@pytest.mark.slow
@pytest.mark.parametrize("start", [alone, routed])
@pytest.mark.parametrize("page", PAGES)
def test_page_without_data_and_models_shows_the_next_step(homes, page, start):
    """With no data and no model each page draws, and names the next step."""
    app = healthy(start(page).run())
    hints = {
        "home": "Generate phantoms, or import a data set",
        "data": "No data set selected",
        "train": "No data set selected",
        "lesson": "An X-ray is a shadow",
        "quiz": "There is no trained model yet",
        "playground": "faint lines are earlier trials",
        "leakage": "The split by image leaks",
        "shortcuts": "There is no trained model yet",
        "vote": "There is no trained model yet",
        "inside": "There is no trained model yet",
        "map": "Draw a lasso or a box",
        "classify": "There is no trained model yet",
        "models": "There is no trained model yet",
    }
    assert hints[page] in words(app)


@pytest.mark.slow
@pytest.mark.parametrize("start", [alone, routed])
@pytest.mark.parametrize("page", PAGES)
def test_page_with_data_and_a_model_draws(home_with_data, features, make_model, page, start):
    """With a data set and a model each page draws without an error."""
    make_model("first")
    app = healthy(start(page).run())
    assert "no trained model" not in words(app)
    assert "No data set selected" not in words(app)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["data", "train"])
@pytest.mark.parametrize("typed", ["", "missing", "~nobody-of-this-name/data", "x" * 300, "nul\0"])
def test_path_without_a_data_set_shows_one_sentence(homes, tmp_path, page, typed):
    """Any typed path gets one sentence; an empty folder gets one that names the layouts."""
    (tmp_path / "empty").mkdir()
    app = alone(page)
    app.session_state["data"] = typed or str(tmp_path / "empty")
    app.run()
    assert not app.exception
    assert len(app.error) == 1


def test_train_refuses_a_choice_in_words(home_with_data):
    """A name that cannot be a folder's is refused on the page."""
    app = healthy(alone("train").run())
    by_key(app.text_input, "name").set_value("../escape")
    by_key(app.button, "start").click().run()
    assert not app.exception
    assert "name must be" in app.error[0].value


def test_train_shows_an_earlier_run(homes, make_model):
    """A run that ended is found again with its curves, its network and its figures."""
    make_model("first")
    app = healthy(watching("first"))
    assert app.selectbox(key="run").value == "first"
    assert len(app.get("vega_lite_chart")) == 4  # loss, accuracy, followed images, confusion matrix
    assert re.search(r"validation studies of \*.+\*: AUC \d\.\d+.*\. At the balanced threshold of", words(app))
    assert "2,049 trainable" in "".join(expander.label for expander in app.expander)


def test_auc_of_a_run_is_the_same_on_train_and_models(homes, make_model):
    """By study on both pages, with the word beside it, although the card has another one by image."""
    folder = make_model("first")
    metrics = read_card(folder).metrics
    edited = {**metrics, "study": {**metrics["study"], "auc": {"value": 0.75, "low": 0.5, "high": 0.9}}}
    folder.card.write_text(json.dumps({**json.loads(folder.card.read_text()), "metrics": edited}))
    assert metrics["image"]["auc"]["value"] != 0.75
    assert "AUC 0.750 (0.500 to 0.900) by study" in words(healthy(watching("first")))
    app = healthy(alone("models").run())
    assert "**AUC 0.750 (0.500 to 0.900)** by study" in words(app)
    table = app.dataframe(key="table of runs").value
    assert table[["AUC", "95% interval"]].to_numpy().tolist() == [[0.75, "0.500 to 0.900 by study"]]


def test_train_shows_only_the_very_images_that_a_run_followed(homes, make_model):
    """An image that was replaced by another file since has a probability, and no picture."""
    folder = make_model("first")
    data = json.loads(folder.card.read_text())["config"]["data"]
    copy = Path(shutil.copytree(data, homes / "data" / "followed"))
    folder.events.write_text(folder.events.read_text().replace(data, str(copy)))
    before = len(healthy(watching("first")).get("image"))
    followed = next(json.loads(line) for line in folder.events.read_text().splitlines() if '"followed"' in line)
    shutil.copy(followed["paths"][1], followed["paths"][0])
    assert len(healthy(watching("first")).get("image")) == before - 1


def test_train_shows_a_training_as_code(homes, make_model):
    """Once it is asked for, with both downloads; where the data have changed, it is said why one of them is missing."""
    folder = make_model("first")
    app = healthy(watching("first"))
    assert not app.code
    app.session_state["code first"] = True
    compile(healthy(app.run()).code[0].value, "first.py", "exec")
    assert downloads(app) == ["Download script", "Download images.csv"]
    card = json.loads(folder.card.read_text())
    write_json(folder.card, {**card, "data": {**card["data"], "fingerprint": "another"}})
    assert "no longer those that 'first' was trained on" in words(healthy(app.run())).replace("\\", "")
    assert downloads(app) == ["Download script"]


def downloads(app: AppTest) -> list[str]:
    """What the page offers to download beside the numbers of its charts."""
    names = [button.label.split(" (")[0] for button in app.get("download_button")]
    return [name for name in names if name != "CSV"]


def test_train_shows_who_waits_and_goes_on_with_what_was_stopped(homes, drawn, monkeypatch):
    """A training that waits can leave the queue, and one that was stopped can be gone on with."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    folder = model_folder("later")
    folder.path.mkdir(parents=True)
    config = TrainConfig(data=str(drawn), name="later", weights="none").to_json()
    write_json(folder.status, {"state": "queued", "config": config, "started": 1.0})
    app = healthy(alone("train").run())
    assert "Waits for the run before it" in words(app)
    for number in range(3):
        other = model_folder(f"before-{number}")
        other.path.mkdir()
        write_json(other.status, {"state": "queued", "config": config, "started": 0.5})
    app.selectbox(key="run").set_value("later").run()
    assert "Waits for 3 runs in the queue" in words(app)
    app.button(key="stop later").click().run()
    assert queue.find_run(folder).state == "stopped"
    app = healthy(watching("later"))
    app.button(key="resume later").click().run()
    status = json.loads(folder.status.read_text())
    assert (status["state"], status["resume"]) == ("queued", True)


def test_classify_with_several_uploads_answers_each_or_the_study(homes, make_model, drawn):
    """Each upload gets its own answer, joined views get one, and an unreadable file is named."""
    make_model("first")
    app = healthy(alone("classify").run())
    views = sorted(Path(drawn).rglob("*.png"))[:2]
    files = [(path.parent.name + path.name, path.read_bytes(), "image/png") for path in views]
    app.file_uploader(key="uploads").set_value(files).run()
    healthy(app)
    assert [metric.label for metric in app.metric] == ["Probability of abnormal"] * 2
    assert "Mean of" not in words(app)
    for name, *_ in files:  # which answer is whose
        assert f"**{escape_markdown(name)}**" in words(app)
    assert "sensitivity" in words(app)
    assert "no medical device" in words(app)
    assert re.search(r"abnormal: \d+\.\d%, mirrored \d+\.\d%\. Answer for this view: ", words(app))
    app.toggle(key="one study").set_value(True).run()
    assert len(healthy(app).metric) == 1
    assert "Mean of 2 views" in words(app)
    app.toggle(key="one study").set_value(False).run()
    app.file_uploader(key="uploads").set_value([*files, ("notes.txt", b"hello", "text/plain")]).run()
    assert not app.exception
    assert "notes.txt" in app.error[0].value
    assert len(app.metric) == 2


def test_downloaded_answers_are_those_shown(homes, make_model, drawn, monkeypatch):
    """The file has a row for each image, and for a study of several views one more."""
    make_model("first")
    saved = []
    monkeypatch.setattr("fracture.inference.report.as_csv", lambda lines: saved.append(lines) or "")
    views = sorted(Path(drawn).rglob("*.png"))[:2]
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([(path.name, path.read_bytes(), "image/png") for path in views]).run()
    assert [(line["kind"], line["study"]) for line in saved[-1]] == [("image", "study 1"), ("image", "study 2")]
    app.toggle(key="one study").set_value(True).run()
    assert [(line["kind"], line["study"]) for line in saved[-1]] == [("image", "study 1")] * 2 + [("study", "study 1")]


def test_classify_a_file_of_several_frames_asks_which_one(homes, make_model):
    """The first one, until another is chosen; the steps say which."""
    make_model("m")
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
    frames = np.stack([ramp, ramp.T])
    data = hostile_dicom(frames[0], NumberOfFrames=2, PixelData=frames.tobytes())
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("run.dcm", data, "application/dicom")]).run()
    chooser = healthy(app).number_input(key="frame of 0 run.dcm")
    assert (chooser.value, chooser.max) == (1, 2)
    assert "frame 1 of 2" in words(app)
    chooser.set_value(2).run()
    assert "frame 2 of 2" in words(healthy(app))


def test_classify_with_nothing_to_see_gives_no_answer(homes, make_model):
    """A black picture is named in one sentence, and no probability is shown."""
    make_model("m")
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("dark.png", as_png(np.zeros((64, 64), np.uint8)), "image/png")]).run()
    assert not app.exception
    assert len(app.error) == 1 and "dark.png must show something" in app.error[0].value
    assert not app.metric


def test_classify_inverts_a_negative_at_a_click(as_cloned):
    """The picture is then classified as its original is, and the steps say so."""
    arm = generate_sample(123456, views=1)[0].pixels
    app = healthy(alone("classify").run())
    app.file_uploader(key="uploads").set_value([("arm.png", as_png(arm), "image/png")]).run()
    expected = [metric.value for metric in healthy(app).metric]
    app.file_uploader(key="uploads").set_value([("arm.png", as_png(255 - arm), "image/png")]).run()
    app.button(key=keys_of(app.button, "invert study 1")[0]).click().run()
    assert [metric.value for metric in healthy(app).metric] == expected
    assert "inverted on request" in words(app) and not keys_of(app.button, "invert")


def test_classify_proposes_to_join_files_of_one_study(homes, make_model, drawn):
    """Two of three files name the same study: joined they get one answer, and separated again two."""
    make_model("m")
    images = [np.asarray(Image.open(path).convert("L")) for path in sorted(Path(drawn).rglob("*.png"))[:3]]
    studies = ["1.2.34567", "1.2.34567", "1.2.89"]
    files = [
        (f"{number}.dcm", hostile_dicom(pixels, StudyInstanceUID=study), "application/dicom")
        for number, (pixels, study) in enumerate(zip(images, studies, strict=True))
    ]
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value(files).run()
    assert len(healthy(app).metric) == 3
    assert "2 of 3 files say that they are views of one study" in words(app) and "1.2.34567" not in words(app)
    app.button(key="join studies").click().run()
    assert len(healthy(app).metric) == 2 and "Mean of 2 views" in words(app)
    app.button(key="join studies").click().run()
    assert len(healthy(app).metric) == 3


def test_classify_warns_of_text_in_a_picture(homes, make_model):
    """One line on privacy, for a file that says that it has some."""
    make_model("m")
    data = hostile_dicom(np.arange(4096, dtype=np.uint16).reshape(64, 64), BurnedInAnnotation="YES")
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("a.dcm", data, "application/dicom")]).run()
    assert "There seems to be text in the picture of a.dcm" in words(healthy(app))


def test_clear_all_removes_uploads_of_files_and_folders(homes, make_model, drawn):
    """Both are classified, and gone after one click; new uploads are possible."""
    make_model("m")
    one, two = ((path.name, path.read_bytes(), "image/png") for path in sorted(Path(drawn).rglob("*.png"))[:2])
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([one])
    app.file_uploader(key="uploaded folder").set_value([two]).run()
    assert len(healthy(app).metric) == 2
    app.button(key="clear uploads").click().run()
    assert not healthy(app).metric
    app.file_uploader(key="uploads 1").set_value([two]).run()
    assert len(healthy(app).metric) == 1


def test_uploads_after_a_visit_to_another_page_stay(homes, make_model, drawn):
    """Uploads are classified again after a visit to another page, until they are removed."""
    make_model("first")
    picture = next(Path(drawn).rglob("*.png")).read_bytes()
    app = routed("classify").run()
    app.file_uploader(key="uploads").set_value([("arm.png", picture, "image/png")]).run()
    answered = [metric.value for metric in healthy(app).metric]
    assert answered
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/classify.py").run()
    assert [metric.value for metric in healthy(app).metric] == answered and "**Uploaded earlier:** arm.png" in words(
        app
    )
    app.button(key="remove uploads").click().run()
    assert not healthy(app).metric


def test_classify_with_one_limit_states_it_once(homes, make_model, drawn):
    """Where the operating points of a very good model cross, one threshold separates the answers."""
    card = make_model("first").card
    points = {"balanced": 0.3, "high_sensitivity": 0.466, "high_specificity": 0.188}
    write_json(card, {**json.loads(card.read_text()), "thresholds": points})
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("a.png", next(Path(drawn).rglob("*.png")).read_bytes(), "image/png")])
    said = words(healthy(app.run()))
    assert "From 30.0% (balanced) the answer is *abnormal*, below it *normal*: on each validation image" in said
    assert "does not exclude" not in said and "46.6%" not in said


def test_classify_without_predictions_still_answers(homes, make_model, drawn):
    """A model without its predictions file answers, and the page says which metrics are not known."""
    make_model("first").predictions.unlink()
    app = alone("classify").run()
    picture = next(Path(drawn).rglob("*.png"))
    app.file_uploader(key="uploads").set_value([("_a*b_.png", picture.read_bytes(), "image/png")]).run()
    assert len(healthy(app).metric) == 1
    assert "sensitivity and specificity are not known" in words(app)


def test_classify_as_cloned_answers_without_training(as_cloned):
    """The bundled model answers in a fresh clone."""
    app = healthy(alone("classify").run())
    app.selectbox(key="model").set_value("fracatlas").run()
    app.file_uploader(key="uploads").set_value([("leg.dcm", dicom(LEGS[0]), "application/dicom")]).run()
    assert "Probability of fractured" in [metric.label for metric in healthy(app).metric]
    assert "out of distribution" not in words(app)


def test_classify_as_cloned_says_what_is_unusual_about_an_x_ray_that_it_answers(as_cloned):
    """An inverted one looks right to the models, and may be answered wrongly."""
    arm = generate_sample(123456, views=1)[0].pixels
    app = healthy(alone("classify").run())
    app.file_uploader(key="uploads").set_value([("arm.png", as_png(arm), "image/png")]).run()
    assert "Unusual" not in words(healthy(app))
    app.file_uploader(key="uploads").set_value([("arm.png", as_png(255 - arm), "image/png")]).run()
    assert "bright up to its edges, as inverted X-rays are" in words(healthy(app)) and app.metric


def test_classify_as_cloned_gives_no_answer_for_a_photograph(as_cloned):
    """Whichever model is chosen: no figure, and nothing to click."""
    photograph = next(picture for picture in pictures() if picture.kind == "photograph")
    app = healthy(alone("classify").run())
    app.file_uploader(key="uploads").set_value([("me.png", as_png(photograph.pixels), "image/png")]).run()
    for model in ("automatic", "mura-humerus"):
        app.selectbox(key="model").set_value(model).run()
        assert "does not look like an X-ray" in words(healthy(app))
        assert not app.metric and not keys_of(app.toggle, "answer unlike")


def test_classify_as_cloned_asks_each_model_and_says_why(as_cloned):
    """Automatic is the default: it names the model that answers, and how far the X-ray is from each one's images."""
    arm = as_png(generate_sample(123456)[0].pixels)
    app = healthy(alone("classify").run())
    assert app.selectbox(key="model").value == "automatic"
    app.file_uploader(key="uploads").set_value([("arm.png", arm, "image/png")]).run()
    said = words(healthy(app))
    assert re.search(r"\*\*(fracatlas|mura\\-humerus)\*\* knows this X-ray best\.", said)
    assert re.search(r"limit: fracatlas \d\.\d\d, mura\\-humerus \d\.\d\d", said)
    assert len(app.metric) == 1
    app.selectbox(key="model").set_value("mura-humerus").run()
    assert "knows this X-ray best" not in words(healthy(app))


def test_classify_names_the_model_that_sees_other_body_parts(as_cloned):
    """A lower leg that lies closer to the humerus model's images, which its domain head tells to be of other parts."""
    leg = next(each for each in sample_radiographs.sample_radiographs() if each.name == sample_radiographs.FIRST)
    app = healthy(alone("classify").run())
    app.file_uploader(key="uploads").set_value([("leg.jpg", leg.path.read_bytes(), "image/jpeg")]).run()
    assert r"**fracatlas** answers: mura\-humerus recognizes this X-ray as one of other body parts" in words(
        healthy(app)
    )


def test_classify_where_two_models_are_equally_close_shows_both_answers(as_cloned):
    """A lower leg: each model answers in its own words, and one file has both answers."""
    app = healthy(alone("classify").run())
    app.file_uploader(key="uploads").set_value([("leg.dcm", dicom(LEGS[0]), "application/dicom")]).run()
    assert "about equally well: both answer" in words(healthy(app))
    assert {metric.label for metric in app.metric} == {"Probability of fractured", "Probability of abnormal"}
    assert {heading.value for heading in app.header} == {"fracatlas", r"mura\-humerus"}


def test_classify_marks_candidate_regions_where_the_answer_is_not_negative(as_cloned):
    """Solid and dashed boxes have their probabilities below the view; a negative view or hidden heat map has none."""
    positive = next(
        each for each in sample_radiographs.sample_radiographs() if each.name == sample_radiographs.FIRST
    ).path.read_bytes()
    negative = as_png(generate_sample(123456)[0].pixels)
    app = healthy(alone("classify").run())
    app.selectbox(key="model").set_value("fracatlas").run()
    app.file_uploader(key="uploads").set_value([("leg.jpg", positive, "image/jpeg")]).run()
    marks = r"Candidate regions, with the probability that each is \*fractured\*: solid \d+%"
    assert re.search(marks, words(healthy(app)))
    assert "true boxes with" in words(app) and "The ring marks" not in words(app)
    app.slider(key="opacity").set_value(0.0).run()
    assert "Candidate regions, with" not in words(healthy(app))
    app.slider(key="opacity").set_value(0.4).run()
    app.file_uploader(key="uploads").set_value([("arm.png", negative, "image/png")]).run()
    assert "Candidate regions, with" not in words(healthy(app))


def test_classify_with_a_deleted_model_shows_a_warning(homes, make_model):
    """The page says that the chosen model is gone and which one it uses instead."""
    make_model("other")
    app = alone("classify")
    app.session_state["chosen model"] = "gone"
    assert "There is no model gone any more; this is other" in words(app.run())


PROBE = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
if len(sys.argv) > 2:
    app.file_uploader(key="uploads").set_value([("a.png", open(sys.argv[2], "rb").read(), "image/png")]).run()
    assert app.metric, "there must be an answer"
assert not app.exception, app.exception
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_with_everything_does_not_load_tensorflow(home_with_data, make_model, page):
    """Each page, with a model, a data set and on Classify an answer, works without TensorFlow."""
    make_model("first")
    picture = next(Path(home_with_data).rglob("*.png"))
    arguments = [str(PROJECT / "pages" / f"{page}.py"), *([str(picture)] if page == "classify" else [])]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, cwd=PROJECT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")


def test_weights_for_heads_only_are_not_offered_for_blocks(home_with_data):
    """What trains without TensorFlow is a choice for the head alone."""
    app = healthy(alone("train").run())
    assert "bundled-8bit" in app.selectbox(key="weights").options
    app.session_state["preset"] = "fine-tune"
    assert "bundled-8bit" not in healthy(app.run()).selectbox(key="weights").options
