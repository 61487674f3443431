"""The pages of heads that train at once: the playground, leakage and shortcuts."""

import json
from dataclasses import replace

import pyarrow
import pytest

from fracture.app.shared.features import material
from fracture.errors import DatasetError
from fracture.experiments import features_job
from fracture.experiments.features_job import find_features_job
from fracture.experiments.presets import LOW_RATE
from fracture.training.runs import queue
from tests.pages.test_pages import alone, healthy, words
from tests.support.waiting import wait
from tests.support.widgets import by_key


@pytest.fixture
def tried_on(features, make_model):
    """A finished training whose features are in the cache."""
    return make_model("first")


def of_run(page, name="first"):
    """A page on the features of a run, and not on the shipped ones."""
    app = alone(page)
    app.session_state["features"] = name
    return app.run()


@pytest.fixture
def nothing_trained(homes):
    """A fresh clone: no data, no run, no model."""


def test_playground_on_a_fresh_clone_shows_curves(nothing_trained):
    """The shipped features come first, and the head on them has trained without a click."""
    app = healthy(alone("playground").run())
    assert app.selectbox(key="features").options[0].startswith("Shipped: ")
    assert len(moving(app, "Validation AUC")) == 30
    assert any(each.label.startswith("Gain: ") for each in app.metric)
    assert len(app.get("plotly_chart")) == 2


def test_playground_preset_trains_with_a_low_rate(nothing_trained):
    """*Show me* moves the dial; the page says what that does to the AUC, with its interval."""
    app = healthy(alone("playground").run())
    healthy(app.button(key="show low rate").click().run())
    assert by_key(app.select_slider, "learning rate").value == LOW_RATE
    assert "Against the trial before" in words(app)
    assert "Significant" in words(app)
    healthy(app.button(key="show low rate").click().run())
    assert by_key(app.select_slider, "learning rate").value != LOW_RATE


def test_leakage_on_a_fresh_clone_shows_the_gap(nothing_trained):
    """The result of the preset on the shipped features is there without a click."""
    app = healthy(alone("leakage").run())
    assert {each.label for each in app.metric} == {"Split by image", "Split by patient", "Gap"}
    assert "The split by image leaks" in words(app)
    assert len(app.get("plotly_chart")) == 1


def test_ablation_on_a_fresh_clone_shows_the_difference(nothing_trained):
    """Also where no model comes with the app: the shipped features need none."""
    app = healthy(alone("shortcuts").run())
    assert "AUC with hardware, against without" in {each.label for each in app.metric}
    assert len(app.get("plotly_chart")) == 1


def test_setting_when_changed_trains_a_new_head(tried_on):
    """The charts show the new head with the earlier trial as a faint line, and the table lists all trials."""
    app = healthy(of_run("playground"))
    first = moving(app, "Validation AUC")
    assert set(first["age"]) == {0}
    assert len(first) == 3
    healthy(by_key(app.slider, "epochs").set_value(12).run())
    second = moving(app, "Validation AUC")
    assert (second["age"] == 0).sum() == 12
    assert (second["age"] == 1).sum() == 3
    healthy(by_key(app.slider, "patients").set_value(4).run())
    assert "of 4 patients" in words(app)
    rows = app.dataframe[0].value
    assert rows["patients"].tolist() == [4, 12, 12]
    assert rows["epochs"].tolist() == [12, 12, 3]


def moving(app, title):
    """The data of a Vega-Lite chart by its title."""
    charts = {json.loads(each.proto.spec)["title"]["text"]: each.proto for each in app.get("vega_lite_chart")}
    return pyarrow.ipc.open_stream(charts[title].data.data).read_pandas()


def test_setting_when_changed_back_trains_nothing(tried_on):
    """The same settings are the same trial, which the table lists once, as the latest."""
    app = healthy(of_run("playground"))
    for name, value in (("dropout", 0.5), ("epochs", 7), ("dropout", 0.3), ("epochs", 3)):
        healthy(by_key(app.slider, name).set_value(value).run())
    rows = app.dataframe[0].value
    assert rows["dropout"].tolist() == [0.3, 0.3, 0.5, 0.5]
    assert rows["epochs"].tolist() == [3, 7, 7, 3]


def test_setting_when_changed_in_steps_is_one_trial(tried_on):
    """The curves follow each step; only the last step counts, until another setting changes."""
    app = healthy(of_run("playground"))
    for epochs in (9, 8, 7):
        healthy(by_key(app.slider, "epochs").set_value(epochs).run())
        curve = moving(app, "Validation AUC")
        assert (curve["age"] == 0).sum() == epochs
        assert (curve["age"] == 1).sum() == 3
        assert app.dataframe[0].value["epochs"].tolist() == [epochs, 3]
    for dropout in (0.5, 0.45):
        healthy(by_key(app.slider, "dropout").set_value(dropout).run())
    assert app.dataframe[0].value["dropout"].tolist() == [0.45, 0.3, 0.3]
    healthy(by_key(app.slider, "dropout").set_value(0.3).run())
    assert app.dataframe[0].value["epochs"].tolist() == [7, 3]


