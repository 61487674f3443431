"""The page Models with one model open: its tabs."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.models.comparison.sides import Side, warnings
from fracture.app.models.errors import worst
from fracture.app.models.threshold import describe_hundred
from fracture.charts import natural_frequencies
from fracture.evaluation.metrics import by_study, evaluate
from fracture.inference.ood import load_ood_detector
from fracture.paths import PROJECT
from fracture.registry.model_folder import read_card
from fracture.registry.validation import ValidationResult, validation_results
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key, keys_of

THRESHOLDS = {"half": 0.5, "balanced": 0.4, "high_sensitivity": 0.2, "high_specificity": 0.8}


def models(tab: str = "Threshold", level: str = "image") -> AppTest:
    """The page, with a tab open."""
    app = AppTest.from_file(str(PROJECT / "pages" / "models.py"), default_timeout=60)
    app.session_state["model tab"] = tab
    app.session_state["level"] = level
    return app


def edit_card(folder, **values):
    """Sets fields of a card, or with None takes them out."""
    card = {**json.loads(folder.card.read_text()), **values}
    folder.card.write_text(json.dumps({name: value for name, value in card.items() if value is not None}))


def judge(folder, probabilities=None, **card):
    """Gives a model the predictions of a test, and the card that follows from them."""
    table = pd.read_csv(folder.predictions)
    if probabilities is not None:
        table["probability"] = [probabilities(place, label) for place, label in enumerate(table["label"])]
    table = table.assign(logit=0.0, data="drawn", body_part="")
    table.to_csv(folder.predictions, index=False)
    edit_card(folder, thresholds=THRESHOLDS, metrics=evaluate(table, THRESHOLDS), **card)
    return table


def spread(place: int, label: int) -> float:
    """Good, and not perfect: some on the wrong side of every threshold."""
    return round(0.05 + 0.1 * (place % 10), 2) * 0.5 + 0.4 * label


@pytest.fixture
def judged(homes, make_model):
    folder = make_model("first")
    judge(folder, spread)
    return folder


def moving(app, title):
    """The data of a Vega-Lite chart by its title."""
    charts = {json.loads(each.proto.spec)["title"]: each.proto for each in app.get("vega_lite_chart")}
    return pyarrow.ipc.open_stream(charts[title].data.data).read_pandas()


def tables(app):
    return [table.value for table in app.table]


def test_results_of_a_model_have_intervals(judged):
    """AUC, average precision, and sensitivity with specificity have 95% intervals and counts."""
    areas, points = tables(healthy(models("Results").run()))[:2]
    assert "(" in areas["Value"].iloc[1]
    assert points["Operating point"].iloc[0] == "Balanced"
    for name in ("Sensitivity", "Specificity", "Kappa"):
        assert points[name].str.contains("to").any(), points


def test_results_say_on_which_images_the_model_was_chosen(judged):
    """One sentence under the results, and the same images where the points and the temperature are explained."""
    said = words(healthy(models("Results").run()))
    assert (
        "chosen on the validation images of *MURA\\-v1.1* themselves: metrics on these are slightly optimistic" in said
    )
    data = json.loads(judged.card.read_text())["data"]
    edit_card(judged, data={**data, "selection": {"images": 7, "groups": 3, "share": 0.1}})
    said = words(healthy(models("Results").run()))
    assert "chosen on 7 held-out training images of *MURA\\-v1.1*; the validation images were evaluated once" in said
    assert "at least 95%, by image on 7 held-out training images" in said and "optimistic" not in said
    assert "fitted on 7 held-out" in words(healthy(models("Calibration").run()))
    assert "7 selection images of 3 patients or groups" in words(healthy(models("Card").run()))


def test_threshold_when_moved_updates_all_metrics_and_charts(judged):
    """The slider moves the histogram's line, the matrix, the metrics, the marks on both curves and the patients."""
    app = healthy(models().run())
    titles = ("Probabilities", "ROC curve", "Precision-recall curve", "Confusion matrix", "Of 100 patients")
    before = {title: moving(app, title) for title in titles}
    shown = [each.value for each in app.metric][:4]
    by_key(app.slider, "threshold").set_value(0.62).run()
    for title in titles:
        assert not before[title].equals(moving(healthy(app), title)), title
    assert [each.value for each in app.metric][:4] != shown
    assert [each.label for each in app.metric][:4] == ["Sensitivity", "Specificity", "PPV", "NPV"]
    table = pd.read_csv(judged.predictions)
    alarms = int(((table["label"] == 0) & (table["probability"] >= 0.62)).sum())
    assert moving(app, "Confusion matrix")["text"].iloc[1].startswith(f"{alarms}\n")


