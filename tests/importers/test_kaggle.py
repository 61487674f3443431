"""A part of a Kaggle data set: Kaggle's own client against a small Kaggle on this machine.

The only tests that listen on Kaggle's port for tests; they stay in one file so that no two of them run at once.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.errors import FetchError
from fracture.importers import download, kaggle_credentials
from fracture.importers.file_checks import SPARE
from fracture.importers.http import RateLimiter
from fracture.importers.job import find_import, request_stop, start
from fracture.importers.kaggle import default_folder, expected, import_kaggle, order
from fracture.importers.kaggle_credentials import Credentials, find_credentials, from_secrets, pop_from_environment
from fracture.paths import PROJECT
from tests.support.drawing import draw_mura
from tests.support.servers import KEY, TOKEN, USERNAME, Answer, Kaggle, zip_of
from tests.support.waiting import wait

TOKEN_GIVEN, PAIR_GIVEN = Credentials(token=TOKEN), Credentials(username=USERNAME, key=KEY)


@pytest.fixture(scope="module")
def mura(tmp_path_factory) -> dict[str, bytes]:
    """A data set as Kaggle has it: two body parts, and the lists of both, below one folder."""
    root = tmp_path_factory.mktemp("mura")
    for number, part in enumerate(("XR_HUMERUS", "XR_HAND")):
        draw_mura(root, 5, 2, size=40, seed=number, body_part=part)
    files = {f"MURA-v1.1/{path.relative_to(root).as_posix()}": path.read_bytes() for path in root.rglob("*.png")}
    for split in ("train", "valid"):
        rows = sorted(name for name in files if f"/{split}/" in name)
        files[f"MURA-v1.1/{split}_image_paths.csv"] = "".join(f"{row}\n" for row in rows).encode()
    return files


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Kaggle is on this machine, nobody is signed in, and no proxy stands in between."""
    for name in [name for name in os.environ if name.startswith("KAGGLE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "kaggle"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def kaggle(mura):
    with Kaggle(dict(mura)) as server:
        yield server


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def humerus(files: dict[str, bytes]) -> dict[str, bytes]:
    """The images of the humerus, by the names that they are to get."""
    return {name.removeprefix("MURA-v1.1/"): content for name, content in files.items() if "/XR_HUMERUS/" in name}


def images(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*.png")
        if ".import" not in str(path)
    }


def get(root, credentials=TOKEN_GIVEN, wanted=None, **choices):
    pace = RateLimiter(attempts=4, first_wait=0.001, interval=0)
    return import_kaggle(root, wanted or order(), credentials, **{"limiter": pace, **choices})


def test_one_body_part_comes_file_by_file(kaggle, mura, out):
    """What comes is read as MURA's tree; the whole is never asked for, and each file once."""
    ended = get(out)
    assert ended.state == find_import(out).state == "complete"
    assert images(out) == humerus(mura)
    found = scan(out)
    assert (found.layout, set(found.table["body_part"])) == ("MURA", {"XR_HUMERUS"})
    assert set(found.table["split"]) == {"train", "valid"}
    lists = {f"MURA-v1.1/{split}_image_paths.csv" for split in ("train", "valid")}
    assert Counter(kaggle.fetched()) == Counter([*lists, *(f"MURA-v1.1/{name}" for name in humerus(mura))])


def test_what_the_client_asks(kaggle, out):
    """A call for each file, by the token; Kaggle then leads to where it lies."""
    get(out)
    calls = [asked for asked in kaggle.asked if asked.method == "POST"]
    assert {asked.path for asked in calls} == {"/api/v1/datasets.DatasetApiService/DownloadDataset"}
    assert {asked.kind for asked in calls} == {"Bearer"}
    assert {(asked.body["ownerSlug"], asked.body["datasetSlug"]) for asked in calls} == {("cjinny", "mura-v11")}
    assert {asked.method for asked in kaggle.asked} == {"POST", "GET"}
    assert all(asked.path.startswith("/storage/") for asked in kaggle.asked if asked.method == "GET")


def test_everything_comes_where_all_is_wanted(kaggle, mura, out):
    """``all`` is every body part."""
    get(out, wanted=order(body_part="all"))
    assert len(images(out)) == sum(name.endswith(".png") for name in mura)


@pytest.mark.parametrize("lists_too", [True, False])
def test_a_copy_without_the_folder_does_as_well(kaggle, mura, out, lists_too):
    """Whether images and lists lie below MURA-v1.1 or at the top; nothing is asked for in two places time and again."""
    for name in list(kaggle.files):
        if lists_too or name.endswith(".csv"):
            kaggle.files[name.removeprefix("MURA-v1.1/")] = kaggle.files.pop(name)
    get(out)
    assert images(out) == humerus(mura)
    assert len(kaggle.fetched()) <= len(humerus(mura)) + 2 + 8


def test_zipped_files_are_unpacked(kaggle, mura, out):
    """Large files come zipped: a list, or an image."""
    image = "MURA-v1.1/" + next(iter(humerus(mura)))
    kaggle.zipped = {"MURA-v1.1/train_image_paths.csv", image}
    get(out)
    assert images(out) == humerus(mura)


def test_an_interrupted_import_goes_on(kaggle, mura, out):
    """A request to stop keeps what came; the next run asks for nothing that is whole, and not for the lists."""

    def say(progress):
        if progress.files >= 3:
            request_stop(out)

    kaggle.always = lambda _: request_stop(out) if len(kaggle.fetched()) > 8 else None
    stopped = get(out, on_progress=say)
    assert stopped.state == find_import(out).state == "interrupted"
    assert stopped.error is None
    there, asked = images(out), len(kaggle.asked)
    assert 0 < len(there) < len(humerus(mura))
    assert all(humerus(mura)[name] == content for name, content in there.items())
    kaggle.always = lambda _: None
    assert get(out).state == "complete"
    assert images(out) == humerus(mura)
    again = [str(call.body["fileName"]).removeprefix("MURA-v1.1/") for call in kaggle.asked[asked:] if call.body]
    assert set(again) == set(humerus(mura)) - set(there)


def test_a_complete_import_needs_nobody(kaggle, mura, out):
    """Once more, it looks through what is there, asks nothing, and needs no credentials."""
    get(out)
    asked = len(kaggle.asked)
    assert get(out, Credentials()).state == "complete"
    assert len(kaggle.asked) == asked
    damaged = next(out.rglob("*.png"))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    get(out)
    assert images(out) == humerus(mura)
    assert len(kaggle.asked) == asked + 2


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429, headers={"Retry-After": "0"}),
        Answer(500),
        Answer(503, b'{"code": 503, "message": "later"}', {"Content-Type": "application/json"}),
        Answer(body=b"\x89PNG" + b"x" * 5000, cut=2000),
        Answer(body=b"\x89PNG", announced=90_000),
        Answer(body=b"<html>Sign in</html>"),
        Answer(body=b""),
        Answer(body=b"PK\x03\x04 no zip"),
    ],
)
def test_what_fails_once_comes_in_the_end(kaggle, mura, out, fault):
    """Whatever a server does wrong with a file for once, the file is asked for again, and comes whole."""
    faulty = ["MURA-v1.1/" + name for name in itertools.islice(humerus(mura), 3)]
    for name in faulty:
        kaggle.faults[name].append(fault)
    get(out)
    assert images(out) == humerus(mura)
    assert {Counter(kaggle.fetched())[name] for name in faulty} == {2}


