"""The command line, as a user calls it."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.files import write_json
from fracture.phantoms.plan import DIFFICULTY, HARDWARE_SHARE
from fracture.registry.model_folder import model_folder, read_predictions
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.hostile.dicoms import dicom
from tests.support.drawing import draw_mura
from tests.support.waiting import wait


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "view.png"
    Image.linear_gradient("L").save(path)
    return path


def test_help_names_every_command(capsys):
    """``--help`` lists the commands and exits with 0."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("dataset", "phantom", "train", "evaluate", "classify", "models", "code"))


def test_classify_invert_answers_as_for_the_inverted_file(homes, make_model, tmp_path, capsys):
    """``--invert`` makes black white before the model sees it."""
    make_model("m")
    paths = [tmp_path / name for name in ("plain.png", "negative.png")]
    pixels = np.random.default_rng(0).integers(0, 120, (80, 80), np.uint8)
    for path, each in zip(paths, (pixels, 255 - pixels), strict=True):
        Image.fromarray(each).save(path)
    answers = []
    for argv in ([paths[0]], [paths[1], "--invert"]):
        assert main(["classify", *map(str, argv), "--model", "m", "--answer-unlike", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["results"][0]["probability"])
    assert answers[0] == answers[1] is not None


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["train", "--data", "x"],
        ["classify"],
        ["phantom"],
        ["phantom", "x", "--patients", "few"],
        ["train", "--data", "x", "--name", "y", "--fit", "crop"],
    ],
)
def test_wrong_usage_exits_with_2(argv, capsys):
    """What the parser does not understand is status 2."""
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["dataset", "nowhere"], "nowhere"),
        (["phantom", "x", "--patients", "1"], "patients must be 2 to 20000. Received: 1"),
        (["phantom", __file__], "cannot be written to"),
        (["classify", "x.png"], "no model yet"),
        (["classify", "x.png", "--model", "none-such"], "no finished model called 'none-such'"),
        (["classify", "x.png", "--model", "../up"], "A model's name has"),
        (["evaluate", "--model", "none-such", "--data", "."], "no finished model called"),
        (["code", "--model", "none-such"], "no finished model called"),
        (["rename", "none-such", "other"], "no model or run called 'none-such'"),
        (["note", "none-such"], "no model or run called 'none-such'"),
        (["note", "../up", "words"], "A model's name has"),
        (["train", "--data", ".", "--name", "a/b"], "name must be"),
        (["train", "--data", ".", "--name", "a", "--image-size", "40"], "image_size must be 75 to 1024. Received: 40"),
    ],
)
def test_what_a_user_can_put_right_is_one_sentence(homes, capsys, argv, words):
    """Status 1, a sentence on stderr, nothing on stdout, no traceback."""
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_dataset_tells_what_is_there(homes, drawn, capsys):
    """For people a table, for programs one JSON document."""
    assert main(["dataset", str(drawn)]) == 0
    assert "abnormal" in capsys.readouterr().out
    assert main(["dataset", str(drawn), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["images"] == sum(row["images"] for row in document["counts"])


@pytest.mark.slow
def test_phantom_draws_a_data_set_once(homes, tmp_path, capsys):
    """For people two lines, for programs one JSON document; the second time there is nothing left to draw."""
    out = str(tmp_path / "phantoms")
    assert main(["phantom", out, "--patients", "2", "--seed", "5"]) == 0
    assert "2 of 2 patients" in capsys.readouterr().out
    assert main(["phantom", out, "--patients", "2", "--seed", "5", "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["state"], document["done"], document["images_per_second"]) == ("complete", 2, 0)
    assert captured.err == ""
    assert main(["dataset", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == document["images"]


def test_classify_files_folders_and_studies(homes, make_model, picture, tmp_path, capsys):
    """Files are answered one by one, with --study together; folders are searched."""
    make_model("m")
    other = tmp_path / "folder" / "b.png"
    other.parent.mkdir()
    Image.radial_gradient("L").save(other)
    assert main(["classify", str(picture), str(other.parent), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [result["kind"] for result in document["results"]] == ["image", "image"]
    assert main(["classify", str(picture), str(other), "--study", "--json", "--csv", str(tmp_path / "o.csv")]) == 0
    kinds = [result["kind"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert kinds == ["image", "image", "study"]
    with (tmp_path / "o.csv").open() as file:
        assert [row["kind"] for row in csv.DictReader(file)] == kinds
    assert main(["classify", str(picture)]) == 0
    assert "no medical device" in capsys.readouterr().out


def test_classify_frame_chooses_one_of_several(homes, make_model, tmp_path, capsys):
    """Another frame of the same file gets another answer; one that is not there gets a sentence."""
    make_model("m")
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
    frames = np.stack([ramp, ramp.T])
    path = tmp_path / "run.dcm"
    path.write_bytes(dicom(frames[0], NumberOfFrames=2, PixelData=frames.tobytes()))
    answers = []
    for frame in ("1", "2"):
        assert main(["classify", str(path), "--frame", frame, "--answer-unlike", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["results"][0])
    assert answers[0] != answers[1]
    assert main(["classify", str(path), "--frame", "3"]) == 1
    assert "must be 1 to 2. Received: 3" in capsys.readouterr().err


def test_classify_names_a_picture_with_nothing_to_see(homes, make_model, picture, tmp_path, capsys):
    """A black picture gets no answer but a sentence, and exit status 1; the others are answered."""
    make_model("m")
    black = tmp_path / "black.png"
    Image.new("L", (64, 64), 3).save(black)
    assert main(["classify", str(picture), str(black), "--model", "m", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not any("black.png" in str(line) for line in found["results"]) and found["results"]
    assert "black.png must show something" in found["errors"][0] and "nearly all black" in found["errors"][0]


def test_classify_says_which_model_answers(homes, make_model, picture, capsys):
    """The newest may be that of a stopped training: it answers only where it is named."""
    old, new = make_model("old"), make_model("new")
    os.utime(old.path, (1, 1))
    new.card.write_text(new.card.read_text().replace('"state": "finished"', '"state": "stopped"'))
    assert main(["classify", str(picture)]) == 0
    said = capsys.readouterr()
    assert "by model 'old'" in said.out
    assert re.match(r"Using old · AUC .*: the newest one whose run finished\. Another one: --model NAME", said.err)
    assert main(["classify", str(picture), "--json"]) == 0
    said = capsys.readouterr()
    assert (json.loads(said.out)["model"], said.err) == ("old", "")
    assert main(["classify", str(picture), "--model", "new"]) == 0
    said = capsys.readouterr()
    assert "by model 'new'" in said.out and said.err == ""


def test_one_threshold_leaves_no_doubt_to_speak_of(homes, make_model, picture, capsys):
    """With one limit, the words say what is said from there on, and nothing is in doubt from it to itself."""
    make_model("m")
    assert main(["classify", str(picture), "--threshold", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "'abnormal' from 0.5 on" in said and "in doubt" not in said


def test_one_unreadable_file_does_not_hide_the_others(homes, make_model, picture, tmp_path, capsys):
    """The readable files are answered, the other is named, and the status says that something was wrong."""
    make_model("m")
    (tmp_path / "bad.png").write_text("hello")
    assert main(["classify", str(picture), str(tmp_path / "bad.png"), "--json"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert len(document["results"]) == 1
    assert "bad.png" in document["errors"][0]
    assert "bad.png" in captured.err


def test_a_study_is_answered_from_its_readable_views(homes, make_model, picture, tmp_path, capsys):
    """A broken view is named and the others are averaged; an empty folder hides nothing."""
    make_model("m")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_text("hello")
    views = [str(picture), str(tmp_path / "bad.png"), str(tmp_path / "empty")]
    assert main(["classify", "--study", "--json", *views]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [result["image"] for result in document["results"]] == [str(picture)]
    assert len(document["errors"]) == 2


def test_a_csv_that_cannot_be_written_is_said_first(homes, make_model, picture, capsys):
    """A missing folder for the CSV is one sentence, before any work is done."""
    make_model("m")
    assert main(["classify", str(picture), "--csv", "nowhere/out.csv"]) == 1
    captured = capsys.readouterr()
    assert "There is no folder nowhere" in captured.err
    assert captured.out == ""


def test_each_folder_of_a_data_set_is_a_study(homes, make_model, drawn, capsys):
    """With --study every folder that holds images is one study."""
    make_model("m")
    assert main(["classify", str(drawn / "valid"), "--study", "--json"]) == 0
    studies = {result["study"] for result in json.loads(capsys.readouterr().out)["results"]}
    assert studies == {str(path.parent) for path in (drawn / "valid").rglob("*.png")}


def test_a_damaged_model_does_not_hide_the_others(homes, make_model, capsys):
    """Each model is listed, a damaged one with what is wrong."""
    make_model("good")
    make_model("bad").card.write_text('{"schema": 99}')
    empty = make_model("empty").card
    empty.write_text(json.dumps({**json.loads(empty.read_text()), "metrics": {}}))
    assert main(["models", "--json"]) == 0
    found = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert found["good"]["usable"]
    assert "schema 2. Received: 99" in found["bad"]["error"]
    assert "is damaged" in found["empty"]["error"]


def test_evaluate_with_nothing_readable_is_one_sentence(homes, make_model, drawn, tmp_path, capsys):
    """A part without a readable image is no division by zero."""
    make_model("m")
    broken = tmp_path / "broken"
    shutil.copytree(drawn / "valid", broken / "valid")
    for path in broken.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:60])
    assert main(["evaluate", "--model", "m", "--data", str(broken)]) == 1
    assert "can be read" in capsys.readouterr().err


def test_models_lists_what_is_here(homes, make_model, capsys):
    """Nothing is said as such; a model with its AUC, on which data, and on which images it was chosen."""
    assert main(["models"]) == 0
    assert "No models yet" in capsys.readouterr().out
    make_model("m")
    assert main(["models", "--json"]) == 0
    assert [model["name"] for model in json.loads(capsys.readouterr().out)] == ["m"]
    assert main(["models"]) == 0
    chosen = "; epoch and thresholds chosen on the validation images of MURA-v1.1"
    line = rf"^m +finished +AUC [01]\.\d\d by study on MURA-v1\.1{re.escape(chosen)}$"
    assert re.search(line, capsys.readouterr().out, re.MULTILINE)


def test_code_prints_a_script_or_writes_it_beside_its_images(homes, make_model, tmp_path, capsys):
    """For people the script alone on stdout; with --out two files, which are never put over others."""
    make_model("m")
    assert main(["code", "--model", "m"]) == 0
    said = capsys.readouterr()
    compile(said.out, "m.py", "exec")
    assert "--out DIR" in said.err
    assert main(["code", "--model", "m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"code": said.out}
    assert main(["code", "--model", "m", "--out", str(tmp_path / "new" / "folder"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert Path(document["script"]).read_text() == document["code"] == said.out
    card = json.loads(model_folder("m").card.read_text())
    with Path(document["images"]).open() as file:
        assert sum(row["split"] == "train" for row in csv.DictReader(file)) == card["data"]["training_images"]
    assert main(["code", "--model", "m", "--out", str(tmp_path / "new" / "folder")]) == 1
    assert "without m.py and images.csv" in capsys.readouterr().err
    assert main(["code", "--model", "m", "--out", __file__]) == 1
    assert "cannot be written to" in capsys.readouterr().err


def test_a_model_is_renamed_and_noted(homes, make_model, capsys):
    """The note goes with the model to its new name; it is printed, changed and taken away."""
    make_model("m")
    assert main(["note", "m", "tried a lower rate"]) == 0
    assert main(["rename", "m", "lower-rate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1])["name"] == "lower-rate"
    assert main(["note", "lower-rate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["note"] == "tried a lower rate"
    assert main(["note", "lower-rate", ""]) == 0
    assert "There is no note" in capsys.readouterr().out
    assert main(["note", "lower-rate", "x" * 2001]) == 1
    assert "at most 2,000 characters. Received: 2,001" in capsys.readouterr().err


def test_evaluate_measures_the_served_model(homes, make_model, drawn, capsys):
    """A model is measured on the chosen part, with intervals; a part that is not there is named."""
    make_model("m")
    assert main(["evaluate", "--model", "m", "--data", str(drawn), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["metrics"]["image"]["count"] > 0
    assert document["data_labels"] == ["normal", "abnormal"]
    assert document["localisation"] is None
    assert main(["evaluate", "--model", "m", "--data", str(drawn), "--split", "test"]) == 1
    assert "train, valid" in capsys.readouterr().err


def test_evaluate_says_what_flatters_the_figures(homes, make_model, drawn, capsys):
    """Images that the model was trained on are counted."""
    make_model("m")
    assert main(["evaluate", "--model", "m", "--data", str(drawn), "--split", "all", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    training = json.loads(model_folder("m").card.read_text())["data"]["training_images"]
    assert document["trained_on"] == training and f"trained on {training} of these" in said.err
    assert document["metrics"]["image"]["count"] > training


@pytest.mark.slow
def test_evaluate_adds_the_files_of_the_models_own_images(homes, make_model, drawn, capsys):
    """Predictions that name no files get them where the images are the model's own; of others they are left alone."""
    folder = make_model("m")
    recorded = read_predictions(folder)
    pd.read_csv(folder.predictions).drop(columns="sha256").to_csv(folder.predictions, index=False)
    before = folder.predictions.read_bytes()
    assert main(["evaluate", "--model", "m", "--data", str(draw_mura(homes / "other", seed=7)), "--json"]) == 0
    said = capsys.readouterr()
    assert "are not the images that model 'm' was validated on" in said.err and json.loads(said.out)["model"] == "m"
    assert folder.predictions.read_bytes() == before
    own = json.loads(folder.card.read_text())["config"]["data"]
    assert main(["evaluate", "--model", "m", "--data", own, "--json"]) == 0
    assert f"which files {len(recorded)} predictions belong to" in capsys.readouterr().err
    assert read_predictions(folder).equals(recorded)


@pytest.mark.slow
def test_evaluate_puts_phantoms_into_the_models_words(homes, make_model, tmp_path, capsys):
    """What shows a plate alone is abnormal, and not fractured; other data are measured under a word of warning."""
    card = make_model("m").card
    card.write_text(card.read_text().replace('"normal"', '"not fractured"').replace('"abnormal"', '"fractured"'))
    assert main(["phantom", str(tmp_path / "phantoms"), "--patients", "12", "--seed", "3"]) == 0
    table = scan(tmp_path / "phantoms").table
    capsys.readouterr()
    assert main(["evaluate", "--model", "m", "--data", str(tmp_path / "phantoms"), "--split", "all", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    broken = int(table["findings"].str.contains("fracture").sum())
    assert document["metrics"]["image"]["positives"] == broken < table["label"].sum()
    assert document["data_labels"] == ["not fractured", "fractured"] and "The labels differ" not in said.err
    assert main(["evaluate", "--model", "m", "--data", str(draw_mura(tmp_path / "mura")), "--json"]) == 0
    assert "The labels differ" in capsys.readouterr().err


def test_what_is_out_of_distribution_gets_no_numbers_but_on_request(homes, make_model, picture, monkeypatch, capsys):
    """Neither in words nor in the file; its status says that an answer on request is not a validated one."""
    make_model("m")
    monkeypatch.setattr("fracture.inference.ood.OodDetector.in_distribution", lambda *_: False)
    assert main(["classify", str(picture), "--model", "m"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"unlike  no prediction +\S+\.png", printed) and "--answer-unlike answers it" in printed
    assert re.search(r"nearest training images: .+ \(\d+ of \d+\)", printed)
    assert main(["classify", str(picture), "--model", "m", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)["results"][0]
    assert (line["answer"], line["probability"], line["lowest"]) == ("unlike", None, None)
    assert main(["classify", str(picture), "--model", "m", "--answer-unlike", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)["results"][0]
    assert line["status"] == "unlike" and line["answer"] in ("normal", "abnormal", "doubt")
    assert 0 <= line["probability"] <= 1


def test_a_printed_probability_names_its_label(homes, make_model, picture, monkeypatch, capsys):
    """Beside the answer *normal*, a bare figure would read as the probability of normal."""
    make_model("m")
    monkeypatch.setattr("fracture.inference.ood.OodDetector.in_distribution", lambda *_: True)
    assert main(["classify", str(picture), "--model", "m"]) == 0
    assert re.search(r"(normal|abnormal|doubt)  abnormal 0\.\d{3} \(.+\) +\S+\.png", capsys.readouterr().out)


def test_evaluate_measures_the_heat_maps_where_truth_is_known(homes, make_model, tmp_path, capsys):
    """With a truth.csv, the heat maps' figures stand beside the others, each with its level of chance."""
    make_model("m")
    data = draw_mura(tmp_path / "known", 1, 4, truth=True)
    assert main(["evaluate", "--model", "m", "--data", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["localisation"]
    assert found["images"] == len(list((data / "valid").glob("**/*_positive/*.png")))
    assert found["groups"] == 2
    assert found["pointing"]["chance"] == pytest.approx(8 * 48 / 64**2)
    assert main(["evaluate", "--model", "m", "--data", str(data)]) == 0
    assert "peak inside the box 0.000 (no interval); by chance 0.094" in capsys.readouterr().out


@pytest.mark.full
def test_train_from_the_command_line(graphs, drawn):
    """A training is started, followed to its end, and its card printed as JSON."""
    command = [sys.executable, "-m", "fracture", "train", "--data", str(drawn), "--name", "cli", "--weights", "none"]
    done = subprocess.run(
        [*command, "--image-size", "75", "--epochs", "2", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs_done"] == 2
    assert done.stderr == ""


@pytest.mark.slow
def test_an_interrupted_command_stops_its_run_and_says_so(homes, drawn, monkeypatch, capsys):
    """It follows the run until the best epoch is saved, and meanwhile ``models`` calls it stopping."""
    followed = []

    def follow(run, quiet, since=0):
        followed.append(quiet)
        if len(followed) == 1:
            wait(run.folder.checkpoint.exists)
            raise KeyboardInterrupt
        assert main(["models"]) == 0
        wait(lambda: not queue.find_run(run.folder).active)

    monkeypatch.setattr("fracture.cli.models.follow", follow)
    command = ["train", "--data", str(drawn), "--name", "cli", "--weights", "bundled-8bit", "--image-size", "75"]
    monkeypatch.setattr("fracture.training.runs.run.Run.stopping", True)
    assert main([*command, "--epochs", "1000"]) == 0
    said = capsys.readouterr()
    assert "Stopping: the best epoch so far is being saved." in said.err
    assert re.search(r"cli +stopping", said.out)
    assert followed == [False, False], "it is not silent while it stops"


def test_train_without_its_weights_fails_at_once(homes, drawn, capsys, monkeypatch):
    """The default weights can't be had: a sentence that names the other sources, and no run is left behind."""
    monkeypatch.setattr("fracture.training.imagenet.available", lambda *_: False)
    assert main(["train", "--data", str(drawn), "--name", "cli"]) == 1
    assert "does not answer. Sources: imagenet (needs the internet once), bundled" in capsys.readouterr().err
    assert not queue.model_folder("cli").path.exists()


@pytest.mark.slow
def test_train_goes_on_with_what_was_interrupted(homes, drawn, capsys):
    """By its name alone; what is not there, or has ended, is one sentence."""
    assert main(["train", "--resume", "--name", "cli"]) == 1
    assert "no run called 'cli'" in capsys.readouterr().err
    run = queue.start(TrainConfig(data=str(drawn), name="cli", weights="bundled-8bit", image_size=75, epochs=1000))
    wait(run.folder.checkpoint.exists)
    queue.end_now(run)
    status = json.loads(run.folder.status.read_text())
    write_json(run.folder.status, {**status, "config": {**status["config"], "epochs": 999}})
    assert main(["train", "--resume", "--name", "cli", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs_done"] == 999
    assert main(["train", "--resume", "--name", "cli"]) == 1
    assert "'cli' is finished" in capsys.readouterr().err


LOADED = "import sys; from fracture.cli.main import main; code = main(sys.argv[1:]); "
LOADED += (
    "print([m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules], file=sys.stderr); sys.exit(code)"
)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["dataset", "classify", "evaluate", "models", "code"])
def test_no_command_loads_tensorflow_or_streamlit(homes, make_model, drawn, picture, command):
    """Only the training process imports TensorFlow, and only the app Streamlit."""
    make_model("m")
    arguments = {
        "dataset": [str(drawn)],
        "classify": [str(picture)],
        "evaluate": ["--model", "m", "--data", str(drawn)],
        "models": [],
        "code": ["--model", "m"],
    }[command]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, command, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("[]")


def test_help_names_the_defaults_of_phantoms(capsys):
    """The help text is typed by hand."""
    with pytest.raises(SystemExit):
        main(["phantom", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"(default: {DIFFICULTY})" in said
    assert f"or {HARDWARE_SHARE})" in said


@pytest.mark.parametrize(("share", "words"), [("most", "must be 0 to 1, or former. Received: most")])
def test_phantom_with_an_unreadable_hardware_share_is_refused(tmp_path, capsys, share, words):
    """The error says what is allowed; nothing is generated."""
    with pytest.raises(SystemExit):
        main(["phantom", str(tmp_path / "out"), "--hardware-share", share])
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_is_light():
    """``import fracture`` and ``--help`` load neither TensorFlow nor Streamlit, nor pandas."""
    code = "import sys, runpy; sys.argv = ['fracture', '--help']\n"
    code += "try: runpy.run_module('fracture')\nexcept SystemExit: pass\n"
    code += "print([m for m in ('tensorflow', 'keras', 'streamlit', 'pandas', 'plotly') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


@pytest.mark.slow
def test_names_of_files_need_not_be_text(homes, make_model, picture, tmp_path):
    """What is none of it is escaped, in what is printed and in the CSV."""
    make_model("m")
    odd = picture.rename(picture.with_name(os.fsdecode(b"x\xff.png")))
    done = subprocess.run(
        [sys.executable, "-m", "fracture", "classify", str(odd), "--csv", str(tmp_path / "o.csv")],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"x\\udcff.png" in done.stdout
    assert "x\\udcff.png" in (tmp_path / "o.csv").read_text()


def test_classify_also_asks_the_models_that_are_named(home_with_data, make_model, capsys):
    """One answers for an image, of all that were asked; a model that is named twice is asked once."""
    make_model("a")
    make_model("b")
    picture = next((home_with_data / "data").rglob("*.png"))
    assert main(["classify", str(picture), "--also-ask", "a", "--also-ask", "b", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["models"]) == {"a", "b"} and len(document["results"]) == 1
    assert main(["classify", str(picture), "--also-ask", "b", "--also-ask", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "b"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--also-ask", "a", "--also-ask", "b", "--also-ask", "c"],
            "--also-ask takes at most 2 models. Received: a, b, c",
        ),
        (["--also-ask", "a", "--model", "b"], "--also-ask adds models to 'automatic'. Received: --model b"),
        (["--also-ask", "none-such"], "no finished model called 'none-such'"),
    ],
)
def test_classify_with_wrong_models_to_also_ask_says_what_is_allowed(homes, arguments, words, capsys):
    """One sentence, before any image is read."""
    assert main(["classify", "x.png", *arguments]) == 1
    assert words in capsys.readouterr().err
