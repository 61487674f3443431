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
from tests.support.servers import KEY, TOKEN, USERNAME, Kaggle, Response, zip_of
from tests.support.waiting import wait

TOKEN_GIVEN = Credentials(token=TOKEN)
PAIR_GIVEN = Credentials(username=USERNAME, key=KEY)


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
    """Kaggle is on this machine, no credentials are set, and no proxy is used."""
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
    """The images of the humerus by the names that they get."""
    return {name.removeprefix("MURA-v1.1/"): content for name, content in files.items() if "/XR_HUMERUS/" in name}


def images(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*.png")
        if ".import" not in str(path)
    }


def run_import(root, credentials=TOKEN_GIVEN, wanted=None, **options):
    limiter = RateLimiter(attempts=4, first_wait=0.001, interval=0)
    return import_kaggle(root, wanted or order(), credentials, **{"limiter": limiter, **options})


@pytest.mark.slow
def test_import_kaggle_of_one_body_part_requests_its_files_only(kaggle, mura, out):
    """The images come as MURA's tree, each file is requested once, and the whole zip never is."""
    ended = run_import(out)
    assert ended.state == find_import(out).state == "complete"
    assert images(out) == humerus(mura)
    found = scan(out)
    assert (found.layout, set(found.table["body_part"])) == ("MURA", {"XR_HUMERUS"})
    assert set(found.table["split"]) == {"train", "valid"}
    lists = {f"MURA-v1.1/{split}_image_paths.csv" for split in ("train", "valid")}
    assert Counter(kaggle.requested_files()) == Counter([*lists, *(f"MURA-v1.1/{name}" for name in humerus(mura))])


@pytest.mark.slow
def test_import_kaggle_requests_files_by_token_and_redirect(kaggle, out):
    """Each file is one call with the token, which redirects to its storage."""
    run_import(out)
    calls = [request for request in kaggle.requests if request.method == "POST"]
    assert {request.path for request in calls} == {"/api/v1/datasets.DatasetApiService/DownloadDataset"}
    assert {request.scheme for request in calls} == {"Bearer"}
    assert {(request.body["ownerSlug"], request.body["datasetSlug"]) for request in calls} == {("cjinny", "mura-v11")}
    assert {request.method for request in kaggle.requests} == {"POST", "GET"}
    assert all(request.path.startswith("/storage/") for request in kaggle.requests if request.method == "GET")


def test_import_kaggle_of_all_brings_every_body_part(kaggle, mura, out):
    """The body part ``all`` brings every image."""
    run_import(out, wanted=order(body_part="all"))
    assert len(images(out)) == sum(name.endswith(".png") for name in mura)


@pytest.mark.slow
@pytest.mark.parametrize("lists_too", [True, False])
def test_import_kaggle_of_a_copy_without_the_top_folder_works(kaggle, mura, out, lists_too):
    """Files are found below MURA-v1.1 or at the top, and not looked for in both places each time."""
    for name in list(kaggle.files):
        if lists_too or name.endswith(".csv"):
            kaggle.files[name.removeprefix("MURA-v1.1/")] = kaggle.files.pop(name)
    run_import(out)
    assert images(out) == humerus(mura)
    assert len(kaggle.requested_files()) <= len(humerus(mura)) + 2 + 8


@pytest.mark.slow
def test_import_kaggle_of_zipped_files_unzips_them(kaggle, mura, out):
    """A list or an image that Kaggle sends zipped is unzipped."""
    image = "MURA-v1.1/" + next(iter(humerus(mura)))
    kaggle.zipped = {"MURA-v1.1/train_image_paths.csv", image}
    run_import(out)
    assert images(out) == humerus(mura)