def test_learning_curve_and_search_draw_and_explain(tried_on):
    """Both draw their chart and explain it with measured numbers."""
    app = healthy(of_run("playground"))
    healthy(app.button(key="run learning curve").click().run())
    assert "an ensemble, minus the mean AUC of the single heads on few" in words(app)
    assert "on the same validation images" in words(app)
    by_key(app.slider, "search size").set_value(8).run()
    healthy(app.button(key="run search").click().run())
    assert "on the other half" in words(app)
    assert len(app.get("plotly_chart")) == 2


def test_train_as_model_starts_a_run_with_the_settings(tried_on, monkeypatch):
    """The run gets the settings of the playground and a free name, and starts only once."""
    started = []
    monkeypatch.setattr(
        queue, "start", lambda config, *_, **__: started.append(config) or queue.Run(tried_on, "queued", {}, 0.0)
    )
    app = healthy(of_run("playground"))
    by_key(app.slider, "epochs").set_value(7).run()
    healthy(app.button(key="train as model").click().run())
    assert [(config.name, config.epochs, config.weights) for config in started] == [("first-1", 7, "bundled-8bit")]
    assert app.button(key="train as model").disabled and "already have a run, first" in words(app)


def test_train_as_model_with_few_patients_is_disabled_with_a_reason(tried_on):
    """The reason stands beside the button, which all patients enable."""
    app = healthy(of_run("playground"))
    assert not app.button(key="train as model").disabled
    healthy(by_key(app.slider, "patients").set_value(4).run())
    assert app.button(key="train as model").disabled
    assert "A model needs all 12 training patients" in words(app)


def test_features_missing_from_the_cache_are_computed_again(homes, make_model):
    """The page offers to compute them, and shows the experiment once the job has ended."""
    run = queue.find_run(make_model("first"))
    app = healthy(of_run("playground"))
    assert "no longer in the cache" in words(app)
    healthy(app.button(key="compute features").click().run())
    wait(lambda: find_features_job(run).ended)
    assert find_features_job(run).complete
    assert len(moving(healthy(app.run()), "Validation AUC")) == 3


def test_features_of_some_images_alone_are_not_used_silently(tried_on, monkeypatch):
    """The page says how many are missing and offers to compute them; the bench is read again afterwards."""
    bench = material.bench_of(queue.find_run(tried_on))
    material._bench.clear()
    monkeypatch.setattr(material, "open_bench", lambda _: replace(bench, missing=2))
    app = healthy(of_run("playground"))
    assert "The features of 2 images" in words(app)
    assert app.button(key="compute features")
    monkeypatch.setattr(material, "open_bench", lambda _: bench)
    assert "no longer in the cache" not in words(healthy(app.run()))


def test_features_job_that_cannot_start_says_why(homes, make_model, monkeypatch):
    """One sentence, and the button stays."""
    make_model("first")
    app = healthy(of_run("playground"))
    monkeypatch.setattr(features_job, "load_combined", raising(DatasetError("The folder is gone. Choose another.")))
    app.button(key="compute features").click().run()
    assert not app.exception
    assert "The folder is gone" in app.error[0].value
    assert app.button(key="compute features")


def raising(error):
    def fail(*_):
        raise error

    return fail


def test_leakage_lab_after_its_experiment_shows_the_gap(tried_on):
    """The lab shows both mean AUCs, the gap and its interval."""
    app = healthy(of_run("leakage"))
    by_key(app.slider, "splits").set_value(2).run()
    healthy(app.button(key="run leakage").click().run())
    assert "95% interval" in words(app)
    assert {each.label for each in app.metric} == {"Split by image", "Split by patient", "Gap"}


@pytest.mark.slow
def test_occlusion_lab_with_masks_compares_predictions(tried_on):
    """A mask gives a prediction before, after and at other locations; it can be removed."""
    app = healthy(alone("shortcuts").run())
    healthy(app.button(key="mask truth").click().run())
    assert [each.label for each in app.metric][:3] == ["Original", "Masked", "Same mask elsewhere"]
    assert "of the image is masked" in words(app)
    healthy(app.button(key="mask border").click().run())
    healthy(app.button(key="undo mask").click().run())
    assert "of the image is masked" in words(app)
    healthy(app.button(key="clear masks").click().run())
    assert "of the image is masked" not in words(app)


def test_ablation_without_findings_is_not_offered(tried_on):
    """A data set that does not say which images show hardware has no ablation."""
    app = healthy(of_run("shortcuts"))
    assert "does not say which images show hardware" in words(app)


def test_benches_of_runs_with_equal_features_are_shared(tried_on, make_model, monkeypatch):
    """Runs on the same data with the same weights share features that are read once, and keep their own settings."""
    other, opened = make_model("second"), []
    monkeypatch.setattr(
        material, "open_bench", lambda run, real=material.open_bench: opened.append(run.name) or real(run)
    )
    first, second = (material.bench_of(queue.find_run(folder)) for folder in (tried_on, other))
    assert opened == ["first"]
    assert first.features is second.features
    assert (first.config.name, second.config.name) == ("first", "second")
