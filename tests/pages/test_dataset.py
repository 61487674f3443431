"""The page of a data set: browsing, findings, decisions, imports, export."""

import json
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.dataset import checks
from fracture.app.dataset.browse import classify as browse_classify
from fracture.cli.main import main
from fracture.data.checks import check
from fracture.data.dataset import scan
from fracture.data.decisions import decided
from fracture.data.measurements import measure
from fracture.files import write_json
from fracture.imaging.radiograph import load
from fracture.importers import job
from fracture.importers.download import Progress
from fracture.importers.job import Import, Order
from fracture.jobs.process import identity
from fracture.registry.model_folder import model_folder, read_card, read_predictions
from tests.pages.test_pages import alone, healthy, routed, words
from tests.pages.test_viewer import viewers
from tests.support.drawing import draw_mura
from tests.support.widgets import header_counts, keys_of, open_tab


@pytest.fixture
def data(homes):
    """A data set in the data home, in which one training image lies among the validation images again."""
    root = draw_mura(homes / "data" / "MURA-v1.1")
    twin = next((root / "valid").rglob("study1_negative"))
    shutil.copy(next((root / "train").rglob("study1_negative/*.png")), twin / "image9.png")
    return root


def said(app):
    """The page's words without the signs that keep them from being taken for formatting."""
    return words(app).replace("\\", "")


def button(app, key):
    return app.button(key=key)


def seen(app):
    """How many images pass the filters, and of how many."""
    line = next(caption.value for caption in app.caption if caption.value.endswith(" images"))
    shown, _, total, _ = line.replace(",", "").split()
    return int(shown), int(total)


def chips(app, data):
    """The findings that can be chosen."""
    return app.button_group(key=f"findings of {data}")


def images(app):
    """The images in the gallery."""
    return [each.key.removeprefix("open ") for each in app.button if str(each.key).startswith("open ")]


@pytest.mark.slow
def test_page_with_filters_counts_the_images_that_pass(data):
    """The page shows counts and charts, and says how many images pass the filters, or that none does."""
    app = healthy(alone("data").run())
    shown, total = seen(app)
    assert shown == total == header_counts(app)[0] == len(scan(data).table)
    assert not app.get("plotly_chart")
    app.multiselect(key=f"label of {data}").set_value([1]).run()
    assert 0 < seen(app)[0] < total
    app.text_input(key=f"text of {data}").set_value("no such patient").run()
    assert "No image passes these filters" in words(healthy(app))


@pytest.mark.slow
def test_gallery_sorted_by_brightness_begins_with_the_darkest(data):
    """The gallery begins in reading order; once the images are analyzed it can be sorted by brightness."""
    app = healthy(alone("data").run())
    assert images(app) == sorted(images(app), key=lambda name: name.split("patient")[1])
    app.selectbox(key=f"order of {data}").set_value("Darkest first").run()
    mean = measure(scan(data).table).set_index("image_id")["mean"]
    assert list(mean[images(healthy(app))]) == sorted(mean)[: len(images(app))]


@pytest.mark.slow
def test_checks_after_the_analysis_count_the_findings(data, monkeypatch):
    """The tab of the checks counts the findings, and stays open when an analysis adds some."""
    # So that images are checked only when asked for.
    monkeypatch.setattr("fracture.app.dataset.checks.MAX_ANALYZED_UNASKED", 0)
    app = healthy(open_tab(alone("data"), "Checks"))
    assert "images not analyzed yet" in words(app) and not keys_of(app.button, "show copies")
    button(app, "analyze images").click().run()
    assert "findings**" in words(healthy(app)) and "not analyzed yet" not in words(app)
    assert keys_of(app.button, "show copies")


@pytest.mark.slow
def test_statistics_draw_their_charts_only_when_open(data):
    """The charts are drawn in their tab alone, and the gallery only in its own."""
    app = healthy(open_tab(alone("data"), "Statistics"))
    assert len(app.get("plotly_chart")) == 5 and not images(app)
    assert not open_tab(app, "Images").get("plotly_chart") and images(app)