def test_import_kaggle_after_a_stop_resumes(kaggle, mura, out):
    """A stop keeps what came, and a second run requests only the missing images, and no lists."""

    def on_progress(progress):
        if progress.files >= 3:
            request_stop(out)

    kaggle.fault_for = lambda _: request_stop(out) if len(kaggle.requested_files()) > 8 else None
    stopped = run_import(out, on_progress=on_progress)
    assert stopped.state == find_import(out).state == "interrupted"
    assert stopped.error is None
    there = images(out)
    before = len(kaggle.requests)
    assert 0 < len(there) < len(humerus(mura))
    assert all(humerus(mura)[name] == content for name, content in there.items())
    kaggle.fault_for = lambda _: None
    assert run_import(out).state == "complete"
    assert images(out) == humerus(mura)
    again = [str(call.body["fileName"]).removeprefix("MURA-v1.1/") for call in kaggle.requests[before:] if call.body]
    assert set(again) == set(humerus(mura)) - set(there)


@pytest.mark.slow
def test_import_kaggle_when_complete_sends_no_request(kaggle, mura, out):
    """A second run of a complete import needs no credentials, and brings a damaged image again."""
    run_import(out)
    before = len(kaggle.requests)
    assert run_import(out, Credentials()).state == "complete"
    assert len(kaggle.requests) == before
    damaged = next(out.rglob("*.png"))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    run_import(out)
    assert images(out) == humerus(mura)
    assert len(kaggle.requests) == before + 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        Response(429, headers={"Retry-After": "0"}),
        Response(500),
        Response(503, b'{"code": 503, "message": "later"}', {"Content-Type": "application/json"}),
        Response(body=b"\x89PNG" + b"x" * 5000, cut_after=2000),
        Response(body=b"\x89PNG", content_length=90_000),
        Response(body=b"<html>Sign in</html>"),
        Response(body=b""),
        Response(body=b"PK\x03\x04 no zip"),
    ],
)
def test_import_kaggle_after_one_failure_succeeds(kaggle, mura, out, fault):
    """A file that fails once, in whatever way, is requested again."""
    faulty = ["MURA-v1.1/" + name for name in itertools.islice(humerus(mura), 3)]
    for name in faulty:
        kaggle.faults[name].append(fault)
    run_import(out)
    assert images(out) == humerus(mura)
    assert {Counter(kaggle.requested_files())[name] for name in faulty} == {2}


@pytest.mark.slow
@pytest.mark.parametrize(("local", "central", "value"), [(6, 8, 1), (8, 10, 99)], ids=["a password", "packed oddly"])
def test_import_kaggle_of_an_unreadable_zip_tries_again(kaggle, mura, out, local, central, value):
    """A file that Kaggle sends as a zip with a password or an unknown compression is requested again."""
    name, content = next(iter(humerus(mura).items()))
    spoilt = bytearray(zip_of({name.rsplit("/", 1)[-1]: content}))
    spoilt[local] = value
    spoilt[spoilt.index(b"PK\x01\x02") + central] = value
    kaggle.faults[f"MURA-v1.1/{name}"].append(Response(body=bytes(spoilt)))
    run_import(out)
    assert images(out) == humerus(mura)