@pytest.mark.parametrize(("local", "central", "value"), [(6, 8, 1), (8, 10, 99)], ids=["a password", "packed oddly"])
def test_a_zip_that_cannot_be_opened_is_tried_again(kaggle, mura, out, local, central, value):
    """Of a file that Kaggle sends zipped."""
    name, content = next(iter(humerus(mura).items()))
    spoilt = bytearray(zip_of({name.rsplit("/", 1)[-1]: content}))
    spoilt[local] = value
    spoilt[spoilt.index(b"PK\x01\x02") + central] = value
    kaggle.faults[f"MURA-v1.1/{name}"].append(Answer(body=bytes(spoilt)))
    get(out)
    assert images(out) == humerus(mura)


def test_a_file_that_kaggle_lacks_does_not_hold_up_the_rest(kaggle, mura, out):
    """All others come, and the reason says which one is missing; once it is there, the same import is complete."""
    name, content = next(iter(humerus(mura).items()))
    del kaggle.files[f"MURA-v1.1/{name}"]
    with pytest.raises(FetchError, match=rf"finds no file MURA-v1.1/{name} .*Missing like this: 1 of \d+ files"):
        get(out)
    assert images(out) == {other: whole for other, whole in humerus(mura).items() if other != name}
    assert (find_import(out).state, "Missing" in find_import(out).error) == ("interrupted", True)
    kaggle.files[f"MURA-v1.1/{name}"] = content
    assert get(out).state == "complete"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_becomes_full_is_one_sentence(kaggle, mura, out, monkeypatch):
    """What is whole stays, nothing else does; and with room again the same import goes on."""
    usual, room = os.fdopen, itertools.count()

    def fdopen(handle, mode):
        if next(room) < 8:
            return usual(handle, mode)
        os.close(handle)
        return Path("/dev/full").open(mode)

    monkeypatch.setattr(download.os, "fdopen", fdopen)
    with pytest.raises(
        FetchError, match=r"No space left on device\. Whatever has been fetched is kept: start the same"
    ):
        get(out)
    there = images(out)
    assert there
    assert all(humerus(mura)[name] == content for name, content in there.items())
    assert not list(out.rglob("part-*"))
    assert find_import(out).error == "No space left on device."
    monkeypatch.undo()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    assert get(out).state == "complete"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Answer(429), r"asks to slow down \(429\)\. Gave up after 4 attempts"),
        (Answer(429, headers={"Retry-After": "7200"}), "asks to wait for 7,200 s"),
        (Answer(500), r"problem of its own \(500\)\. Gave up after 4 attempts"),
        (Answer(401), "does not accept these credentials"),
        (
            Answer(403),
            r"does not give this account access to cjinny/mura-v11 \(403\)\. Open https://\S+ .*accept the terms",
        ),
        (Answer(404), r"finds no file \S+ in a data set cjinny/mura-v11 \(404\)"),
        (Answer(200, b'{"code": 403, "message": "no"}', {"Content-Type": "application/json"}), r"\(403\)"),
        (Answer(418), "status 418"),
    ],
)
@pytest.mark.parametrize("what", ["csv", "png"])
def test_what_always_fails_is_one_sentence(kaggle, out, fault, words, what):
    """After a bounded number of requests, and it is noted down for whoever looks at the folder later."""
    kaggle.always = lambda file: fault if file.endswith(what) else None
    with pytest.raises(FetchError, match=words):
        get(out)
    assert len(kaggle.fetched()) <= 2 + 4 * 4
    found = find_import(out)
    assert found.state == "interrupted"
    assert not find_import(out).active
    with pytest.raises(FetchError) as again:
        get(out)
    assert str(again.value).split("Gave")[0] in (found.error.split("Gave")[0], str(again.value))
    assert images(out) == {}


