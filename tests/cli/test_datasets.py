import json
import subprocess
import sys

import pytest
from PIL import Image

from fracture.cli.main import main
from fracture.data.decisions import decide
from tests.cli.test_main import LOADED
from tests.data.tables.test_columns import AMBIGUOUS, listed
from tests.support.drawing import draw_classes, draw_mura, draw_tall


@pytest.fixture
def spoilt(homes):
    """A drawn data set with a blank image."""
    root = draw_mura(homes / "mura", 4, 2, size=80)
    Image.new("L", (80, 80), 9).save(sorted(root.rglob("*.png"))[0])
    return root


def run(capsys, *argv: str) -> dict:
    assert main(["dataset", *argv, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_problems_are_told_with_why_they_matter(spoilt, capsys):
    """For people a line each, and a second one that says why; the same for programs."""
    problem = run(capsys, str(spoilt))["problems"]
    assert [found["kind"] for found in problem] == ["blank"]
    assert main(["dataset", str(spoilt)]) == 0
    out = capsys.readouterr().out
    assert f"warning: {problem[0]['message']}\n    {problem[0]['why']}\n" in out


def test_quick_decodes_no_pixels(spoilt, capsys, homes):
    """What only pixels tell is not told, and nothing is kept."""
    assert run(capsys, str(spoilt), "--quick")["problems"] == []
    assert not list((homes / "cache").rglob("*.sqlite"))


def test_decisions_are_heeded_and_told(spoilt, capsys):
    """An image that was excluded is no problem any more."""
    blank = run(capsys, str(spoilt))["problems"][0]["images"][0]
    (spoilt / "curation.csv").write_text(
        f"time,image_id,decision,reason\n2026-01-02T03:04:05.678Z,{blank},exclude,nothing to see\n"
    )
    document = run(capsys, str(spoilt))
    assert (document["problems"], document["excluded"], document["relabelled"]) == ([], 1, 0)
    assert main(["dataset", str(spoilt)]) == 0
    assert "By decision, 1 more are excluded" in capsys.readouterr().out


@pytest.mark.slow
def test_a_models_doubts_are_listed_without_tensorflow(drawn, make_model):
    """Each with study, label, probability and doubt; those of the problem are the same, in the same order."""
    make_model("m")
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "dataset", str(drawn), "--model", "m", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("[]")
    document = json.loads(done.stdout)
    told = [found["images"] for found in document["problems"] if found["kind"] == "label doubts"]
    listed = [found["image_id"] for found in document["label_doubts"]]
    assert told == ([listed] if listed else [])


def test_a_model_that_is_not_there_is_a_sentence(drawn, homes, capsys):
    """Status 1, and which models there are."""
    assert main(["dataset", str(drawn), "--model", "nope"]) == 1
    assert "no finished model called 'nope'" in capsys.readouterr().err


def test_class_folders_are_made_as_decided(spoilt, homes, capsys):
    """By copies, by links or in a zip; and it is said how many images were left out."""
    first = sorted(path.relative_to(spoilt).as_posix() for path in spoilt.rglob("*.png"))[0]
    decide(spoilt, [first], "exclude", "nothing to see")
    for way, out in (("copy", "prep"), ("zip", "prep.zip")):
        assert main(["prep", str(spoilt), str(homes / out), "--as", way, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (homes / out).exists() and told["excluded"] == 1
    assert len(list((homes / "prep").rglob("*.png"))) == told["images"]
    assert main(["prep", str(spoilt), str(homes / "prep")]) == 1
    assert "must be empty, or not there yet" in capsys.readouterr().err


def test_nothing_left_is_one_sentence(spoilt, homes, make_model, capsys):
    """Whatever is to be made of a data set of which every image was excluded."""
    make_model("m")
    decide(spoilt, [path.relative_to(spoilt).as_posix() for path in spoilt.rglob("*.png")], "exclude")
    for argv in (
        ["dataset", str(spoilt)],
        ["prep", str(spoilt), str(homes / "prep")],
        ["prep", str(spoilt), str(homes / "prep.zip"), "--as", "zip"],
        ["evaluate", "--model", "m", "--data", str(spoilt)],
    ):
        assert main(argv) == 1
        assert "At least one image of" in (told := capsys.readouterr().err) and told.count("\n") == 1
    assert not (homes / "prep").exists() and not (homes / "prep.zip").exists()


def test_labels_are_asked_for_stored_and_shown(homes, capsys):
    """Classes of unknown names are refused with how to answer; the answer is stored, and counts in later commands."""
    root = str(draw_classes(homes / "set", "A", "B", "C"))
    assert main(["dataset", root]) == 1
    assert "'A' (3), 'B' (3), 'C' (3)" in capsys.readouterr().err
    document = run(capsys, root, "--quick", "--labels", "negative=A", "positive=B", "ignore=C")
    assert document["label_mappings"][0]["ignore"] == ["C"]
    assert document["skipped"] == [{"reason": "class", "what": "C", "files": 3, "example": "C/image0.png"}]
    assert run(capsys, root, "--quick") == document
    assert main(["prep", root, str(homes / "out")]) == 0
    assert len(list((homes / "out").rglob("*.png"))) == 6


def test_labels_of_digits_are_printed_with_how_to_swap_them(homes, capsys):
    """The command line says that 0 is read as negative, and prints what swaps it."""
    root = str(draw_classes(homes / "set", "0", "1"))
    assert main(["dataset", root, "--quick"]) == 0
    assert "To swap them: --labels negative=1 positive=0" in capsys.readouterr().out
    assert main(["dataset", root, "--labels", "negative"]) == 1
    assert "Labels are given as negative=A,B positive=C ignore=D. Received: 'negative'" in capsys.readouterr().err


def test_columns_are_asked_for_stored_and_shown(homes, capsys):
    """Columns of unknown meaning are refused with how to answer; the answer is stored, shown, and counts later."""
    root = listed(homes / "set", *AMBIGUOUS)
    assert main(["dataset", str(root)]) == 1
    assert "say which is which with --columns image=filename" in capsys.readouterr().err
    chosen = ["--columns", "image=File", "label=Diagnosis", "--labels", "negative=Z00", "positive=S52"]
    document = run(capsys, str(root), "--quick", *chosen)
    assert document["columns"] == {"file": "list.csv", "image": "File", "label": "Diagnosis"}
    assert run(capsys, str(root), "--quick") == document
    assert main(["dataset", str(root), "--quick"]) == 0
    assert "To change that: --columns file=list.csv image=File label=Diagnosis" in capsys.readouterr().out
    assert main(["dataset", str(root), "--columns", "image=File"]) == 1
    assert "Columns for image and label must be given" in capsys.readouterr().err


def test_columns_of_a_resumed_run_are_refused(homes, capsys):
    """A resumed run keeps the columns with which it began."""
    assert main(["train", "--resume", "--name", "m", "--columns", "image=a", "label=b"]) == 1
    assert "can't take --columns" in capsys.readouterr().err


def test_labels_of_a_resumed_run_are_refused(homes, capsys):
    """A resumed run keeps the labels with which it began."""
    assert main(["train", "--resume", "--name", "m", "--labels", "negative=A", "positive=B"]) == 1
    assert "can't take --labels" in capsys.readouterr().err


def test_patient_pattern_is_stored_and_counts(homes, capsys):
    """Patients in the names of files make the groups, in this command and in later ones."""
    root = str(draw_classes(homes / "set", "normal", "fractured"))
    given = run(capsys, root, "--quick", "--patient-pattern", "image{patient}")
    assert given["patient_pattern"] == "image{patient}"
    assert sum(each["groups"] for each in given["counts"] if each["label"] == 0) == 3
    assert run(capsys, root, "--quick") == given


def test_a_property_that_predicts_the_label_is_told(homes, capsys):
    """As a problem, with the AUC of each property in the document and in a table for people."""
    root = draw_tall(homes / "tall")
    document = run(capsys, str(root))
    first = document["properties"][0]
    assert first["name"] in ("height", "aspect") and first["auc"]["low"] > 0.7
    (problem,) = [each for each in document["problems"] if each["kind"] == "property predicts label"]
    assert problem["severity"] == "warning" and problem["message"].startswith(f"{first['title']} alone predicts")
    assert main(["dataset", str(root)]) == 0
    out = capsys.readouterr().out
    assert "AUC of each property of the images in predicting the label alone" in out
    assert f"  {first['title']}" in out


def test_quick_tells_no_properties(homes, capsys):
    """Without measurements there are none."""
    assert run(capsys, str(draw_tall(homes / "tall")), "--quick")["properties"] == []