@pytest.mark.slow
def test_import_kaggle_with_a_missing_file_brings_the_others(kaggle, mura, out):
    """All others come, the message names the missing one, and once it exists, a second run completes the import."""
    name, content = next(iter(humerus(mura).items()))
    del kaggle.files[f"MURA-v1.1/{name}"]
    with pytest.raises(FetchError, match=rf"finds no file MURA-v1.1/{name} .*Missing: 1 of \d+ files"):
        run_import(out)
    assert images(out) == {other: whole for other, whole in humerus(mura).items() if other != name}
    assert (find_import(out).state, "Missing" in find_import(out).error) == ("interrupted", True)
    kaggle.files[f"MURA-v1.1/{name}"] = content
    assert run_import(out).state == "complete"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_import_kaggle_on_a_disk_that_fills_up_keeps_complete_files(kaggle, mura, out, monkeypatch):
    """The message names the reason, complete files stay, and a second run completes the import."""
    usual = os.fdopen
    room = itertools.count()

    def fdopen(handle, mode):
        if next(room) < 8:
            return usual(handle, mode)
        os.close(handle)
        return Path("/dev/full").open(mode)

    monkeypatch.setattr(download.os, "fdopen", fdopen)
    with pytest.raises(
        FetchError, match=r"No space left on device\. Whatever has been fetched is kept: start the same"
    ):
        run_import(out)
    there = images(out)
    assert there
    assert all(humerus(mura)[name] == content for name, content in there.items())
    assert not list(out.rglob("part-*"))
    assert find_import(out).error == "No space left on device."
    monkeypatch.undo()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    assert run_import(out).state == "complete"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Response(429), r"asks to slow down \(429\)\. Gave up after 4 attempts"),
        (Response(429, headers={"Retry-After": "7200"}), "asks to wait for 7,200 s"),
        (Response(500), r"problem of its own \(500\)\. Gave up after 4 attempts"),
        (Response(401), "does not accept these credentials"),
        (
            Response(403),
            r"does not give this account access to cjinny/mura-v11 \(403\)\. Open https://\S+ .*accept the terms",
        ),
        (Response(404), r"finds no file \S+ in a data set cjinny/mura-v11 \(404\)"),
        (Response(200, b'{"code": 403, "message": "no"}', {"Content-Type": "application/json"}), r"\(403\)"),
        (Response(418), "status 418"),
    ],
)
@pytest.mark.parametrize("what", ["csv", "png"])
def test_import_kaggle_with_a_failing_server_gives_up(kaggle, out, fault, words, what):
    """After a bounded number of requests, one sentence tells what fails, and it is stored with the import."""
    kaggle.fault_for = lambda file: fault if file.endswith(what) else None
    with pytest.raises(FetchError, match=words):
        run_import(out)
    assert len(kaggle.requested_files()) <= 2 + 4 * 4
    found = find_import(out)
    assert found.state == "interrupted"
    assert not find_import(out).active
    with pytest.raises(FetchError) as again:
        run_import(out)
    assert str(again.value).split("Gave")[0] in (found.error.split("Gave")[0], str(again.value))
    assert images(out) == {}


def test_import_kaggle_without_a_connection_raises(out):
    """Where no server listens, the message asks about the connection to the internet."""
    with pytest.raises(FetchError, match="Kaggle cannot be reached: is there a connection"):
        run_import(out)


@pytest.mark.slow
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
def test_import_kaggle_of_a_list_with_an_unsafe_path_writes_nothing(kaggle, tmp_path, out, row):
    """A list with any other path is refused, and a second run works once the list is right."""
    name = "MURA-v1.1/valid_image_paths.csv"
    right = kaggle.files[name]
    kaggle.files[name] = right + row.encode() + b"\n"
    with pytest.raises(FetchError, match=r"must name images such as MURA.*no image was downloaded"):
        run_import(out)
    assert images(tmp_path) == {}
    kaggle.files[name] = right
    assert run_import(out).state == "complete"


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "valid"])
def test_import_kaggle_of_a_list_without_images_raises(kaggle, mura, out, split):
    """A split without images is refused, also where an earlier run stored such a list."""
    name = f"MURA-v1.1/{split}_image_paths.csv"
    right = kaggle.files[name]
    kaggle.files[name] = b""
    with pytest.raises(FetchError, match=rf"{split}_image_paths.csv must name images in {split}/.*Received: none"):
        run_import(out)
    kaggle.files[name] = right
    kept = out / ".import" / "wanted.txt"
    assert not kept.exists()
    kept.write_text("".join(f"{image}\n" for image in humerus(mura) if not image.startswith(split)))
    assert run_import(out).state == "complete"
    assert images(out) == humerus(mura)


@pytest.mark.slow
def test_import_kaggle_of_a_list_with_macos_files_ignores_them(kaggle, mura, out):
    """Rows of macOS, empty rows and quoted rows are accepted."""
    rows = kaggle.files["MURA-v1.1/train_image_paths.csv"].decode().splitlines()
    odd = ["", "MURA-v1.1/train/XR_HUMERUS/patient00001/study1_positive/._image1.png", f'"{rows[0]}"', *rows[1:]]
    kaggle.files["MURA-v1.1/train_image_paths.csv"] = "\r\n".join(odd).encode()
    run_import(out)
    assert images(out) == humerus(mura)


