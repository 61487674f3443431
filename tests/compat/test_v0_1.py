"""Folders written by version 0.1.0 are read and used: the names on disk, and of the JSON documents, are a contract.

The fixtures in ``v0.1/`` were written by that version, see the README there. Everything is asked through borders that
stay where they are: the command line, the pages, and the files themselves. No module of the package is imported.
"""

import csv
import io
import json
import os
import re
import runpy
import shutil
import sqlite3
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from kagglesdk import kaggle_env
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.support.servers import TOKEN, Kaggle

WRITTEN = Path(__file__).parent / "v0.1"
PROJECT = Path(__file__).parents[2]

PLACE = b"@HOME@"
"""What stands in the fixtures for the folder that they are copied to."""

CHANGED = 1_760_000_000_000_000_000
"""When the images were last changed, in ns: the caches know an image by its size and this time."""

EXPECTED = json.loads((WRITTEN / "expected.json").read_text(encoding="utf-8"))
"""What version 0.1.0 said of these folders, or made of them."""

COMMANDS = {
    "models": "models",
    "dataset": "dataset mura",
    "dataset with decisions": "dataset decided --quick",
    "dataset with a model": "dataset mura --model finished",
    "dataset deleted": "dataset decided --delete --yes",
    "prep": "prep decided @HOME@/class-folders",
    "import-zip": "import-zip @HOME@/kaggle.zip",
    "evaluate": "evaluate --model finished --data mura",
    "classify": "classify @HOME@/data/mura/valid --model finished",
    "classify a study": "classify @HOME@/data/mura/valid/XR_HUMERUS/patient00008 --model finished --study",
    "code": "code --model finished",
    "code with files": "code --model finished --out @HOME@/script",
    "rename": "rename finished renamed",
    "note": "note finished",
    "note written": "note finished anew",
}
"""Commands that print a JSON document with ``--json``."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def fracture(*arguments: object) -> Ended:
    """Run ``python -m fracture`` with these arguments in this process."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["fracture", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            runpy.run_module("fracture", run_name="__main__")
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    return Ended(code, out.getvalue(), err.getvalue())


def furnish(home: Path, *sources: str) -> Path:
    """Copy folders of fixtures to ``home``, as they were on the machine that wrote them."""
    for source in sources:
        shutil.copytree(WRITTEN / source, home, dirs_exist_ok=True)
    for path in (home / "models").rglob("*"):
        _put_place(path, home)
    _put_place(home / "data" / ".folders.json", home)
    for path in home.rglob("*.png"):
        os.utime(path, ns=(CHANGED, CHANGED))
    for path in home.glob("data/*/*.csv"):
        os.utime(path, ns=(CHANGED, CHANGED))
    for name, table in (("digests/files", "files"), ("measurements/images", "images")):
        _put_place_in_cache(home / "cache" / f"{name}.sqlite", table, home)
    folder = os.fsencode(home / "data" / "mura")
    for index in home.glob("cache/index/*.table"):
        index.rename(index.with_stem(sha256(folder).hexdigest()[:24]))
    return home


def _put_place(path: Path, home: Path) -> None:
    if path.suffix in (".json", ".jsonl", ".log"):
        path.write_bytes(path.read_bytes().replace(PLACE, os.fsencode(home)))


def _put_place_in_cache(file: Path, table: str, home: Path) -> None:
    base = sqlite3.connect(file)
    with base:
        base.execute(f"UPDATE {table} SET path = replace(path, ?, ?)", (PLACE.decode(), str(home)))
    base.close()


def graph() -> bytes:
    """The finished model's graph, byte for byte: parts of the bundled model's of then, and what is its own."""
    bundled = PROJECT / "models" / "fracatlas"
    served = (bundled / "model.tflite").read_bytes()
    return rebuilt(WRITTEN / "graph.npz", rebuilt(bundled / "dynamic_range.npz", served))


def rebuilt(difference: Path, bundled: bytes) -> bytes:
    """A file of which a difference says where its bytes are in another file, and holds the rest."""
    with np.load(difference) as file:
        copies, literal = file["copies"].tolist(), file["literal"].tobytes()
    parts = []
    done = 0
    for upto, start, length in copies:
        parts += [literal[done:upto], bundled[start : start + length]]
        done = upto
    return b"".join([*parts, literal[done:]])


