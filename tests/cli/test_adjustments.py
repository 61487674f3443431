"""Recalibrate and calibrate a model on the command line, and undo that."""

import json

import pytest

from fracture.cli.main import main
from fracture.registry.adjustments import adjustments_file
from tests.evaluation.external.test_familiarity import draw_images
from tests.support.drawing import draw_inseparable


@pytest.fixture
def model(make_model):
    return make_model("m")


@pytest.fixture
def labeled(homes):
    """Drawn images of 40 patients, enough to refit on."""
    return draw_inseparable(homes / "data" / "other")


def run(capsys, *argv):
    status = main([*map(str, argv), "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if status == 0 else None, said.err


def test_recalibrate_changes_the_answers_until_it_is_undone(model, labeled, capsys):
    """Every answer says on which data; the card's bytes stay, and --unadjusted answers as the card says."""
    card = model.card.read_bytes()
    image = next((labeled / "valid").rglob("*.png"))
    _, before, _ = run(capsys, "classify", image, "--model", "m")
    status, made, _ = run(capsys, "recalibrate", "--model", "m", "--data", "other")
    assert status == 0 and made["recalibration"]["data"] == "other"
    _, after, _ = run(capsys, "classify", image, "--model", "m")
    assert after["adjusted"] == {"m": "This model is adjusted: recalibrated on other."}
    assert after["results"][0]["adjusted"] == after["adjusted"]["m"]
    assert after["results"][0]["doubt_from"] != before["results"][0]["doubt_from"]
    _, unadjusted, _ = run(capsys, "classify", image, "--model", "m", "--unadjusted")
    assert unadjusted == before and "adjusted" not in before
    assert run(capsys, "recalibrate", "--model", "m", "--undo")[1]["undone"]
    assert run(capsys, "classify", image, "--model", "m")[1] == before
    assert not run(capsys, "recalibrate", "--model", "m", "--undo")[1]["undone"]
    assert model.card.read_bytes() == card and not adjustments_file("m").exists()


def test_recalibrate_prints_held_out_figures_and_how_to_undo_them(model, labeled, capsys):
    """In words for people."""
    assert main(["recalibrate", "--model", "m", "--data", "other"]) == 0
    out = capsys.readouterr().out
    assert "judged by values that were fitted on the other of 5 folds" in out and "Brier score changes by" in out
    assert "recalibrate --model m --undo" in out


def test_calibrate_admits_radiographs_that_were_refused(model, tmp_path, capsys):
    """It says how many are refused before and after, and is undone."""
    images = draw_images(tmp_path / "mine", 60, brightness=80)
    refused = [path for path in images if _answer(capsys, path) == "unlike"]
    assert len(refused) > 30
    assert main(["calibrate", "--model", "m", str(tmp_path / "mine")]) == 0
    out = capsys.readouterr().out
    assert f"Of 60 radiographs the model refused {len(refused)}" in out and "lets more pictures through" in out
    assert _answer(capsys, refused[0]) != "unlike"
    assert main(["calibrate", "--model", "m", "--undo"]) == 0
    capsys.readouterr()
    assert _answer(capsys, refused[0]) == "unlike"


def _answer(capsys, path):
    return run(capsys, "classify", path, "--model", "m")[1]["results"][0]["answer"]


def test_classify_with_a_damaged_adjustments_file_answers_without_it(model, labeled, capsys):
    """One sentence on stderr says so."""
    image = next((labeled / "valid").rglob("*.png"))
    _, before, _ = run(capsys, "classify", image, "--model", "m")
    adjustments_file("m").parent.mkdir()
    adjustments_file("m").write_text('{"model_sha256"')
    status, answers, err = run(capsys, "classify", image, "--model", "m")
    assert status == 0 and answers == before
    assert "The model answers as its card says; delete the file" in err and len(err.strip().splitlines()) == 1


def test_adjusting_is_off_in_a_public_demo(model, labeled, monkeypatch, capsys):
    """Before any image is read."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    for argv in (["recalibrate", "--data", "other"], ["recalibrate", "--undo"], ["calibrate", str(labeled)]):
        assert main([argv[0], "--model", "m", *argv[1:]]) == 1
        assert "recalibrates no model" in capsys.readouterr().err


def test_evaluate_prints_the_comparison_with_the_card(model, labeled, capsys):
    """In words, and as JSON with the same metrics."""
    assert main(["evaluate", "--model", "m", "--data", "other"]) == 0
    out = capsys.readouterr().out
    assert "beside the model's validation images" in out and "difference" in out
    document = run(capsys, "evaluate", "--model", "m", "--data", "other")[1]
    auc = document["comparison"]["image"][0]
    assert auc["metric"] == "auc" and auc["external"] == document["metrics"]["image"]["auc"]
    assert isinstance(document["explanation"], list)