@pytest.mark.slow
def test_finding_when_shown_filters_the_gallery(data):
    """A finding's button shows exactly its images in the gallery, and another button shows all again."""
    app = healthy(open_tab(alone("data"), "Checks"))
    finding = next(problem for problem in check(scan(data)) if problem.kind == "copies")
    assert finding.message in said(app) and finding.why in said(app)
    button(app, "show copies").click().run()
    assert sorted(images(healthy(app))) == sorted(finding.images)
    assert chips(app, data).value == "copies"
    button(app, "clear finding").click().run()
    assert seen(app)[0] == seen(app)[1]


@pytest.mark.slow
def test_chip_filters_the_gallery_and_a_second_click_clears_it(data):
    """A chip with a count shows exactly the images of its finding, also after another tab was open."""
    app = healthy(alone("data").run())
    finding = next(problem for problem in check(scan(data)) if problem.kind == "copies")
    assert f"{len(finding.images)} copies in both splits" in chips(app, data).options
    chips(app, data).set_value("copies").run()
    assert sorted(images(healthy(app))) == sorted(finding.images)
    open_tab(app, "Statistics")
    assert sorted(images(open_tab(app, "Images"))) == sorted(finding.images)
    chips(app, data).set_value(None).run()
    assert seen(app)[0] == seen(app)[1]


def test_gallery_leads_to_the_search_for_doubtful_labels(data):
    """A click beside the findings opens the checks, where a model can be asked."""
    app = healthy(alone("data").run())
    button(app, "to label issues").click().run()
    assert app.session_state["data set tab"] == "Checks" and "findings**" in words(healthy(app))


def test_doubtful_labels_are_found_at_one_click(data, make_model):
    """The button beside the findings opens the checks and finds them; what was found stays."""
    make_model("first")
    app = healthy(alone("data").run())
    button(app, "to label issues").click().run()
    found = "By the features of *first*, no label is doubtful."
    assert (found in said(healthy(app))) != ("may be wrong: with the features of model 'first'" in said(app))
    before = said(app)
    assert said(healthy(app.run())) == before


def test_doubtful_labels_are_found_by_a_model_of_the_same_labels(data, make_model):
    """Such a model is proposed before the default one; of one with other labels, the page says what it is asked for."""
    make_model("fitting")
    other = make_model("other").card
    write_json(other, {**json.loads(other.read_text()), "labels": ["not fractured", "fractured"]})
    labels = scan(data).label_names
    app = healthy(open_tab(alone("data"), "Checks"))
    assert app.selectbox(key="model").value == "fitting" and "Only its features count" not in words(app)
    app.selectbox(key="model").set_value("other").run()
    expected = (
        f"This model answers *not fractured* or *fractured*; the images are labeled *{labels[0]}* or *{labels[1]}*."
    )
    assert expected in said(healthy(app))


@pytest.mark.slow
def test_study_hides_its_label_until_asked(data):
    """A study names neither its label nor a path with it; a click reveals both, for this study alone."""
    app = healthy(alone("data").run())
    button(app, f"open {images(app)[0]}").click().run()
    assert "**Label**" not in words(app) and "**Study**" not in words(app)
    assert not {"positive", "negative"} & set(viewers(app)[0][0]["name"].replace("/", "_").split("_"))
    button(app, "reveal").click().run()
    assert "**Label**" in words(healthy(app)) and "**Study**" in words(app)
    button(app, "next study").click().run()
    assert "**Label**" not in words(healthy(app))


