"""``fracture classify`` on folders: results as they come, resumed after an interruption."""

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from fracture.cli import classify as classify_module
from fracture.cli.main import main
from fracture.inference.batch import job, results
from tests.support.waiting import wait


@pytest.fixture
def folder(tmp_path, make_model):
    """Forty small pictures, one of them damaged, and a model ``m``."""
    make_model("m")
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0)
    for number in range(40):
        Image.fromarray(pixels.integers(0, 256, (80, 80), np.uint8)).save(folder / f"{number:02}.png")
    (folder / "bad.png").write_text("hello")
    return folder


def studies(path):
    with path.open(newline="") as file:
        return [row["study"] for row in csv.DictReader(file)]


def test_folder_with_csv_gets_a_row_for_each_file(folder, tmp_path, capsys):
    """Also one for the damaged file, which is named on stderr; exit status 1."""
    out = tmp_path / "out.csv"
    assert main(["classify", str(folder), "--csv", str(out)]) == 1
    assert sorted(studies(out)) == sorted(str(path) for path in folder.iterdir())
    with out.open(newline="") as file:
        failed = [row for row in csv.DictReader(file) if row["status"] == "failed"]
    assert len(failed) == 1 and "bad.png" in failed[0]["error"]
    assert "bad.png" in capsys.readouterr().err


def test_workers_answer_as_one_process_does(folder, tmp_path, capsys):
    """The rows of two workers, in the order of the files where they are printed."""
    for workers in ("1", "2"):
        assert main(["classify", str(folder), "--workers", workers, "--json"]) == 1
    one, two = capsys.readouterr().out.strip().split("\n}\n")
    assert json.loads(one + "\n}") == json.loads(two)
    assert main(["classify", str(folder), "--csv", str(tmp_path / "out.parquet"), "--workers", "2"]) == 1
    table = parquet.read_table(tmp_path / "out.parquet").to_pandas()
    assert sorted(table["study"]) == sorted(str(path) for path in folder.iterdir())


def test_very_many_answers_are_counted_and_not_printed(folder, tmp_path, monkeypatch, capsys):
    """The file has them; the words below still say what they mean."""
    monkeypatch.setattr(classify_module, "MAX_PRINTED", 10)
    assert main(["classify", str(folder), "--csv", str(tmp_path / "out.csv"), "--answer-unlike"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("41 answered: ") and "no medical device" in said and "00.png" not in said


def test_interrupted_command_resumes_where_it_was(folder, tmp_path, monkeypatch, capsys):
    """Ctrl-C keeps what is there; the same command answers the rest, and another one is refused."""
    out = tmp_path / "out.csv"
    real = job.answer_study
    seen = []

    def interrupt(request, study):
        seen.append(study.name)
        if len(seen) == 15:
            raise KeyboardInterrupt
        return real(request, study)

    monkeypatch.setattr(job, "answer_study", interrupt)
    assert main(["classify", str(folder), "--csv", str(out)]) == 130
    assert "The same command resumes it" in capsys.readouterr().err and not out.exists()
    assert main(["classify", str(folder), "--csv", str(out), "--threshold", "0.3"]) == 1
    assert "begun with another --threshold" in capsys.readouterr().err
    assert main(["classify", str(folder), "--csv", str(out)]) == 1
    assert "14 were answered before" in capsys.readouterr().out
    assert sorted(studies(out)) == sorted(str(path) for path in folder.iterdir())
    assert len(seen) == len(set(seen)) + 1  # the one that was interrupted


@pytest.mark.slow
def test_killed_command_resumes_and_loses_nothing(folder, tmp_path):
    """After ``kill -9`` at any moment, the same command answers each file exactly once."""
    out = tmp_path / "out.csv"
    code = "import sys; from fracture.inference.batch import job, results; results.SAVED_EVERY = 0.0\n"
    code += "from fracture.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "classify", str(folder), "--csv", str(out), "--workers", "1"]
    part = tmp_path / "out.csv.part"
    sizes = []
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            before = sizes[-1] if sizes else 0
            wait(lambda before=before: process.poll() is not None or (part.exists() and part.stat().st_size > before))
            os.kill(process.pid, signal.SIGKILL)
        sizes.append(part.stat().st_size if part.exists() else 0)
    assert sizes[0] > 0
    subprocess.run(command, check=False, capture_output=True)
    assert sorted(studies(out)) == sorted(str(path) for path in folder.iterdir())


def test_one_file_loads_no_joblib(folder):
    """A single answer starts as fast as the model loads: no worker, and none of their libraries."""
    code = "import sys; from fracture.cli.main import main; main(sys.argv[1:]);"
    code += "print([m for m in ('joblib', 'dask', 'fsspec', 'sklearn') if m in sys.modules], file=sys.stderr)"
    command = [sys.executable, "-c", code, "classify", str(folder / "00.png"), "--model", "m"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_cluster_of_the_variable_is_used(folder, monkeypatch, capsys):
    """``FRACTURE_CLUSTER`` names the scheduler; ``--cluster`` is stronger."""
    used = []
    monkeypatch.setattr(classify_module, "classify_studies", lambda *arguments: used.append(arguments[3]) or iter([]))
    monkeypatch.setenv("FRACTURE_CLUSTER", "tcp://a:1")
    assert main(["classify", str(folder)]) == 0
    assert main(["classify", str(folder), "--cluster", "tcp://b:2"]) == 0
    assert used == ["tcp://a:1", "tcp://b:2"]


def test_memory_url_is_classified(folder, capsys):
    """A URL in the place of a folder; it is the name of the image."""
    fsspec = pytest.importorskip("fsspec", reason="needs the extra: pip install 'fracture[cluster]'")
    fsspec.filesystem("memory").pipe("/hospital/00.png", (folder / "00.png").read_bytes())
    assert main(["classify", "memory://hospital", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    # Versions of fsspec differ in the slashes of a path in memory.
    assert [row["image"].replace(":///", "://") for row in document["results"]] == ["memory://hospital/00.png"]


def test_results_module_names_every_column():
    """Rows have a column each; the sentence of a failure is the last."""
    assert results.COLUMNS[-1] == "error"