def test_threshold_after_another_tab_is_kept(judged):
    """The sliders and the kind of error keep their values while another tab is open."""
    app = healthy(models().run())
    by_key(app.slider, "threshold").set_value(0.7).run()
    by_key(app.slider, "prevalence").set_value(3).run()
    app.session_state["model tab"] = "Results"
    healthy(app.run())
    app.session_state["model tab"] = "Threshold"
    healthy(app.run())
    assert (by_key(app.slider, "threshold").value, by_key(app.slider, "prevalence").value) == (0.7, 3)


def test_named_point_when_pressed_moves_the_slider(judged):
    """Each named point sets the slider, which can then be moved away from it."""
    app = healthy(models().run())
    assert by_key(app.slider, "threshold").value == THRESHOLDS["balanced"]
    app.button(key="point high_sensitivity").click().run()
    assert by_key(healthy(app).slider, "threshold").value == THRESHOLDS["high_sensitivity"]
    app.button(key="point high_specificity").click().run()
    assert by_key(healthy(app).slider, "threshold").value == THRESHOLDS["high_specificity"]
    by_key(app.slider, "threshold").set_value(0.123).run()
    assert by_key(healthy(app).slider, "threshold").value == 0.123


def cross(folder):
    """Gives a model the points of one that is so good that they cross."""
    points = {**THRESHOLDS, "high_sensitivity": 0.466, "high_specificity": 0.188}
    edit_card(folder, thresholds=points, metrics=evaluate(pd.read_csv(folder.predictions), points))


def test_named_points_that_cross_are_not_offered(judged):
    """They are neither buttons nor rows of the table, and the page says why."""
    cross(judged)
    app = healthy(models("Results").run())
    points = next(table for table in tables(app) if "Operating point" in table)
    assert points["Operating point"].tolist() == ["Balanced", "One half"]
    assert keys_of(healthy(models().run()).button, "point") == ["point balanced", "point half"]
    assert "one threshold reaches 95% of both" in words(app)


def test_named_points_on_buttons_promise_no_share(judged):
    """The share depends on level and data: the explanation says for which images it was chosen."""
    labels = [each.label for each in healthy(models().run()).button if str(each.key).startswith("point ")]
    assert labels and not any("95" in label for label in labels)
    app = healthy(models("Results").run())
    assert "at least 95%, by image on the validation images of *MURA\\-v1.1*" in words(app)


def test_named_point_with_a_tiny_threshold_shows_all_its_digits(judged):
    """0.04% is not 0.0%, at which every image is called positive."""
    points = {**THRESHOLDS, "high_sensitivity": 0.0004}
    edit_card(judged, thresholds=points, metrics=evaluate(pd.read_csv(judged.predictions), points))
    app = healthy(models("Results").run())
    points = next(table for table in tables(app) if "Operating point" in table)
    assert points["Threshold"].tolist() == ["40.0%", "0.04%", "80.0%", "50.0%"]
    assert healthy(models().run()).button(key="point high_sensitivity").help == "Threshold 0.04%"


def test_threshold_at_the_ends_shows_undefined_metrics(judged):
    """Where nothing is called positive there is no PPV, and the page says so instead of failing."""
    app = healthy(models().run())
    by_key(app.slider, "threshold").set_value(1.0).run()
    assert [each.value for each in healthy(app).metric][2] == "not defined"
    by_key(app.slider, "threshold").set_value(0.0).run()
    assert [each.value for each in healthy(app).metric][3] == "not defined"


def test_hundred_patients_at_another_prevalence_follow_it(judged):
    """The second slider sets the prevalence; the chart always has a hundred icons."""
    app = healthy(models().run())
    by_key(app.slider, "prevalence").set_value(1).run()
    assert "**1** of 100 are" in words(healthy(app))
    assert len(moving(app, "Of 100 patients")) == 100


def test_describe_hundred_without_positive_predictions_has_no_share():
    """Where nobody is called positive, the sentence says so."""
    assert "None is called broken\\-ish" in describe_hundred(natural_frequencies(0, 1, 0.2), "broken-ish")


def test_results_by_study_count_studies(judged):
    """The visitor can choose studies where the card has them."""
    app = healthy(models("Results").run())
    app.segmented_control(key="level").set_value("study").run()
    assert "studies" in tables(healthy(app))[0]["Value"].iloc[0]