@pytest.mark.slow
def test_tile_leads_its_image_to_classify(data):
    """A click hands the file of the image to Classify, under a name without its folders, in place of other uploads."""
    app = healthy(routed("data").run())
    first = images(app)[0]
    button(app, f"classify {first}").click().run()
    path = Path(scan(data).table.set_index("image_id").loc[first, "path"])
    (upload,) = app.session_state["kept uploads"]
    assert (upload.name, upload.data) == (path.name, path.read_bytes())
    assert app.session_state["page"] == "classify"


def test_file_that_is_gone_is_not_classified(data):
    """An image whose file was deleted since is one sentence, and the page stays."""
    app = healthy(alone("data").run())
    first = images(app)[0]
    Path(scan(data).table.set_index("image_id").loc[first, "path"]).unlink()
    button(app, f"classify {first}").click().run()
    assert not app.exception and "cannot be opened" in words(app)
    assert "kept uploads" not in app.session_state


@pytest.mark.slow
def test_study_when_opened_shows_details_and_navigation(data):
    """An open study shows the details of the view, the image in the viewer, and buttons to its neighbors."""
    app = healthy(alone("data").run())
    first = images(app)[0]
    button(app, f"open {first}").click().run()
    assert "**Split** train" in said(healthy(app)) and first.split("/")[2] in said(app)
    [(head, pixels)] = viewers(app)
    assert (head["window"], head["changing"]) == ([128, 256], False)
    assert (pixels == load(Path(scan(data).table.set_index("image_id").loc[first, "path"])).pixels).all()
    assert button(app, "previous view").disabled and not button(app, "next view").disabled


@pytest.mark.slow
def test_selected_images_when_excluded_can_be_restored_by_undo(data):
    """A decision about the selected images is stored with its reason, marked in the gallery, and undone by a click."""
    app = healthy(alone("data").run())
    chosen = images(app)[:2]
    for name in chosen:
        next(box for box in app.checkbox if box.key.endswith(name)).check().run()
    assert "**2 selected**" in words(app)
    app.text_input(key="reason selected").set_value("a cast hides the bone")
    button(app, "exclude selected").click().run()
    held = decided(data)
    assert sorted(held.index) == sorted(chosen) and set(held["decision"]) == {"exclude"}
    assert set(held["reason"]) == {"a cast hides the bone"}
    assert ":gray-badge[excluded]" in words(healthy(app)) and "**0 selected**" in words(app)
    assert "Decisions: 2" in words(open_tab(app, "Decisions and export"))
    button(open_tab(app, "Images"), "undo").click().run()
    assert decided(data).empty and ":gray-badge" not in words(healthy(app))


@pytest.mark.slow
def test_study_when_relabeled_changes_all_its_views(data):
    """The dialog of a study relabels all its views with one click."""
    app = healthy(alone("data").run())
    table = scan(data).table
    views = table.loc[table["study"] == table["study"].value_counts().index[0], "image_id"]
    button(app, f"open {views.iloc[0]}").click().run()
    study = table["study"].value_counts().index[0]
    app.text_input(key=f"reason study {study}").set_value("a plate")
    button(app, f"positive study {study}").click().run()
    held = decided(data)
    assert held["decision"].to_dict() == dict.fromkeys(views, "positive") and set(held["reason"]) == {"a plate"}


def test_study_hidden_by_a_new_filter_still_opens(data):
    """A study opens although the browser sends a filter that hides it together with the click."""
    app = healthy(alone("data").run())
    app.text_input(key=f"text of {data}").set_value("nothing is called this")
    button(app, f"open {images(app)[0]}").click().run()
    assert "**Patient**" in words(healthy(app)) and not images(app)


def test_gallery_when_decisions_get_damaged_shows_a_sentence(data):
    """Decisions that were damaged meanwhile are an error in the gallery, also when only its fragment runs."""
    app = healthy(alone("data").run())
    (data / "curation.csv").write_text("time,image_id,decision,reason\n2026-01-01,x.png,delete,\n")
    button(app, "select page").click().run()
    assert not app.exception and "line 2" in words(app)