def probe(content: bytes) -> float:
    """What the graph says of a fixed pattern, without any code of this project."""
    pattern = (np.arange(75 * 75, dtype=np.int64) ** 2 % 251).astype(np.uint8).reshape(1, 75, 75, 1)
    run = Interpreter(model_content=content, num_threads=2).get_signature_runner()
    return float(run(image=pattern)["logit"].item())


def outline(document: Any, place: str = "") -> list[str]:
    """The names of all values in a JSON document, such as ``results[].probability``."""
    inner: Iterator[tuple[str, Any]]
    if isinstance(document, dict):
        inner = ((f"{place}.{name}".lstrip("."), value) for name, value in document.items())
    elif isinstance(document, list):
        inner = ((f"{place}[]", value) for value in document)
    else:
        return []
    names = set()
    for name, value in inner:
        names |= {name, *outline(value, name)}
    return sorted(names)


ADDED_TO_RUNS = ("config.selection", "selection", "regions", "parts")
"""The keys and arrays of a run's files that came after version 0.1.0: what is older reads past them."""


def outline_of_run(document: Any) -> list[str]:
    """The outline of a card, a status or an event, without what was added."""
    return [name for name in outline(document) if name not in ADDED_TO_RUNS]


def outlines(folder: Path) -> dict[str, Any]:
    """The names in the files of a finished run: what they are called, and what in them."""
    events: dict[str, set[str]] = {}
    for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        events.setdefault(event["kind"], set()).update(outline_of_run(event))
    with np.load(folder / "familiarity.npz") as file:
        method, arrays = str(file["method"]), sorted(set(file.files) - set(ADDED_TO_RUNS))
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "card.json": outline_of_run(read_json(folder / "card.json")),
        "status.json": outline_of_run(read_json(folder / "status.json")),
        "history.json": outline(read_json(folder / "history.json")),
        "events.jsonl": {kind: sorted(names) for kind, names in sorted(events.items())},
        "familiarity.npz": arrays,
        "method": method,
        "predictions.csv": (folder / "predictions.csv").read_text(encoding="utf-8").splitlines()[0],
    }


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def files(root: Path) -> dict[str, bytes]:
    """The images below a folder that a reader meets, by their paths from there."""
    found = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*.png"))}
    return {name: path.read_bytes() for name, path in found.items() if "/." not in f"/{name}"}


def truth(text: str) -> dict[str, dict[str, str]]:
    """The rows of a truth.csv, by image."""
    return {row["image"]: row for row in csv.DictReader(io.StringIO(text))}


def features_said(folder: Path) -> dict[str, Any]:
    """The last word of a run on how many features were there, and how many of them were known from before."""
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == "features"][-1]