def test_no_internet_is_one_sentence(out):
    """Where nobody listens."""
    with pytest.raises(FetchError, match="Kaggle cannot be reached: is there a connection"):
        get(out)


@pytest.mark.parametrize(
    "row",
    [
        "MURA-v1.1/train/../../../up.png",
        "../../etc/passwd",
        "/etc/passwd",
        "MURA-v1.1/train/XR_HUMERUS/patient00001/../../../../study1_positive/image1.png",
        "MURA-v1.1/train/XR_HUMERUS/patient00001/study1_positive/..png",
        "MURA-v1.1\\train\\XR_HUMERUS\\patient00001\\study1_positive\\image1.png",
        "some/other/image.png",
        "<html>",
    ],
)
def test_a_list_with_another_path_is_refused(kaggle, tmp_path, out, row):
    """Nothing is written but the reason; with the list put right, the same import goes on."""
    name = "MURA-v1.1/valid_image_paths.csv"
    right = kaggle.files[name]
    kaggle.files[name] = right + row.encode() + b"\n"
    with pytest.raises(FetchError, match=r"must name images such as MURA.*no image was downloaded"):
        get(out)
    assert images(tmp_path) == {}
    kaggle.files[name] = right
    assert get(out).state == "complete"


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_list_without_images_is_refused(kaggle, mura, out, split):
    """Half a data set is none; nothing of it is kept, and what an earlier run kept of it is not believed."""
    name = f"MURA-v1.1/{split}_image_paths.csv"
    right = kaggle.files[name]
    kaggle.files[name] = b""
    with pytest.raises(FetchError, match=rf"{split}_image_paths.csv must name images in {split}/.*Received: none"):
        get(out)
    kaggle.files[name] = right
    kept = out / ".import" / "wanted.txt"
    assert not kept.exists()
    kept.write_text("".join(f"{image}\n" for image in humerus(mura) if not image.startswith(split)))
    assert get(out).state == "complete"
    assert images(out) == humerus(mura)