def test_import_kaggle_of_an_unlisted_body_part_raises(kaggle, out):
    """The message names the body parts that are listed."""
    with pytest.raises(FetchError, match=r"data set lists: XR_HAND, XR_HUMERUS\. Received: XR_WRIST"):
        run_import(out, wanted=order(body_part="wrist"))


def test_import_kaggle_on_a_full_disk_downloads_no_image(kaggle, out, monkeypatch):
    """The disk space is checked before the first image."""
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=SPARE + 100_000))
    with pytest.raises(FetchError, match="must be free on the disk"):
        run_import(out)
    assert {name.rsplit(".")[-1] for name in kaggle.requested_files()} == {"csv"}


def test_order_of_kaggle_with_wrong_values_raises():
    """Body parts and data sets have several spellings, and other values are refused with what is allowed."""
    assert order(body_part="humerus") == order(body_part="XR_HUMERUS") == order()
    assert order("https://www.kaggle.com/datasets/cjinny/mura-v11/").choices["dataset"] == "cjinny/mura-v11"
    assert expected(order()) == (1560, 140_400_000)
    assert expected(order(body_part="ALL"))[0] == 40_005
    with pytest.raises(FetchError, match=r"must be one of XR_ELBOW.*Received: 'knee'"):
        order(body_part="knee")
    for name in ("mura", "../up", "a/b/c", ""):
        with pytest.raises(FetchError, match="dataset must be"):
            order(name)


def test_default_folder_of_kaggle_is_in_the_data_home(homes):
    """The folder has a safe name, whatever the data set is called."""
    assert default_folder(order()) == homes / "data" / "MURA-v1.1-XR_HUMERUS"
    assert default_folder(order("some-one/else", "all")) == homes / "data" / "some-one-else-all"


# --- Credentials ---


@pytest.mark.slow
def test_credentials_given_as_a_pair_win_over_the_environment(kaggle, out, monkeypatch):
    """A user name and key that were given are used, even where the environment has a token."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_of_somebody_else")
    run_import(out, PAIR_GIVEN)
    assert {request.scheme for request in kaggle.requests if request.method == "POST"} == {"Basic"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"KAGGLE_API_TOKEN": TOKEN}, "Bearer"),
        ({"KAGGLE_USERNAME": USERNAME, "KAGGLE_KEY": KEY}, "Basic"),
        ({"KAGGLE_API_TOKEN": TOKEN, "KAGGLE_USERNAME": "other", "KAGGLE_KEY": "other"}, "Bearer"),
    ],
)
def test_credentials_from_the_environment_are_used(kaggle, out, monkeypatch, capsys, variables, kind):
    """Kaggle's variables are used, the token first, and nothing is printed."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run_import(out, None)
    assert {request.scheme for request in kaggle.requests if request.method == "POST"} == {kind}
    assert capsys.readouterr().out == ""


def in_a_process(home: Path, arguments: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process whose home is another: Kaggle's package looks for its files when imported."""
    environment = {name: value for name, value in os.environ.items() if name != "KAGGLE_CONFIG_DIR"}
    return subprocess.run(
        [sys.executable, "-m", "fracture", "import-kaggle", "--json", *arguments],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
        env={**environment, "HOME": str(home), **variables},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("access_token", TOKEN, "Bearer"),
        ("kaggle.json", json.dumps({"username": USERNAME, "key": KEY}), "Basic"),
    ],
)
def test_credentials_from_kaggles_files_are_used(kaggle, mura, tmp_path, out, file, content, kind):
    """The files of Kaggle's package are used, and stdout holds one JSON document."""
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / file).write_text(content)
    done = in_a_process(tmp_path, ["--out", str(out)])
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["state"], printed["files"]) == ("complete", len(humerus(mura)))
    assert {request.scheme for request in kaggle.requests if request.method == "POST"} == {kind}


@pytest.mark.slow
def test_credentials_missing_everywhere_raises_before_a_request(kaggle, tmp_path, out):
    """Without credentials, one sentence tells what to do, and no request is sent."""
    done = in_a_process(tmp_path, ["--out", str(out)])
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().startswith("Kaggle serves its data to signed-in users only. Get a token at https://")
    assert len(done.stderr.strip().splitlines()) == 1
    assert kaggle.requests == []