def test_results_of_an_older_card_are_shown_as_far_as_measured(homes, make_model):
    """A card without calibration, average precision, kappa, named points and predictions shows the rest."""
    folder = make_model("first")
    table = judge(folder, spread)
    metrics = evaluate(table, {"half": 0.5, "balanced": 0.4})
    for level in metrics.values():
        for gone in ("calibration", "average_precision", "body_parts", "body_parts_too_small"):
            level.pop(gone, None)
        for point in level["points"].values():
            point.pop("kappa", None)
    edit_card(
        folder, metrics=metrics, thresholds={"half": 0.5, "balanced": 0.4}, temperature=None, served=None, config=None
    )
    assert "Not measured for this model" in words(healthy(models("Calibration").run()))
    assert "not on this machine" in words(healthy(models("Errors").run()))
    assert len(tables(healthy(models("Results").run()))) == 2
    app = healthy(models().run())
    assert keys_of(app.button, "point") == ["point balanced", "point half"]
    folder.predictions.unlink()
    edit_card(folder)  # another version of the model: what was loaded before is not asked
    app = models().run()
    assert not app.exception
    assert "missing or damaged" in app.error[0].value
    healthy(models("Results").run())


def test_calibration_of_a_model_has_a_diagram_and_an_error(judged):
    """The page shows the reliability diagram, and the expected calibration error with its interval."""
    app = healthy(models("Calibration").run())
    assert "percentage points" in words(app)
    assert len(app.get("plotly_chart")) == 1


def test_body_parts_in_the_card_have_a_row_each(judged):
    """The page names the body parts with too few images."""
    metrics = json.loads(judged.card.read_text())["metrics"]
    part = {name: metrics["image"][name] for name in ("count", "positives", "auc", "points")}
    metrics["image"] |= {"body_parts": {"hand": part, "leg": part}, "body_parts_too_small": {"shoulder": 3}}
    edit_card(judged, metrics=metrics)
    app = healthy(models("Results").run())
    assert tables(app)[2]["Body part"].tolist() == ["hand", "leg"]
    assert "Too few images for separate results: shoulder (3)" in words(app)


def test_worst_of_any_predictions_sorts_by_confidence():
    """False positives come by falling, false negatives by rising probability, without correct predictions."""
    table = pd.DataFrame({"label": [0, 0, 1, 1, 0], "probability": [0.6, 0.9, 0.1, 0.4, 0.2]})
    assert worst(table, 0.5, "false positives").index.tolist() == [1, 0]
    assert worst(table, 0.5, "false negatives").index.tolist() == [2, 3]


def pictures(app):
    """How many pictures there are beside the bar of the AUC."""
    return len(app.get("image")) - 1


def show_errors(app, kind="false negatives"):
    return by_key(app.run().segmented_control, "error kind").set_value(kind).run()


@pytest.fixture
def wrong(judged, homes):
    """A model that is wrong about everything, with a copy of its data that a test may change."""
    card = json.loads(judged.card.read_text())
    data = Path(shutil.copytree(card["config"]["data"], homes / "data" / "drawn"))
    judge(judged, lambda _, label: 0.1 if label else 0.9, config={**card["config"], "data": str(data)})
    return judged, data


def test_errors_are_computed_when_their_tab_is_open(wrong):
    """The tab shows at most eight images a page, with heat maps and changes since the validation."""
    assert pictures(healthy(models().run())) == 0
    app = healthy(show_errors(models("Errors")))
    positives = int(pd.read_csv(wrong[0].predictions)["label"].sum())
    assert pictures(app) == min(8, positives)
    assert "**abnormal 10\\.0%**" in words(app) or "**abnormal 10.0%**" in words(app)
    assert "the model now says" in words(app)


@pytest.mark.slow
def test_errors_with_a_missing_image_name_it(wrong):
    """A missing or broken image is named, and the others are shown."""
    folder, data = wrong
    table = pd.read_csv(folder.predictions)
    missed = table[table["label"] == 1]["image_id"].tolist()
    (data / missed[0]).unlink()
    (data / missed[1]).write_bytes(b"no image")
    app = healthy(show_errors(models("Errors")))
    assert "Missing, unreadable or replaced since the validation" in words(app)
    assert pictures(app) == min(8, len(missed)) - 2


def test_errors_with_a_replaced_file_do_not_show_it(wrong):
    """The page shows only the very files that the model misclassified."""
    folder, data = wrong
    table = pd.read_csv(folder.predictions)
    missed = table[table["label"] == 1]["image_id"].tolist()
    shutil.copy(data / table[table["label"] == 0]["image_id"].iloc[0], data / missed[0])
    app = healthy(show_errors(models("Errors")))
    assert "replaced since the validation: " in words(app)
    assert pictures(app) == min(8, len(missed)) - 1