def test_lists_may_hold_what_macos_leaves(kaggle, mura, out):
    """Such rows, empty ones and quoted ones are no reason to refuse the rest."""
    rows = kaggle.files["MURA-v1.1/train_image_paths.csv"].decode().splitlines()
    odd = ["", "MURA-v1.1/train/XR_HUMERUS/patient00001/study1_positive/._image1.png", f'"{rows[0]}"', *rows[1:]]
    kaggle.files["MURA-v1.1/train_image_paths.csv"] = "\r\n".join(odd).encode()
    get(out)
    assert images(out) == humerus(mura)


def test_a_body_part_that_is_not_listed(kaggle, out):
    """The sentence says which ones are."""
    with pytest.raises(FetchError, match=r"data set lists: XR_HAND, XR_HUMERUS\. Received: XR_WRIST"):
        get(out, wanted=order(body_part="wrist"))


def test_a_full_disk_is_noticed_before(kaggle, out, monkeypatch):
    """Before the first image, with what an image is known to need."""
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=SPARE + 100_000))
    with pytest.raises(FetchError, match="must be free on the disk"):
        get(out)
    assert {name.rsplit(".")[-1] for name in kaggle.fetched()} == {"csv"}


def test_an_order_has_limits():
    """Body parts and data sets may be named in several ways; other words are refused with what was allowed."""
    assert order(body_part="humerus") == order(body_part="XR_HUMERUS") == order()
    assert order("https://www.kaggle.com/datasets/cjinny/mura-v11/").choices["dataset"] == "cjinny/mura-v11"
    assert expected(order()) == (1560, 140_400_000)
    assert expected(order(body_part="ALL"))[0] == 40_005
    with pytest.raises(FetchError, match=r"must be one of XR_ELBOW.*Received: 'knee'"):
        order(body_part="knee")
    for name in ("mura", "../up", "a/b/c", ""):
        with pytest.raises(FetchError, match="dataset must be"):
            order(name)


def test_the_folder_is_in_the_data_home(homes):
    """By default; its name is safe whatever the data set is called."""
    assert default_folder(order()) == homes / "data" / "MURA-v1.1-XR_HUMERUS"
    assert default_folder(order("some-one/else", "all")) == homes / "data" / "some-one-else-all"


# --- Who one is ---


def test_a_pair_is_used_as_given(kaggle, out, monkeypatch):
    """A user name and key that were given are, even where the environment has a token."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_of_somebody_else")
    get(out, PAIR_GIVEN)
    assert {asked.kind for asked in kaggle.asked if asked.method == "POST"} == {"Basic"}


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"KAGGLE_API_TOKEN": TOKEN}, "Bearer"),
        ({"KAGGLE_USERNAME": USERNAME, "KAGGLE_KEY": KEY}, "Basic"),
        ({"KAGGLE_API_TOKEN": TOKEN, "KAGGLE_USERNAME": "other", "KAGGLE_KEY": "other"}, "Bearer"),
    ],
)
def test_the_environment_is_used(kaggle, out, monkeypatch, capsys, variables, kind):
    """As Kaggle's package knows it, the token first; its chatter is kept away."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    get(out, None)
    assert {asked.kind for asked in kaggle.asked if asked.method == "POST"} == {kind}
    assert capsys.readouterr().out == ""


def in_a_process(home: Path, arguments: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process whose home is another: Kaggle's package looks for its files when imported."""
    environment = {name: value for name, value in os.environ.items() if name != "KAGGLE_CONFIG_DIR"}
    return subprocess.run(
        [sys.executable, "-m", "fracture", "import-kaggle", "--json", *arguments],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
        env={**environment, "HOME": str(home), **variables},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("access_token", TOKEN, "Bearer"),
        ("kaggle.json", json.dumps({"username": USERNAME, "key": KEY}), "Basic"),
    ],
)
def test_kaggles_files_are_used(kaggle, mura, tmp_path, out, file, content, kind):
    """Where Kaggle's package has them; stdout holds one JSON document."""
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / file).write_text(content)
    done = in_a_process(tmp_path, ["--out", str(out)])
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["state"], said["files"]) == ("complete", len(humerus(mura)))
    assert {asked.kind for asked in kaggle.asked if asked.method == "POST"} == {kind}


def test_nobody_is_one_sentence(kaggle, tmp_path, out):
    """No credentials anywhere: what to do, no help text of another program, and nothing is asked."""
    done = in_a_process(tmp_path, ["--out", str(out)])
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().startswith("Kaggle serves its data to signed-in users only. Get a token at https://")
    assert len(done.stderr.strip().splitlines()) == 1
    assert kaggle.asked == []