def one_sentence(ended: Ended) -> bool:
    """Whether a command was refused in one line, without a traceback."""
    return ended.code == 1 and ended.out == "" and len(ended.err.strip().splitlines()) == 1


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of :func:`graph`."""
    file = tmp_path_factory.mktemp("served") / "model.tflite"
    file.write_bytes(graph())
    return file


@pytest.fixture(scope="session")
def close(served: Path) -> Callable[[Any], Any]:
    """Compares numbers: exactly on a processor that computes as that of the fixtures did, else less so.

    In 8 bits, XNNPACK's kernels for different processors gave probabilities up to 0.004 apart.
    """
    same = probe(served.read_bytes()) == pytest.approx(EXPECTED["probe"], abs=1e-4)
    return lambda value: pytest.approx(value, abs=1e-4 if same else 0.02)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Path) -> Path:
    """The folders of version 0.1.0, in ``tmp_path``, in use."""
    # Version 0.1.0 knew no FRACTURE_SHIPPED; without it the models that come with the project are listed as well.
    folders = {"FRACTURE_DATA": "data", "FRACTURE_MODELS": "models", "FRACTURE_CACHE": "cache"}
    for variable, folder in {**folders, "FRACTURE_SHIPPED": "shipped"}.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.delenv("FRACTURE_PUBLIC", raising=False)
    monkeypatch.delenv("FRACTURE_TRAININGS", raising=False)
    furnish(tmp_path, "home")
    shutil.copy(WRITTEN / "kaggle.zip", tmp_path)
    os.link(served, tmp_path / "models" / "finished" / "model.tflite")
    return tmp_path


def keep_runs(home: Path, *names: str) -> None:
    """Leave these runs alone, so that no other is started on the way."""
    for folder in (home / "models").iterdir():
        if folder.is_dir() and folder.name not in names:
            shutil.rmtree(folder)


ADDED_TO_ANSWERS = (
    "adjusted",
    "models",
    "runtimes",
    *(f"results[].{key}" for key in ("adjusted", "status", "nearest_parts", "unusual")),
)
ADDED_TO_DATASETS = ("columns", "label_mappings", "patient_pattern", "properties", "skipped")
ADDED_SINCE = {
    "dataset": ADDED_TO_DATASETS,
    "dataset with decisions": ADDED_TO_DATASETS,
    "dataset with a model": ADDED_TO_DATASETS,
    "evaluate": ("comparison", "explanation"),
    "classify": ADDED_TO_ANSWERS,
    "classify a study": ADDED_TO_ANSWERS,
}
"""The keys that later versions added to the documents of version 0.1.0."""


@pytest.mark.parametrize("name", COMMANDS)
def test_json_documents_have_the_recorded_keys(home, name):
    """What people's scripts read of ``--json`` is neither renamed nor taken away, and nothing comes unrecorded."""
    ended = fracture(*COMMANDS[name].replace(PLACE.decode(), str(home)).split(), "--json")
    added = ADDED_SINCE.get(name, ())
    known = [key for key in outline(ended.document) if re.split(r"[.\[]", key)[0] not in added and key not in added]
    assert known == EXPECTED["keys"][name]


def test_runs_are_listed_with_their_states(home):
    """Each run as it was left; one whose process is gone has failed."""
    listed = {model["name"]: model for model in fracture("models", "--json").document}
    states = {name: model["state"] for name, model in listed.items()}
    assert states == {
        "finished": "finished",
        "stopped": "stopped",
        "killed": "failed",
        "queued": "queued",
        "visited": "stopped",
    }
    assert [name for name, model in listed.items() if model["usable"]] == ["finished"]
    assert listed["finished"]["labels"] == ["normal", "abnormal"]
    card = read_json(home / "models" / "finished" / "card.json")
    assert listed["finished"]["auc"] == card["metrics"]["image"]["auc"]["value"]


def test_the_finished_run_answers_as_it_did(home, close):
    """Its card, graph and familiarity are understood: the same probabilities, and the same images refused."""
    document = fracture("classify", home / "data" / "mura" / "valid", "--model", "finished", "--json").document
    answers = {Path(line["image"]).relative_to(home / "data").as_posix(): line for line in document["results"]}
    recorded = EXPECTED["probabilities"]
    assert answers.keys() == recorded.keys()
    for image, probability in recorded.items():
        assert (answers[image]["probability"] is None) == (probability is None), image
        if probability is not None:
            assert answers[image]["probability"] == close(probability), image


def test_the_finished_run_is_evaluated_as_it_was(home, close):
    """The same figures, and its training images are known by their files."""
    document = fracture("evaluate", "--model", "finished", "--data", "mura", "--json").document
    recorded = EXPECTED["evaluate"]
    image = document["metrics"]["image"]
    assert (image["count"], image["positives"], document["trained_on"]) == tuple(recorded["counts"])
    assert image["auc"]["value"] == close(recorded["auc"])
    assert image["calibration"]["brier"]["value"] == close(recorded["brier"])
    assert document["localisation"]["pointing"]["chance"] == close(recorded["chance"])
    seen = fracture("evaluate", "--model", "finished", "--data", "mura", "--split", "train", "--json").document
    assert seen["trained_on"] == seen["metrics"]["image"]["count"] == recorded["training_images"]


