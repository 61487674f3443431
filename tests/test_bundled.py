"""The model that comes with the project: whole, as good as its card says, and at work without the internet."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.evaluation.metrics import by_study, evaluate
from fracture.imaging.gray_scale import is_blank
from fracture.imaging.radiograph import Radiograph, fit, load, read
from fracture.inference.classifier import Classifier, load_classifier
from fracture.inference.litert import Graph
from fracture.inference.prediction import probability_of
from fracture.paths import PROJECT
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import SHIPPED_MODELS, ModelFolder, bundled_model, read_card, read_predictions
from fracture.training.config import TrainConfig
from fracture.training.weights import find_weights
from tests.support.not_radiographs import CHEST, LEGS, dicom, pictures

FOLDER = bundled_model()


@pytest.fixture(scope="module")
def card():
    return read_card(FOLDER).document


def test_its_files_are_there_and_small():
    """All that a model folder has but the Keras model, in less than 75 MB, and the region finder in less than 25."""
    files = {path.name: path.stat().st_size for path in FOLDER.path.iterdir()}
    assert {"card.json", "model.tflite", "backbone.weights.h5", "history.json", "events.jsonl"} <= set(files)
    assert {"predictions.csv", "familiarity.npz", "regions.tflite"} <= set(files)
    assert files["model.tflite"] < 25e6 and files["backbone.weights.h5"] < 46e6
    assert files["regions.tflite"] < 25e6
    assert sum(size for name, size in files.items() if name not in ("model.h5", "regions.tflite")) < 75e6


@pytest.mark.parametrize("model", SHIPPED_MODELS)
@pytest.mark.parametrize("name", ["card.json", "events.jsonl", "history.json", "predictions.csv"])
def test_they_name_no_place_on_the_machine_that_made_it(model, name):
    """Data sets and weights are named, not where they lay."""
    assert not re.search(r'(^|["\s,=])(/\w+/|~/|[A-Z]:\\)', (FOLDER.path.parent / model / name).read_text())


def test_the_humerus_model_is_what_its_predictions_say():
    """Measured again from its predictions, every figure of its card is the same, by image and by study."""
    folder = FOLDER.path.parent / "mura-humerus"
    card = json.loads((folder / "card.json").read_text())
    again = json.loads(json.dumps(evaluate(read_predictions(ModelFolder(folder)), card["thresholds"])))
    assert again["image"]["count"] == 288 and again["study"]["count"] == 135
    for level, said in card["metrics"].items():
        assert again[level]["auc"] == pytest.approx(said["auc"], abs=1e-6)
        for point, rates in said["points"].items():
            assert again[level]["points"][point]["confusion"] == rates["confusion"]
    assert "research and teaching only" in (folder / "LICENSE").read_text()


def test_the_humerus_model_names_the_normal_studies_that_it_calls_abnormal_most_surely():
    """The studies of its label notes are labeled normal, and have the highest probabilities of all that are."""
    folder = ModelFolder(FOLDER.path.parent / "mura-humerus")
    noted = {note.study for note in read_card(folder).label_notes}
    studies = by_study(read_predictions(folder)).set_index("study")
    surest = studies[studies["label"] == 0]["probability"].nlargest(4)
    assert noted == set(surest.index)


def test_its_card_says_what_it_was_made_of(card):
    """The command, the licences of data and weights, and metrics for each data set."""
    assert card["command"].startswith("python -m fracture train --data fracatlas --also phantoms")
    assert [source["licence"] for source in card["data"]["sources"]] == ["CC BY 4.0", "this project's own"]
    assert card["weights"]["licence"] == "MIT" and "nsfwjs" in card["weights"]["origin"]
    assert list(card["metrics_by_data"]) == ["fracatlas", "phantoms"]
    assert card["metrics_by_data"]["fracatlas"] == card["metrics"]


def test_its_card_is_what_its_predictions_say(card):
    """Measured again from the validation images' probabilities, every figure is the same."""
    predictions = read_predictions(FOLDER)
    for name, rows in predictions.groupby("data"):
        again = json.loads(json.dumps(evaluate(rows, card["thresholds"])))
        assert again["image"]["count"] == card["data"]["by_data"][name]["valid"]
        assert set(again) == set(card["metrics_by_data"][name])
        for level, said in card["metrics_by_data"][name].items():
            assert again[level]["auc"] == pytest.approx(said["auc"], abs=1e-6)
            for point, rates in said["points"].items():
                assert again[level]["points"][point]["confusion"] == rates["confusion"]