@pytest.mark.slow
def test_decision_in_a_read_only_folder_shows_a_sentence(data, monkeypatch):
    """Where the folder cannot be written to, the page says so and keeps the selection."""
    from fracture.data import decisions

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    app = healthy(alone("data").run())
    button(app, "select all").click().run()
    monkeypatch.setattr(decisions, "atomic_write", refuse)
    button(app, "exclude selected").click().run()
    assert not app.exception and "cannot be written: Read-only file system" in said(app)
    assert "**0 selected**" not in words(app)


def test_page_with_damaged_decisions_shows_a_sentence(data):
    """A damaged file of decisions is an error that names the line."""
    (data / "curation.csv").write_text("time,image_id,decision,reason\n2026-01-01,x.png,delete,\n")
    app = alone("data").run()
    assert not app.exception and "line 2" in words(app)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["Copies", "One zip"])
def test_export_in_each_format_writes_all_images(data, homes, way):
    """An export writes the images after decisions as class folders, or as a zip file of them."""
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    app.selectbox(key="export format").set_value(way).run()
    button(app, "export").click().run()
    assert not app.exception and "Exported" in "".join(each.value for each in app.success)
    if way == "Copies":
        assert len(scan(homes / "data" / "MURA-v1.1-prep-1").table) == len(scan(data).table)
    else:
        with zipfile.ZipFile(homes / "data" / "MURA-v1.1-prep-1.zip") as archive:
            assert len(archive.namelist()) == len(scan(data).table)


@pytest.mark.slow
def test_export_to_a_typed_target_goes_there(data, homes):
    """A typed target is used after an earlier export, too; a name without a folder lies in the data home."""
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    button(app, "export").click().run()
    for typed, found in (("mine", "mine"), (str(homes / "elsewhere"), "../elsewhere")):
        app.text_input(key=f"export to {data}").set_value(typed)
        button(app, "export").click().run()
        assert len(scan(homes / "data" / found).table) == len(scan(data).table)
    app.text_input(key=f"export to {data}").set_value(" ")
    button(app, "export").click().run()
    assert not app.exception and "Received: no name" in said(app)


@pytest.mark.slow
def test_zip_on_this_machine_is_unpacked_and_selected(homes, drawn, tmp_path):
    """A zip file that is given by its path is unpacked, and its data set is selected."""
    shutil.make_archive(str(tmp_path / "mine"), "zip", drawn.parent, drawn.name)
    app = healthy(open_tab(alone("data"), "Checks"))
    app.text_input(key="zip path 0").set_value(str(tmp_path / "mine.zip")).run()
    button(app, "unpack").click().run()
    app.run()
    assert app.session_state["data set tab"] == "Images"
    assert seen(healthy(app))[1] == len(scan(drawn).table)
    assert app.selectbox(key="data").value == str(homes / "data" / "mine")


def test_second_zip_of_the_same_name_gets_another_folder(homes, drawn, tmp_path):
    """A second zip file of the same name is unpacked into another folder."""
    shutil.make_archive(str(tmp_path / "mine"), "zip", drawn.parent, drawn.name)

    def form():
        from fracture.app.dataset.import_dialog import import_form

        import_form()

    app = AppTest.from_function(form, default_timeout=60).run()
    for unpacked in range(2):
        app.text_input(key=f"zip path {unpacked}").set_value(str(tmp_path / "mine.zip")).run()
        button(app, "unpack").click().run()
        app.run()
    assert app.session_state["new data"] == str(homes / "data" / "mine-1")


def test_file_that_is_no_zip_is_refused(homes, tmp_path):
    """A file that is no zip is an error, and leaves nothing behind."""
    (tmp_path / "mine.zip").write_text("no zip")
    app = healthy(alone("data").run())
    app.text_input(key="zip path 0").set_value(str(tmp_path / "mine.zip")).run()
    button(app, "unpack").click().run()
    assert not app.exception and "is no zip, or a damaged one" in words(app)
    assert not list((homes / "data").glob("[!.]*"))