def test_what_was_typed_is_told_to_nobody(kaggle, tmp_path, out):
    """It is in no file, no command line, no message and no variable of a child; wrong or right."""
    for given in (Credentials(token="KGAT_wrong_one_0123"), Credentials(username="someone", key="wrong-key-0123")):
        start(out, order(), given.variables())
        ended = wait(lambda: (found := find_import(out)) and not found.active and found)
        assert "does not accept these credentials" in ended.error
        for path in out.rglob("*"):
            assert not path.is_file() or b"0123" not in path.read_bytes()
        assert "0123" not in repr(given)
    assert {asked.authorization for asked in kaggle.asked} >= {"Bearer KGAT_wrong_one_0123"}


def test_a_process_of_its_own_does_it(kaggle, mura, out):
    """Started, followed, and at its end complete; while it is at work nobody else begins."""
    hold = iter(range(10**6))
    kaggle.always = lambda _: Answer(429, headers={"Retry-After": "1"}) if next(hold) < 1 else None
    start(out, order(), TOKEN_GIVEN.variables())
    assert find_import(out).state == "importing"
    with pytest.raises(FetchError, match="being imported into by another process"):
        start(out, order())
    ended = wait(lambda: (found := find_import(out)) and not found.active and found)
    assert (ended.state, ended.error) == ("complete", None)
    assert images(out) == humerus(mura)
    assert (ended.progress.files, ended.progress.total_files) == (len(humerus(mura)),) * 2


def test_a_killed_process_is_an_interrupted_import(kaggle, mura, out):
    """And one that the same command goes on with."""
    kaggle.always = lambda _: Answer(429, headers={"Retry-After": "60"}) if len(kaggle.fetched()) > 10 else None
    start(out, order(), TOKEN_GIVEN.variables())
    wait(lambda: (found := find_import(out)) and "429" in (found.progress.note or ""))
    os.kill(json.loads((out / "import.json").read_text())["pid"], signal.SIGKILL)
    wait(lambda: find_import(out).state == "interrupted")
    there, asked = images(out), len(kaggle.fetched())
    assert there
    kaggle.always = lambda _: None
    assert get(out).state == "complete"
    assert images(out) == humerus(mura)
    assert not set(kaggle.fetched()[asked:]) & {f"MURA-v1.1/{name}" for name in there}


def test_credentials_come_in_several_ways(monkeypatch):
    """From a table of secrets, flat or in a section; from whoever started the process, and then no further."""
    assert from_secrets({}) == Credentials()
    assert not Credentials()
    assert from_secrets({"KAGGLE_API_TOKEN": TOKEN}) == TOKEN_GIVEN
    assert from_secrets({"kaggle": {"username": USERNAME, "key": f" {KEY}\n"}}) == PAIR_GIVEN
    for name, value in PAIR_GIVEN.variables().items():
        monkeypatch.setenv(name, value)
    assert pop_from_environment() == PAIR_GIVEN
    assert pop_from_environment() == Credentials()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"username": "somebody"}, "together with its key"),
        ({"key": "0123"}, "together with its key"),
        ({"token": "two words 0123"}, "without spaces"),
        ({"token": "line\nbreak 0123"}, "without spaces"),
        ({"username": "jürgen", "key": "0123"}, "without spaces"),
    ],
)
def test_credentials_that_cannot_be(given, words):
    """They are refused before anything is sent, and not repeated."""
    with pytest.raises(FetchError, match=words) as error:
        Credentials(**given)
    assert "0123" not in str(error.value)


@pytest.mark.parametrize(("version", "words"), [("2.2.3", "2.2.3"), ("1.7.4.5", "1.7.4.5"), (None, "none")])
def test_an_old_client_is_refused(monkeypatch, version, words):
    """With the command that puts it right."""

    def found(_):
        if version is None:
            raise kaggle_credentials.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(kaggle_credentials.metadata, "version", found)
    with pytest.raises(FetchError, match=rf'Received: {words}; install it by pip install "kaggle>='):
        find_credentials(TOKEN_GIVEN)


def test_the_command_line_tells_people(kaggle, mura, homes, monkeypatch, capsys):
    """Where it is and how much; and the same import again fetches nothing."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    assert main(["import-kaggle", "--body-part", "humerus"]) == 0
    assert f"{len(humerus(mura))} files" in capsys.readouterr().out
    asked = len(kaggle.asked)
    assert main(["import-kaggle", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["root"] == str(homes / "data" / "MURA-v1.1-XR_HUMERUS")
    assert len(kaggle.asked) == asked
    assert main(["import-kaggle", "--body-part", "knee"]) == 1
    assert "Received: 'knee'" in capsys.readouterr().err