def test_similar_images_with_a_replaced_file_do_not_show_it(wrong):
    """Of the nearest training images, a replaced file is left out."""
    folder, data = wrong
    known = load_ood_detector(folder.familiarity)
    uploaded = data / known.image_ids[0]
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("a.png", uploaded.read_bytes(), "image/png")]).run()
    healthy(app.toggle(key="similar images").set_value(True).run())
    before = len(app.get("image"))
    shutil.copy(data / known.image_ids[1], uploaded)
    healthy(app.run())
    assert len(app.get("image")) == before - 1


def test_errors_without_recorded_files_are_not_shown(wrong):
    """The page names the command that records the files."""
    folder, _ = wrong
    pd.read_csv(folder.predictions).drop(columns="sha256").to_csv(folder.predictions, index=False)
    app = healthy(show_errors(models("Errors")))
    assert pictures(app) == 0
    assert "python -m fracture evaluate --model first" in words(app)


def test_errors_with_label_notes_show_the_probability_of_each_study(judged):
    """The card names a study whose label is wrong; the page adds the label and the model's probability."""
    studies = by_study(pd.read_csv(judged.predictions))
    study = studies[studies["label"] == 0].iloc[0]
    gone = {"study": "no such study", "shows": "a plate"}
    edit_card(judged, label_notes=[{"study": study["study"], "shows": "a prosthesis"}, gone])
    app = healthy(models("Errors").run())
    assert "contradict the label of the data set (1)" in words(app)
    (table,) = [each for each in tables(app) if "The radiographs show" in each]
    row = table.iloc[0]
    assert len(table) == 1 and row["The radiographs show"] == "a prosthesis"
    assert row["Label in the data set"] == read_card(judged).labels[0]
    assert row.iloc[-1] == f"{study['probability']:.1%}"


def test_errors_without_the_data_set_show_none(wrong):
    """The page says that the data set is missing, also where its folder is empty."""
    _, data = wrong
    shutil.rmtree(data)
    for _ in range(2):
        app = healthy(models("Errors").run())
        assert pictures(app) == 0
        assert "is not on this machine" in words(app)
        data.mkdir(exist_ok=True)


def test_warnings_for_the_same_data_are_empty(judged):
    """The fingerprint and the name decide."""
    card = read_card(judged)
    level = {"image": {"count": 3}}
    sides = [Side(judged, card, ValidationResult(name, level, "")) for name in ("one", "one", "two")]
    assert warnings(sides[:2]) == []
    assert len(warnings(sides[1:])) == 1


def test_results_on_several_data_sets_are_separate(judged):
    """The visitor chooses one of the data sets, and sees the metrics of its own predictions."""
    table = pd.read_csv(judged.predictions)
    half = len(table) // 2
    table["data"] = ["one"] * half + ["two"] * (len(table) - half)
    table.to_csv(judged.predictions, index=False)
    apart = {name: evaluate(part, THRESHOLDS) for name, part in table.groupby("data")}
    edit_card(judged, metrics_by_data=apart)
    assert [each.data for each in validation_results(read_card(judged))] == ["one", "two"]
    app = healthy(models("Results").run())
    assert app.selectbox(key="validation data").options == ["one", "two"]
    app.selectbox(key="validation data").set_value("two").run()
    assert tables(healthy(app))[0]["Value"].iloc[0].startswith(f"{len(table) - half:,} images")


def places(app):
    """The figures on where heat maps point."""
    shown = [each for each in app.metric if each.label in ("Peak inside the box", "Heat inside the box or mask")]
    return [(each.value, each.delta) for each in shown]


def test_localization_in_the_card_is_shown_beside_chance(homes, make_model):
    """Both metrics have their interval and their level of chance, and the explanation repeats them."""
    pointing = {"value": 0.412, "low": 0.33, "high": 0.5, "chance": 0.0612, "centre": 0.123}
    mass = {"value": 0.213, "low": 0.17, "high": 0.26, "chance": 0.041}
    known = {"images": 84, "known": 90, "groups": 30, "pointing": pointing, "mass": mass, "flat": 0, "silent": 2}
    edit_card(make_model("first"), localisation=known)
    app = healthy(models("Heat maps").run())
    assert places(app) == [
        ("41.2%", "33.0 to 50.0%; chance 6.1%"),
        ("21.3%", "17.0 to 26.0%; chance 4.1%"),
    ]
    for part in (
        "validation images of *MURA\\-v1.1* with known boxes (a sample of 90), of 30 patients or groups",
        "inside the box in 41% (33 to 50%). A random point would in 6.1%, the image center in 12.3%.",
        "21.3% (17.0 to 26.0%) lies inside the mask or box; evenly spread heat would reach 4.1%",
        "2 of the heat maps have no heat for abnormal",
    ):
        assert part in words(app)
    assert "heat maps are constant" not in words(app)