def test_the_finished_run_has_its_note_and_its_script(home):
    """The note is as it was written; the script's table names every image by a path that leads to it."""
    assert fracture("note", "finished", "--json").document["note"] == "The first one.\nSecond line: größer als β."
    script = fracture("code", "--model", "finished", "--out", home / "script", "--json").document
    rows = Path(script["images"]).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(list((home / "data" / "mura").rglob("*.png")))
    compile(script["code"], "script", "exec")


def test_runs_follow_their_data_set_to_its_new_name(home):
    """A finished run's card, status and events name the folder as it is called now."""
    keep_runs(home, "finished")
    assert fracture("dataset", "mura", "--rename", "humerus", "--json").code == 0
    run = home / "models" / "finished"
    assert read_json(run / "card.json")["config"]["data"] == "humerus"
    assert read_json(run / "status.json")["config"]["data"] == str(home / "data" / "humerus")
    events = (run / "events.jsonl").read_text(encoding="utf-8")
    assert str(home / "data" / "humerus") in events and str(home / "data" / "mura") not in events
    assert fracture("evaluate", "--model", "finished", "--data", "humerus", "--json").code == 0


def resume(home: Path, name: str, close: Callable[[Any], Any]) -> None:
    """Resume a run: it comes to its last epoch as if it had never stood still.

    Its features are computed once again: the gray scale of some files has changed since.
    """
    run = home / "models" / name
    with np.load(run / "checkpoint.npz") as checkpoint:
        before = json.loads(checkpoint["said"].item())
    card = fracture("train", "--resume", "--name", name, "--json").document
    assert outline_of_run(card) == EXPECTED["keys"]["train"]
    assert (card["state"], card["epochs_done"]) == ("finished", EXPECTED["epochs"])
    history = read_json(run / "history.json")
    for metric, values in before["history"].items():
        assert history[metric][: before["epoch"]] == values
        assert history[metric] == close(EXPECTED["history"][metric])
    assert features_said(run)["total"] == EXPECTED["features"]
    assert not (run / "checkpoint.npz").exists()
    assert fracture("classify", home / "data" / "mura" / "valid", "--model", name, "--json").code == 0


@pytest.mark.slow
def test_a_stopped_run_is_resumed_from_its_checkpoint(home, close):
    """The model that it had left gives way to the one of all epochs."""
    keep_runs(home, "stopped")
    resume(home, "stopped", close)


@pytest.mark.slow
def test_a_killed_run_is_resumed_after_the_queued_one(home, close):
    """The queued run has waited for longer: it comes first, and its folder has the same names as ever."""
    keep_runs(home, "queued", "killed")
    resume(home, "killed", close)
    listed = {model["name"]: model["state"] for model in fracture("models", "--json").document}
    assert listed == {"queued": "finished", "killed": "finished"}
    run = home / "models" / "queued"
    assert features_said(run)["total"] == EXPECTED["features"]
    assert outlines(run) == EXPECTED["outlines"]
    assert ended(run) < ended(home / "models" / "killed")