def test_it_is_good_enough(card):
    """What the README promises of it, on FracAtlas's validation part."""
    image, served = card["metrics"]["image"], card["served"]
    strict = image["points"]["high_specificity"]
    assert image["auc"]["value"] >= 0.90
    assert strict["specificity"]["value"] >= 0.95 and strict["sensitivity"]["value"] >= 0.62
    assert image["calibration"]["expected_calibration_error"]["value"] <= 0.05
    assert abs(served["auc_served"] - served["auc_keras"]) <= 0.005
    assert card["localisation"]["found"]["pointing"]["value"] >= 0.70
    assert card["localisation"]["shuffled_head"]["pointing"] < 0.2
    assert card["familiarity"]["share_refused"] <= 0.02


def test_the_command_line_answers_at_once(as_cloned, tmp_path, capsys):
    """A fresh clone classifies a file, offline, with no further step."""
    target = tmp_path / "leg.png"
    Image.fromarray(read(dicom(LEGS[0]), LEGS[0]).pixels).save(target)
    assert main(["classify", str(target), "--model", FOLDER.name, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["results"][0]
    assert answer["answer"] in ("not fractured", "fractured", "doubt")
    assert 0 < answer["probability"] < 1


def record_completed(monkeypatch) -> list[str]:
    """The names of the models that go on after their first pass, as they do so."""
    names: list[str] = []
    complete = Classifier.complete

    def recorded(model, *args):
        names.append(model.name)
        return complete(model, *args)

    monkeypatch.setattr(Classifier, "complete", recorded)
    return names


def test_the_page_completes_the_answering_model_alone(as_cloned, monkeypatch):
    """How familiar an X-ray is needs one pass; the mirror image is left to the model that answers."""
    completed = record_completed(monkeypatch)
    view = generate_sample(1)[0]
    png = io.BytesIO()
    Image.fromarray(view.pixels).save(png, "PNG")
    app = AppTest.from_file(str(PROJECT / "pages/classify.py"), default_timeout=60).run()
    app.file_uploader(key="uploads").set_value([("view.png", png.getvalue(), "image/png")]).run()
    assert not app.exception
    (answering,) = completed
    assert any(f"**{answering}** knows this X-ray best" in each.value for each in [*app.markdown, *app.caption])


@pytest.mark.slow
def test_a_settled_image_gets_the_outcome_of_both_passes(as_cloned, fracatlas):
    """The card says below which logit the mirror image is not run: on real images, no outcome changes by it."""
    model = load_classifier(FOLDER.name)
    measured = model.card.mirrored_pass
    assert probability_of(measured.limit, model.card.temperature) == pytest.approx(model.limits.low)
    predictions = read_predictions(FOLDER).query("data == 'fracatlas'").iloc[::40].set_index("image_id")
    table = scan(fracatlas).table.set_index("image_id").loc[predictions.index]
    passes = [model.first_pass(name, load(Path(path))) for name, path in table["path"].items()]
    before = [model.answer([model.view(name, load(Path(path)))]).outcome for name, path in table["path"].items()]
    after = [model.answer([each.view]).outcome for each in passes]
    assert before == after
    counts = {len(each.view.logits) for each in passes}
    assert counts == {1, 2}, "some of them are settled, and some are not"


def test_the_command_line_asks_each_model_and_the_best_match_answers(as_cloned, tmp_path, capsys, monkeypatch):
    """Where two models are about equally close, one answers and the other is mentioned; on request, both answer."""
    completed = record_completed(monkeypatch)
    target = tmp_path / "leg.png"
    Image.fromarray(read(dicom(LEGS[0]), LEGS[0]).pixels).save(target)
    assert main(["classify", str(target), "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["model"] == "automatic" and set(document["models"]) == set(SHIPPED_MODELS)
    assert len(document["results"]) == 1 and "--all-models prints both" in printed.err
    assert len(completed) == 1, "a model that does not answer runs no mirror image"
    assert main(["classify", str(target), "--all-models", "--json"]) == 0
    assert {row["model"] for row in json.loads(capsys.readouterr().out)["results"]} == set(SHIPPED_MODELS)


def test_the_command_line_tells_three_kinds_of_pictures(as_cloned, tmp_path, capsys):
    """A leg is answered, a chest film only on request, a photograph never."""
    photograph = next(picture for picture in pictures() if picture.kind == "photograph")
    Image.fromarray(photograph.pixels).save(tmp_path / "photograph.png")
    (tmp_path / "chest.dcm").write_bytes(dicom(CHEST))
    (tmp_path / "leg.dcm").write_bytes(dicom(LEGS[0]))
    assert main(["classify", str(tmp_path), "--json"]) == 0
    rows = {Path(row["image"]).stem: row for row in json.loads(capsys.readouterr().out)["results"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        "leg": "answered",
        "chest": "unlike",
        "photograph": "no radiograph",
    }
    assert [rows[name]["probability"] for name in ("chest", "photograph")] == [None, None]
    assert rows["chest"]["nearest_parts"] and not rows["photograph"]["nearest_parts"]
    assert main(["classify", str(tmp_path), "--model", "mura-humerus", "--answer-unlike", "--json"]) == 0
    rows = {Path(row["image"]).stem: row for row in json.loads(capsys.readouterr().out)["results"]}
    assert rows["chest"]["probability"] is not None and rows["photograph"]["probability"] is None


@pytest.mark.slow
def test_it_tells_radiographs_from_other_pictures(as_cloned):
    """One picture of each kind that is no radiograph gets no answer."""
    model = load_classifier(FOLDER.name)
    # The first of each. What shows nothing is refused before a model is asked.
    one = {picture.kind: picture for picture in reversed(list(pictures())) if not is_blank(picture.pixels)}
    views = {kind: model.view(kind, Radiograph(picture.pixels, "PNG")) for kind, picture in one.items()}
    assert len(views) > 5 and [kind for kind, view in views.items() if view.known] == []


@pytest.mark.slow
def test_it_says_of_real_radiographs_what_its_predictions_say(as_cloned, fracatlas):
    """The served graph on the files themselves, against what was written when the model was judged."""
    predictions = read_predictions(FOLDER).query("data == 'fracatlas'").iloc[::33].set_index("image_id")
    table = scan(fracatlas).table.set_index("image_id").loc[predictions.index]
    model = load_classifier(FOLDER.name)
    views = [model.view(name, load(Path(path))) for name, path in table["path"].items()]
    difference = np.abs(np.array([view.probability for view in views]) - predictions["probability"])
    assert difference.max() < 0.005
    assert sum(view.known is False for view in views) <= 1


@pytest.mark.full
def test_its_backbone_is_a_beginning_for_others(as_cloned):
    """``--weights bundled`` loads it, and what it sees in an image is what the served graph sees."""
    from fracture.training.backbone.network import build_network

    taken = read_card(FOLDER).input
    size, how, (low, high) = taken.size, taken.fit, taken.pixel_range
    chosen = TrainConfig(data="x", name="m", weights="bundled", image_size=size, fit=how)
    weights = find_weights(chosen)
    assert weights.input_range == (low, high) and "CC BY 4.0" in weights.licence
    pixels = fit(read(dicom(LEGS[0]), LEGS[0]).pixels, size, how)
    served = Graph(FOLDER.served_model.read_bytes())(pixels).features
    network = build_network(chosen, weights)
    gray = low + pixels.astype(np.float32) * (high - low) / 255
    seen = network.backbone(np.repeat(gray[None, ..., None], 3, axis=-1)).numpy().mean(axis=(0, 1, 2))
    assert np.corrcoef(seen, served)[0, 1] > 0.98


def test_its_candidate_regions_come_likeliest_first_and_within_the_image(card):
    """The card tells how boxes are made; a study of phantoms gets boxes within each view, the likeliest one first."""
    assert card["regions"]["free_response"]["images"] == card["data"]["by_data"]["fracatlas"]["valid"]
    assert 0 < card["regions"]["thresholds"]["high_sensitivity"] < card["regions"]["thresholds"]["high_specificity"] < 1
    classifier = load_classifier("fracatlas")
    for each in generate_sample(0):
        regions = classifier.view("v", Radiograph(each.pixels, "PNG")).regions
        assert regions
        assert [region.probability for region in regions] == sorted((r.probability for r in regions), reverse=True)
        for x, y, width, height in (region.box for region in regions):
            assert 0 <= x < x + width <= 1 + 1e-9 and 0 <= y < y + height <= 1 + 1e-9