def stand(root, order, progress, **status):
    """Write ``import.json`` as the process of an import does."""
    root.mkdir(parents=True, exist_ok=True)
    job.IMPORT.write(root, job.ImportStatus.of(order, progress, **status))


def test_import_with_a_typed_token_passes_it_to_its_process_only(homes, monkeypatch):
    """A typed token reaches only the process of the import, which the page follows; Resume passes it again."""
    started = []

    def start(root, order, variables, visitor):
        started.append((root, order, variables))
        stand(root, order, Progress(12, 1560, 10**6, None, 75.0), **identity())

    monkeypatch.setattr(job, "start", start)
    app = healthy(open_tab(alone("data"), "Checks"))
    app.text_input(key="kaggle token").set_value("KGAT_typed")
    button(app, "import mura").click().run()
    assert app.session_state["data set tab"] == "Images"
    root, order, variables = started[0]
    assert order.choices["body_part"] == "XR_HUMERUS" and list(variables.values()) == ["KGAT_typed"]
    assert not any("KGAT_typed" in text for text in [*map(str, root.rglob("*")), str(order), words(app)])
    assert "when the import is complete" in words(healthy(app))
    stand(root, order, Progress(12, 1560), error="Kaggle does not answer.", ended=True)
    app.run()
    assert "12 of 1,560 files are imported" in said(app) and "Kaggle does not answer" in said(app)
    button(app, "job resume").click().run()
    assert [list(each[2].values()) for each in started] == [["KGAT_typed"]] * 2


OPENERS = {"import dialog": "kaggle part", "phantom dialog": "phantom patients"}
"""The button of each form that opens as a dialog, and a field in it."""


def has(app, key):
    """Whether a field with this key is on the page or in its dialog."""
    return key in {each.key for each in (*app.selectbox, *app.number_input)}


@pytest.mark.slow
@pytest.mark.parametrize("opener", OPENERS)
def test_dialog_when_the_page_runs_again_stays_open(data, homes, opener):
    """A dialog that is opened before the images are analyzed outlives the run after the analysis."""
    other = draw_mura(homes / "data" / "other", seed=1)
    app = healthy(alone("data").run())
    assert not has(app, OPENERS[opener])
    app.selectbox(key="data").set_value(str(other))
    button(app, opener).click().run()  # one run checks the images of the other data set, and then starts anew
    assert has(healthy(app), OPENERS[opener])
    assert has(healthy(app.run()), OPENERS[opener])


@pytest.mark.slow
def test_dialog_when_another_page_opens_closes(data):
    """A dialog does not open again when the visitor comes back to the page."""
    app = routed("data").run()
    button(app, "import dialog").click().run()
    assert has(healthy(app), "kaggle part")
    app.switch_page("pages/train.py").run()
    app.switch_page("pages/data.py").run()
    assert not has(healthy(app), "kaggle part")


def test_page_with_an_open_dialog_does_not_run_by_itself(homes):
    """The end of an import does not run the page while a dialog is open, since that would blank the dialog."""
    root, order = homes / "data" / "MURA-v1.1", Order("kaggle", {})
    stand(root, order, Progress(), complete=True, ended=True)

    def page():
        import streamlit as st

        from fracture.app.shared import dialogs, job_status

        st.session_state["runs"] += 1
        if st.session_state["runs"] == 1:
            dialogs.open_dialog("import")
        if st.session_state["runs"] < 3:
            job_status._live(st.session_state["before"], browsing=True)

    app = AppTest.from_function(page)
    app.session_state["runs"], app.session_state["before"] = 0, Import(root, order, working=True)
    assert "The import is complete" in said(app.run()) and app.session_state["runs"] == 1
    del app.session_state["open dialog"]
    assert app.run().session_state["runs"] == 3