def ended(run: Path) -> float:
    """When a run said that it had ended: seconds since the epoch."""
    last = json.loads((run / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["kind"] == "end"
    return float(last["time"])


@pytest.mark.parametrize("name", ["stopped-import", "killed-import"])
def test_an_interrupted_import_fetches_only_what_is_missing(home, monkeypatch, name):
    """What is there stays as it is and is not asked for again; what a killed process left of a file is taken away."""
    with zipfile.ZipFile(WRITTEN / "kaggle.zip") as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    wanted = {each.removeprefix("MURA-v1.1/"): held[each] for each in held if "/XR_HUMERUS/" in each}
    root = home / "data" / name
    before = files(root)
    assert 0 < len(before) < len(wanted)
    for variable in [each for each in os.environ if each.startswith("KAGGLE_") or each.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("FRACTURE_KAGGLE_TOKEN", TOKEN)
    with Kaggle(held, port=0) as server:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.TEST, server.url)
        document = fracture("import-kaggle", "--out", root, "--json").document
    assert outline(document) == EXPECTED["keys"]["import-kaggle"]
    assert (document["state"], document["files"], document["total_files"]) == ("complete", len(wanted), len(wanted))
    assert files(root) == wanted
    asked = [each.removeprefix("MURA-v1.1/") for each in server.requested_files()]
    assert sorted(asked) == sorted(set(wanted) - set(before))
    assert not list(root.glob(".import/part-*"))
    assert outline(read_json(root / "import.json")) == EXPECTED["keys"]["import.json"]


def test_phantoms_that_were_begun_are_completed(home):
    """What was drawn stays byte for byte, also a study that no table lists yet; the rest comes to it."""
    root = home / "data" / "phantoms-1"
    hidden = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob(".study1_positive/*.png")}
    before = files(root)
    plan = ("--patients", 3, "--seed", 199, "--difficulty", 0.2)
    assert one_sentence(fracture("phantom", root, *plan[:2], "--seed", 198, "--json"))
    document = fracture("phantom", root, *plan, "--json").document
    assert outline(document) == EXPECTED["keys"]["phantom"]
    assert (document["state"], document["done"], document["images"]) == ("complete", 3, len(EXPECTED["phantoms"]))
    after = files(root)
    assert list(after) == EXPECTED["phantoms"]
    drawn_before = {name.replace("/.", "/"): content for name, content in {**before, **hidden}.items()}
    assert {name: after[name] for name in drawn_before} == drawn_before
    assert 0 < len(before) < len(drawn_before) < len(after)
    written, recorded = truth((root / "truth.csv").read_text(encoding="utf-8")), truth("\n".join(EXPECTED["truth.csv"]))
    assert list(written) == list(recorded) == EXPECTED["phantoms"]
    for name, row in recorded.items():
        shape = {} if name in drawn_before else {"boxes": "", "mask": ""}  # to the pixel on the same processor alone
        assert {**written[name], **shape} == {**row, **shape}
    assert outline(read_json(root / "phantom.json")) == EXPECTED["keys"]["phantom.json"]


def test_phantoms_of_the_former_rule_are_drawn_again(home, tmp_path):
    """The images of a plan without a hardware share are those of version 0.1.0, byte for byte on one processor."""
    root = home / "data" / "phantoms-1"
    known = [*root.rglob("patient*/study1_positive/*.png"), *root.rglob(".study1_positive/*.png")]
    plan = ("--patients", 3, "--seed", 199, "--difficulty", 0.2, "--hardware-share", "former")
    document = fracture("phantom", tmp_path / "again", *plan, "--json").document
    assert document["state"] == "complete"
    assert known
    for path in known:
        name = path.relative_to(root).as_posix().replace("/.", "/")
        assert_same_phantom(path, tmp_path / "again" / name)


def assert_same_phantom(before: Path, after: Path) -> None:
    """Equal bytes; or, as another processor rounds, equal text and at most two gray levels apart."""
    if before.read_bytes() == after.read_bytes():
        return
    with Image.open(before) as one, Image.open(after) as other:
        texts = [_text_without_shapes(image) for image in (one, other)]
        pixels = [np.asarray(image, dtype=int) for image in (one, other)]
    assert texts[0] == texts[1]
    assert np.abs(pixels[0] - pixels[1]).max() <= 2


def _text_without_shapes(image: Image.Image) -> dict[str, Any]:
    return {key: value for key, value in image.info.items() if key not in {"boxes", "mask"}}


def test_decisions_are_applied(home):
    """Of all about one image the latest holds: images excluded, relabeled, and as they are in the data."""
    document = fracture("dataset", "decided", "--json").document
    assert {name: document[name] for name in EXPECTED["decided"]} == EXPECTED["decided"]
    exported = fracture("prep", "decided", home / "out", "--json").document
    assert exported["images"] == document["images"] == len(list((home / "out").rglob("*.png")))


def test_what_the_caches_know_does_no_harm(home):
    """With them and without them, a data set is described alike."""
    known = fracture("dataset", "mura", "--json").document
    shutil.rmtree(home / "cache")
    assert fracture("dataset", "mura", "--json").document == known
    assert sum(row["images"] for row in known["counts"]) == known["images"] == EXPECTED["images"]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["data", "train", "models", "playground", "leakage", "shortcuts", "classify"])