def test_localization_beside_another_result_names_the_data_it_was_measured_on(judged):
    """Where the visitor looks at the results on the second data set, the heat maps are still those of the first."""
    table = pd.read_csv(judged.predictions)
    half = len(table) // 2
    table["data"] = ["one"] * half + ["two"] * (len(table) - half)
    table.to_csv(judged.predictions, index=False)
    share = {"value": 0.4, "low": 0.3, "high": 0.5, "chance": 0.06, "centre": 0.1}
    located = {"images": 84, "known": 90, "groups": 30, "pointing": share, "mass": share, "flat": 0, "silent": 0}
    apart = {name: evaluate(part, THRESHOLDS) for name, part in table.groupby("data")}
    edit_card(judged, metrics_by_data=apart, localisation=located)
    app = healthy(models("Heat maps").run())
    app.selectbox(key="validation data").set_value("two").run()
    assert "validation images of *one* with known boxes" in words(healthy(app))


def test_localization_without_boxes_has_no_figures(homes, make_model):
    """Data without boxes and older cards have no such metrics, and the tab says so; a map without heat has no share."""
    folder = make_model("first")
    edit_card(folder, localisation=None)
    app = healthy(models("Heat maps").run())
    assert "Localization was not measured" in words(app)
    assert places(app) == []
    nothing = {"value": None, "low": None, "high": None, "chance": None}
    alone_hit = {"value": 1.0, "low": None, "high": None, "chance": 0.1, "centre": 0.0}
    known = {"images": 1, "known": 1, "groups": 1, "pointing": alone_hit, "mass": nothing, "flat": 0, "silent": 1}
    edit_card(folder, localisation=known)
    app = healthy(models("Heat maps").run())
    assert places(app) == [("100.0%", "chance 10.0%"), ("not defined", "")]


def test_card_without_a_keras_model_says_so(homes, make_model):
    """A model whose head was trained without Keras has no model.h5."""
    folder = make_model("m")
    said = words(healthy(models("Card").run()))
    assert "No model.h5" in said and "those of the head as trained" in said
    card = json.loads(folder.card.read_text())
    edit_card(folder, weights={**card["weights"], "source": "none"})
    assert "No model.h5" not in words(healthy(models("Card").run()))


def test_delete_of_the_bundled_model_is_not_offered(homes, make_model, monkeypatch):
    """The page has no button that deletes it."""
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    make_model("fracatlas")
    assert not keys_of(healthy(models("Card").run()).button, "delete")


def test_delete_of_a_model_asks_once_more(homes, make_model):
    """The button is folded away behind a first click; afterwards the page says that there is no model."""
    folder = make_model("first")
    app = healthy(models("Card").run())
    assert folder.path.exists()
    by_key(app.button, "delete").click().run()
    assert not folder.path.exists()
    assert "There is no trained model yet" in words(healthy(app))


def chosen(app):
    return app.multiselect(key="runs").value


def test_link_to_a_model_chooses_it(homes, make_model):
    """An earlier choice gives way to the model of the address; where that one is gone, the choice stays."""
    make_model("first"), make_model("second")
    app = models()
    app.query_params["model"] = "first"
    assert chosen(healthy(app.run())) == ["first"]
    healthy(app.multiselect(key="runs").set_value(["second"]).run())
    assert chosen(app) == ["second"] and app.query_params["model"] == "second"
    later = models()
    later.session_state["chosen model"] = "second"
    later.query_params["model"] = "gone"
    assert chosen(healthy(later.run())) == ["second"] and later.query_params["model"] == "second"
    assert "Deleted or renamed: gone." in words(later)


def test_default_model_is_shown_without_a_choice(homes, make_model):
    """The page opens the model that the other pages use, and the address names none: it may be another one later."""
    make_model("first")
    app = healthy(models().run())
    assert [each.value for each in app.header] == ["first"]
    assert chosen(app) == [] and "model" not in app.query_params


@pytest.mark.parametrize(
    "tab", ["Threshold", "Results", "Curves", "Errors", "Calibration", "Heat maps", "Card", "Code"]
)
def test_each_tab_draws(homes, make_model, tab):
    """Every tab has content of its own."""
    make_model("first")
    app = healthy(models(tab).run())
    drawn = next(each for each in app.tabs if each.label == tab)
    assert len(drawn.children) > 0
    assert all(len(each.children) == 0 for each in app.tabs if each.label != tab)