@pytest.mark.slow
def test_images_behind_a_dialog_are_analyzed_when_it_closes(data):
    """The analysis of the images waits until a dialog that was opened meanwhile is closed."""
    app = alone("data")
    app.session_state["page"], app.session_state["open dialog"] = "data", "import"
    app.session_state["data set tab"] = "Checks"
    assert has(healthy(app.run()), "kaggle part") and "not analyzed yet" in words(app)
    del app.session_state["open dialog"]
    assert "not analyzed yet" not in words(healthy(app.run()))


def test_dialog_when_an_import_ends_keeps_its_text(homes):
    """When an import ends behind a dialog, the page shows the new images, and the typed text stays."""
    root, order = draw_mura(homes / "data" / "MURA-v1.1"), Order("kaggle", {})
    images = len(list(root.rglob("*.png")))
    stand(root, order, Progress(0, images), **identity())
    app = healthy(alone("data").run())
    button(app, "import dialog").click().run()
    app.text_input(key="zip path 0").set_value("mine.zip").run()
    stand(root, order, Progress(images, images), complete=True, ended=True)
    app.run()
    assert healthy(app).text_input(key="zip path 0").value == "mine.zip"
    assert seen(app)[1] == images


@pytest.mark.slow
def test_resumed_import_when_complete_shows_all_images(homes):
    """The page shows the images that a resumed import adds, although it has read the folder before."""
    root = draw_mura(homes / "data" / "MURA-v1.1")
    order, away = Order("kaggle", {}), homes / "away"
    shutil.move(root / "valid", away)
    part = len(list(root.rglob("*.png")))
    stand(root, order, Progress(part, part + 1), ended=True)
    app = healthy(alone("data").run())
    assert seen(app)[1] == part
    shutil.move(away, root / "valid")
    whole = len(list(root.rglob("*.png")))
    stand(root, order, Progress(whole, whole), complete=True, ended=True)
    assert seen(healthy(app.run()))[1] == whole > part


@pytest.mark.slow
def test_decisions_of_somebody_else_are_merged(data):
    """Decisions in an uploaded file are merged, and a file with other columns is an error."""
    first = scan(data).table["image_id"].iloc[0]
    theirs = f"time,image_id,decision,reason\n2026-01-01T00:00:00Z,{first},exclude,theirs\n"
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    app.file_uploader(key="decisions to merge").set_value([("curation.csv", theirs.encode(), "text/csv")]).run()
    button(app, "merge decisions").click().run()
    assert decided(data)["reason"].to_dict() == {first: "theirs"} and not app.error
    app.file_uploader(key="decisions to merge").set_value([("mine.csv", b"a,b\n1,2\n", "text/csv")]).run()
    button(app, "merge decisions").click().run()
    assert "mine.csv must have the columns time, image_id, decision, reason" in said(app)


@pytest.fixture
def validated(homes, make_model):
    """The data set that a model was validated on, in the data home."""
    folder = make_model("first")
    return Path(shutil.copytree(read_card(folder).config["data"], homes / "data" / "validated"))


def orders(app, data):
    return app.selectbox(key=f"order of {data}").options


@pytest.mark.slow
def test_probabilities_of_a_validated_model_are_shown_with_its_name(validated):
    """The gallery, the orders and the study say whose probability they show."""
    app = healthy(alone("data").run())
    told = read_predictions(model_folder("first")).set_index("image_id")["probability"]
    assert "Percentages show model *first*'s probability of *abnormal*." in said(app)
    app.selectbox(key=f"order of {validated}").set_value("Most likely abnormal, by first").run()
    shown = images(healthy(app))
    assert list(told[shown[: len(told)]]) == sorted(told, reverse=True)
    button(app, f"open {shown[0]}").click().run()
    assert "**Probability of" not in said(app)
    button(app, "ask model").click().run()
    assert f"**Probability of abnormal by first** {told[shown[0]]:.1%}" in said(healthy(app))