def test_pages_show_the_folders(home, page):
    """Each page draws them without an error, and offers to compute features of former pixels again."""
    keep_runs(home, "finished", "stopped")
    app = AppTest.from_file(str(PROJECT / "pages" / f"{page}.py"), default_timeout=120)
    app.session_state["features"] = "stopped"
    app.run()
    assert not app.exception, app.exception
    assert not app.error
    lost = "The features of stopped are no longer in the cache."
    assert (lost in [each.value for each in app.info]) == (page in ("playground", "leakage", "shortcuts"))


@pytest.mark.slow
def test_a_typed_folder_is_still_offered(home):
    """One of the selection boxes has the path that somebody typed in the version before."""
    keep_runs(home)
    app = AppTest.from_file(str(PROJECT / "pages" / "data.py"), default_timeout=120).run()
    typed = str(home / "elsewhere" / "typed")
    assert any(typed in box.options for box in app.selectbox)
    assert any("phantoms-1" in box.options and "mura" in box.options for box in app.selectbox)


@pytest.mark.slow
@pytest.mark.parametrize(("days", "swept"), [(0, False), (2, True)])
def test_what_visitors_made_is_known_by_their_mark(home, monkeypatch, days, swept):
    """In a public demo only what bears a mark is deleted after a day, and nobody else changes it before."""
    keep_runs(home, "finished", "visited")
    marks = [home / folder / ".visitor.json" for folder in ("models/visited", "data/visited")]
    for mark in marks:
        said = {**read_json(mark), "since": time.time() - days * 86_400}
        mark.write_text(json.dumps(said), encoding="utf-8")
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    assert one_sentence(fracture("note", "visited", "mine", "--json"))
    app = AppTest.from_file(str(PROJECT / "pages" / "home.py"), default_timeout=120).run()
    assert not app.exception, app.exception
    assert [mark.exists() for mark in marks] == [not swept, not swept]
    assert (home / "models/finished/card.json").exists() and (home / "data/mura/truth.csv").exists()


@pytest.mark.parametrize("name", ["damaged", "foreign", "newer"])
def test_a_card_that_cannot_be_used_is_one_sentence(home, name):
    """Cut short, another program's, or of a version to come: asked for, it is refused; listed, it says why."""
    furnish_broken(home)
    image = next((home / "data" / "mura").rglob("*.png"))
    assert one_sentence(fracture("classify", image, "--model", name, "--json"))
    assert one_sentence(fracture("code", "--model", name, "--json"))
    listed = {model["name"]: model for model in fracture("models", "--json").document}
    assert listed["finished"]["usable"] and not listed[name]["usable"] and listed[name]["error"]


def furnish_broken(home: Path) -> None:
    shutil.copytree(WRITTEN / "broken", home, dirs_exist_ok=True)
    for name in ("damaged", "foreign", "newer"):
        os.link(home / "models" / "finished" / "model.tflite", home / "models" / name / "model.tflite")


def test_a_torn_status_is_one_sentence(home):
    """The run has failed, and says why; it can't be resumed."""
    furnish_broken(home)
    listed = {model["name"]: model for model in fracture("models", "--json").document}
    assert listed["torn"]["state"] == "failed" and listed["torn"]["error"]
    assert one_sentence(fracture("train", "--resume", "--name", "torn", "--json"))


@pytest.mark.parametrize(
    "command",
    [
        "import-kaggle --out @HOME@/data/foreign-import",
        "phantom @HOME@/data/foreign-phantoms --patients 2",
        "dataset foreign-decisions",
    ],
)
def test_a_foreign_document_is_one_sentence(home, command):
    """Other programs' files by our names are refused, and left as they are."""
    furnish_broken(home)
    before = {path: path.read_bytes() for path in (home / "data").glob("foreign-*/*.*")}
    assert one_sentence(fracture(*command.replace(PLACE.decode(), str(home)).split(), "--json"))
    assert {path: path.read_bytes() for path in before} == before
