"""Synthetic radiographs in the app: drawn, followed, looked at, and put to a model."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fracture.data.dataset import scan
from fracture.imaging.annotations import parse_boxes
from fracture.jobs import process
from fracture.phantoms.generate import write
from fracture.phantoms.job import find_phantom_job
from fracture.phantoms.plan import Plan
from fracture.phantoms.samples import generate_sample, sample_numbers
from tests.pages.test_pages import alone, choose_sample, healthy, words
from tests.pages.test_viewer import viewers
from tests.support.waiting import wait
from tests.support.widgets import by_key, header_counts, open_tab

PLAN = Plan(patients=3, seed=2)


@pytest.fixture(scope="module")
def drawn_phantoms(tmp_path_factory) -> Path:
    """Three patients: read them only."""
    root = tmp_path_factory.mktemp("phantoms") / "phantoms-1"
    write(root, PLAN)
    return root


@pytest.fixture
def root(homes, drawn_phantoms) -> Path:
    """The same three patients in the data folder, complete; :func:`stand` makes them something else."""
    return Path(shutil.copytree(drawn_phantoms, homes / "data" / "phantoms-1"))


def stand(root: Path, **values: object) -> None:
    """Change what phantom.json says of the process."""
    status = json.loads((root / "phantom.json").read_text())
    (root / "phantom.json").write_text(json.dumps({**status, **values}))


def at_work(root: Path) -> None:
    stand(root, done=1, seconds_left=30.2, ended=False, **process.identity())


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


@pytest.mark.slow
def test_form_on_the_empty_page_generates_and_selects_phantoms(homes):
    """The form starts a process and selects its data set, which is complete in the end."""
    app = healthy(alone("data").run())
    app.number_input(key="phantom patients").set_value(2)
    app.slider(key="phantom hardware_share").set_value(0.6).run()
    healthy(press(app, "generate phantoms"))
    root = homes / "data" / "phantoms-1"
    assert app.selectbox(key="data").value == str(root)
    assert find_phantom_job(root).plan == Plan(2, 1, hardware_share=0.6)
    state = wait(lambda: (found := find_phantom_job(root)).state == "complete" and found)
    assert header_counts(app.run())[0] == state.images
    origin = "Synthetic: 2 patients, seed 1, difficulty 0.2, hardware share 60%"
    assert origin in words(healthy(open_tab(app, "Statistics")))


@pytest.mark.slow
@pytest.mark.parametrize("working", [True, False])
def test_form_with_a_known_plan_shares_its_data_set(root, working):
    """Phantoms that another visitor generates or has generated are selected; only another seed starts a job."""
    if working:
        at_work(root)
    app = healthy(alone("data").run())
    press(app, "phantom dialog")
    app.number_input(key="phantom patients").set_value(3)
    app.number_input(key="phantom seed").set_value(2)
    healthy(press(app, "generate phantoms"))
    assert app.selectbox(key="data").value == str(root)
    assert [path.name for path in root.parent.iterdir()] == ["phantoms-1"]
    press(app, "phantom dialog")
    app.number_input(key="phantom seed").set_value(3)
    press(app, "generate phantoms")
    assert bool(app.error) == working
    other = root.parent / "phantoms-2"
    assert other.exists() != working
    if not working:
        wait(lambda: find_phantom_job(other).state == "complete")


def test_phantoms_just_generated_are_shown_by_their_images(root, homes):
    """Whatever tab was open before."""
    shutil.copytree(root, homes / "data" / "before")
    app = healthy(open_tab(alone("data"), "Statistics"))
    press(app, "phantom dialog")
    app.number_input(key="phantom patients").set_value(PLAN.patients)
    app.number_input(key="phantom seed").set_value(PLAN.seed)
    healthy(press(app, "generate phantoms"))
    assert app.session_state["data set tab"] == "Images"


def test_form_in_a_read_only_folder_shows_a_sentence(homes, monkeypatch):
    """The form says why it could not generate anything."""
    (homes / "file").write_text("")
    monkeypatch.setenv("FRACTURE_DATA", str(homes / "file" / "data"))
    app = press(alone("data").run(), "generate phantoms")
    assert not app.exception
    assert "cannot be written to" in app.error[0].value


def test_page_of_a_running_job_follows_it(root):
    """The page shows the progress and the present images, and offers to show later ones."""
    at_work(root)
    app = healthy(alone("data").run())
    images = find_phantom_job(root).images
    assert [bar.proto.text for bar in app.get("progress")] == ["Generating: 1 of 3 patients, about 30 s left"]
    assert header_counts(app)[0] == images
    assert app.button(key="show new").disabled
    stand(root, images=images + 5)
    assert not app.run().button(key="show new").disabled
    assert app.button(key="show new").label == "Show 5 new images"
    assert header_counts(app)[0] == images
    app.button(key="job stop").click().run()
    assert (root / ".phantom.stop").exists()


def test_job_that_ends_leaves_its_words_until_they_are_closed(root):
    """In the place of the progress stands what was generated; a visitor who comes later is told nothing."""
    at_work(root)
    app = healthy(alone("data").run())
    stand(root, done=3, ended=True)
    assert "images were generated. Synthetic: 3 patients" in words(healthy(app.run()))
    assert "were generated" not in words(healthy(press(app, "job close")))
    assert "were generated" not in words(healthy(alone("data").run()))


def test_page_before_the_first_image_waits(root):
    """The page says that the first images are being generated, rather than that the folder is empty."""
    for patient in root.glob("*/XR_HUMERUS/*"):
        shutil.rmtree(patient)
    stand(root, done=0, images=0, seconds_left=None, ended=False, **process.identity())
    for page in ("data", "train"):
        assert "The first images are being generated" in words(healthy(alone(page).run()))


def test_filter_after_new_images_keeps_its_choice(root):
    """A filter keeps its choice when the page shows new images."""
    at_work(root)
    app = healthy(alone("data").run())
    app.multiselect(key=f"label of {root}").set_value([1]).run()
    before = next(caption.value for caption in app.caption if caption.value.endswith(" images"))
    stand(root, done=3, ended=True)
    healthy(app.run())
    assert app.multiselect(key=f"label of {root}").value == [1]
    assert next(caption.value for caption in app.caption if caption.value.endswith(" images")) == before


@pytest.mark.slow
def test_resume_of_interrupted_phantoms_generates_the_rest(root):
    """The page says how much is missing, and a click resumes the job."""
    for folder in root.glob("train/*/patient00001/study*"):
        shutil.rmtree(folder)
    stand(root, done=2, pid=2**22, ended=False)
    app = healthy(alone("data").run())
    assert "2 of 3 patients are generated" in words(app)
    app.button(key="job resume").click().run()
    assert not app.exception
    wait(lambda: find_phantom_job(root).state == "complete")
    assert any(root.glob("train/*/patient00001/study*/image1.png"))


def test_start_while_phantoms_are_generated_is_disabled(root):
    """The form cannot be sent while images are missing, and can be afterwards."""
    at_work(root)
    app = healthy(alone("train").run())
    assert app.button(key="start 0").disabled
    stand(root, done=3, ended=True)
    assert not app.run().button(key="start 0").disabled


@pytest.mark.slow
def test_study_of_a_phantom_hides_its_truth_until_asked(root):
    """A phantom is marked as synthetic, and its truth is hidden until a click, and again in the next study."""
    app = healthy(alone("data").run())
    assert "drawing was" not in words(app)
    press(app, next(each.key for each in app.button if str(each.key).startswith("open ")))
    assert "**Origin** synthetic" in words(healthy(app))
    truths = {"Nothing abnormal", "displaced", "nail", "plate"}
    assert not any(truth in markdown.value for markdown in app.markdown for truth in truths)
    assert viewers(app)[0][0]["boxes"] == []
    app.button(key="reveal").click().run()
    assert any(truth in markdown.value for markdown in healthy(app).markdown for truth in truths)
    shown = scan(root).table.set_index("image_id").loc[app.session_state["viewed"], "boxes"]
    assert viewers(app)[0][0]["boxes"] == [list(box) for box in parse_boxes(shown)]
    app.button(key="next study").click().run()
    assert not any(truth in markdown.value for markdown in healthy(app).markdown for truth in truths)


@pytest.mark.slow
def test_sample_is_classified_until_cleared(homes, make_model, drawn):
    """A sample is classified by all views, its truth shown on request; an upload takes its place."""
    make_model("first").familiarity.unlink()  # it has seen bars, and would take an arm for no X-ray
    app = healthy(alone("classify").run())
    assert not app.metric
    choose_sample(app, "123456")
    views = generate_sample(123456)
    assert [metric.label for metric in healthy(app).metric] == ["Probability of abnormal"]
    assert f"Mean of {len(views)} views" in words(app)
    truth = f"**Truth:** {views[0].truth.words}."
    assert truth not in words(app)
    app.toggle(key="truth of 123456").set_value(True).run()
    assert truth in words(healthy(app))
    picture = next(Path(drawn).rglob("*.png"))
    app.file_uploader(key="uploads").set_value([("mine.png", picture.read_bytes(), "image/png")]).run()
    assert "**Synthetic" not in words(healthy(app))
    assert len(app.metric) == 1
    choose_sample(app, "123457")
    assert "**Synthetic B**" in words(app)
    press(app, "clear sample")
    assert "**Synthetic" not in words(healthy(app))
    assert len(app.metric) == 1


def test_sample_out_of_distribution_gets_no_answer(homes, make_model):
    """A model that was trained on bars gives no answer for a synthetic arm."""
    make_model("first")
    app = healthy(alone("classify").run())
    choose_sample(app, "123456")
    assert not healthy(app).metric
    assert "out of distribution" in words(app)


def test_sample_out_of_distribution_is_answered_after_one_click(homes, make_model):
    """The answer is marked as not validated, and goes again by a second click."""
    make_model("first")
    app = healthy(alone("classify").run())
    choose_sample(app, "123456")
    anyway = by_key(app.toggle, "answer unlike")
    anyway.set_value(True).run()
    assert [metric.label for metric in healthy(app).metric] == ["Probability of abnormal"]
    assert "not validated for such images" in words(app)
    by_key(app.toggle, "answer unlike").set_value(False).run()
    assert not healthy(app).metric


@pytest.mark.slow
def test_samples_of_one_row_show_both_kinds():
    """Half of the samples are abnormal, hardware is in one of six, and a number always gives the same study."""
    numbers = sample_numbers()
    assert len(set(numbers)) == 6
    studies = [generate_sample(number) for number in numbers]
    truths = [views[0].truth for views in studies]
    assert sum(truth.abnormal for truth in truths) == 3
    assert sum(bool(truth.fracture) and not truth.hardware for truth in truths) == 2
    assert sum(bool(truth.hardware) for truth in truths) == 1
    assert (generate_sample(numbers[0])[0].pixels == studies[0][0].pixels).all()


def test_upload_of_a_phantom_is_marked_synthetic(root, make_model):
    """An uploaded phantom is marked as synthetic, whatever its name."""
    make_model("first")
    app = alone("classify").run()
    phantom = next(root.rglob("image1.png"))
    app.file_uploader(key="uploads").set_value([("renamed.png", phantom.read_bytes(), "image/png")]).run()
    caption = healthy(app).get("image")[0].captions[0]
    assert caption.startswith("renamed.png")
    assert caption.endswith("· synthetic")