@pytest.mark.slow
def test_probabilities_with_a_chosen_model_are_its_own(validated, make_model):
    """The probabilities are those of the model that the visitor chose, or else of the default model."""
    make_model("second")
    app = alone("data")
    app.session_state["chosen model"] = "second"
    assert "Percentages show model *second*'s probability" in said(healthy(app.run()))
    edited = model_folder("second").card
    edited.write_text(edited.read_text().replace('"state": "finished"', '"state": "stopped"'))
    assert "Percentages show model *first*'s probability" in said(healthy(alone("data").run()))


@pytest.mark.slow
def test_finding_follows_the_decisions(monkeypatch, tmp_path):
    """The gallery shows what the chip counts: the finding as it is now, or all images once it is gone."""
    data = SimpleNamespace(root=tmp_path)
    monkeypatch.setattr(checks.state.st, "session_state", {f"finding of {tmp_path}": "inverted"})
    current = SimpleNamespace(kind="inverted", images=["a"])
    monkeypatch.setattr(checks, "found", lambda _: [SimpleNamespace(kind="blank", images=["b"]), current])
    assert checks.shown_finding(data) is current
    monkeypatch.setattr(checks, "found", lambda _: [])
    assert checks.shown_finding(data) is None


def test_data_set_asks_the_adjusted_model(monkeypatch, tmp_path):
    """As Classify does: one X-ray has one answer."""
    folder = SimpleNamespace(name="m")
    adjusted = SimpleNamespace(answer=lambda views: f"adjusted: {views}")
    shown = []
    monkeypatch.setattr(browse_classify, "default_model", lambda: (folder, ""))
    monkeypatch.setattr(browse_classify.prediction_cache, "adjusted_classifier", lambda given: given and adjusted)
    monkeypatch.setattr(
        browse_classify.prediction_cache, "examined_file", lambda path, _: SimpleNamespace(view=path.name)
    )
    monkeypatch.setattr(browse_classify, "_show_answer", lambda *given: shown.append(given))
    browse_classify.show_model_answer(tmp_path / "a.png")
    assert shown == [("adjusted: ['a.png']", "m")]


def test_probabilities_of_other_files_of_the_same_names_are_hidden(homes, make_model):
    """A data set of another seed, with the same names and other files, gets no probabilities."""
    make_model("first")
    data = draw_mura(homes / "data" / "drawn", seed=7)
    names = set(scan(data).table["image_id"])
    assert names & set(read_predictions(model_folder("first"))["image_id"])
    app = healthy(alone("data").run())
    assert not any("likely" in order for order in orders(app, data))
    assert "first" not in said(app)


@pytest.mark.slow
def test_probabilities_without_recorded_files_are_hidden(validated):
    """A sentence names the command that records the files, and after that command the probabilities are shown."""
    folder = model_folder("first")
    pd.read_csv(folder.predictions).drop(columns="sha256").to_csv(folder.predictions, index=False)
    app = healthy(alone("data").run())
    assert "predictions don't record which image files" in said(app)
    assert "fracture evaluate --model first --data validated" in said(app)
    assert not any("likely" in order for order in orders(app, validated))
    assert main(["evaluate", "--model", "first", "--data", str(validated), "--json"]) == 0
    app = healthy(app.run())
    assert "model *first*'s probability" in said(app) and "don't record" not in said(app)


def test_probabilities_before_the_analysis_are_hidden(validated, monkeypatch):
    """The probabilities are hidden until the images are analyzed."""
    monkeypatch.setattr("fracture.app.dataset.checks.MAX_ANALYZED_UNASKED", 0)
    app = healthy(alone("data").run())
    assert "Analyze the images" in said(app)
    assert not any("likely" in order for order in orders(app, validated))
    button(open_tab(app, "Checks"), "analyze images").click().run()
    assert "model *first*'s probability" in said(healthy(open_tab(app, "Images")))