@pytest.mark.slow
def test_credentials_typed_are_stored_nowhere(kaggle, tmp_path, out):
    """Typed credentials are in no file and no message."""
    for given in (Credentials(token="KGAT_wrong_one_0123"), Credentials(username="someone", key="wrong-key-0123")):
        start(out, order(), given.variables())
        ended = wait(lambda: (found := find_import(out)) and not found.active and found)
        assert "does not accept these credentials" in ended.error
        for path in out.rglob("*"):
            assert not path.is_file() or b"0123" not in path.read_bytes()
        assert "0123" not in repr(given)
    assert {request.authorization for request in kaggle.requests} >= {"Bearer KGAT_wrong_one_0123"}


@pytest.mark.slow
def test_start_of_kaggle_imports_in_the_background(kaggle, mura, out):
    """A background process completes the import, and a second one is refused meanwhile."""
    hold = iter(range(10**6))
    kaggle.fault_for = lambda _: Response(429, headers={"Retry-After": "1"}) if next(hold) < 1 else None
    start(out, order(), TOKEN_GIVEN.variables())
    assert find_import(out).state == "importing"
    with pytest.raises(FetchError, match="being imported into by another process"):
        start(out, order())
    ended = wait(lambda: (found := find_import(out)) and not found.active and found)
    assert (ended.state, ended.error) == ("complete", None)
    assert images(out) == humerus(mura)
    assert (ended.progress.files, ended.progress.total_files) == (len(humerus(mura)),) * 2


@pytest.mark.slow
def test_import_kaggle_after_a_killed_process_resumes(kaggle, mura, out):
    """The import of a killed process is interrupted, and a second run completes it."""
    kaggle.fault_for = lambda _: (
        Response(429, headers={"Retry-After": "60"}) if len(kaggle.requested_files()) > 10 else None
    )
    start(out, order(), TOKEN_GIVEN.variables())
    wait(lambda: (found := find_import(out)) and "429" in (found.progress.note or ""))
    os.kill(json.loads((out / "import.json").read_text())["pid"], signal.SIGKILL)
    wait(lambda: find_import(out).state == "interrupted")
    there = images(out)
    before = len(kaggle.requested_files())
    assert there
    kaggle.fault_for = lambda _: None
    assert run_import(out).state == "complete"
    assert images(out) == humerus(mura)
    assert not set(kaggle.requested_files()[before:]) & {f"MURA-v1.1/{name}" for name in there}


def test_credentials_from_secrets_and_the_parent_process_are_equal(monkeypatch):
    """Secrets are flat or in a section, and the variables of the parent process are removed once read."""
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
def test_credentials_with_impossible_values_raise(given, words):
    """Impossible credentials are refused before a request, and not repeated in the message."""
    with pytest.raises(FetchError, match=words) as error:
        Credentials(**given)
    assert "0123" not in str(error.value)


@pytest.mark.parametrize(("version", "words"), [("2.2.3", "2.2.3"), ("1.7.4.5", "1.7.4.5"), (None, "none")])
def test_find_credentials_with_an_old_client_raises(monkeypatch, version, words):
    """The message holds the command that installs a newer one."""

    def found(_):
        if version is None:
            raise kaggle_credentials.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(kaggle_credentials.metadata, "version", found)
    with pytest.raises(FetchError, match=rf'Received: {words}; install it by pip install "kaggle>='):
        find_credentials(TOKEN_GIVEN)


@pytest.mark.slow
def test_command_import_kaggle_prints_the_result(kaggle, mura, homes, monkeypatch, capsys):
    """The command tells the folder and the number of files, and a second run sends no request."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    assert main(["import-kaggle", "--body-part", "humerus"]) == 0
    assert f"{len(humerus(mura))} files" in capsys.readouterr().out
    before = len(kaggle.requests)
    assert main(["import-kaggle", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["root"] == str(homes / "data" / "MURA-v1.1-XR_HUMERUS")
    assert len(kaggle.requests) == before
    assert main(["import-kaggle", "--body-part", "knee"]) == 1
    assert "Received: 'knee'" in capsys.readouterr().err
