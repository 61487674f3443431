"""The REST interface over HTTP."""

import json
import threading

import pytest
import requests
from jsonschema import Draft202012Validator

from fracture.api import routes
from fracture.api.access import TOKEN_VARIABLE, VARIABLE
from fracture.api.openapi import describe_api
from fracture.api.queue import BoundedQueue
from fracture.cli.main import main
from tests.api.conftest import serve_api
from tests.support.waiting import wait


def check_described(name, document):
    """Raises where a response is not as the description says."""
    Draft202012Validator({"$ref": f"#/components/schemas/{name}", **describe_api()}).validate(document)


def forms(pictures):
    return [("files", each) for each in pictures.items()]


@pytest.mark.parametrize("study", [False, True])
def test_classify_answers_as_the_command_line_prints(api, make_model, pictures, tmp_path, monkeypatch, capsys, study):
    """Byte for byte: two files and one that can't be read, on their own and as a study."""
    make_model("m")
    for name, content in pictures.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert main(["classify", *pictures, "--json", "--answer-unlike", *["--study"] * study]) == 1
    options = {"answer_unlike": "true", "study": str(study)}
    answer = requests.post(f"{api}/classify", options, files=forms(pictures))
    assert answer.status_code == 200
    assert answer.text == capsys.readouterr().out
    check_described("Answers", answer.json())


def test_models_and_health_answer(api, make_model, capsys):
    """The models as the command line lists them."""
    make_model("m")
    main(["models", "--json"])
    answer = requests.get(f"{api}/models")
    assert answer.text == capsys.readouterr().out
    check_described("Models", answer.json())
    check_described("Health", requests.get(f"{api}/health").json())
    assert requests.get(f"{api}/openapi.json").json() == json.loads(json.dumps(describe_api()))


@pytest.mark.parametrize("path", ["classify", "models", "health", "openapi.json", "other"])
def test_interface_that_is_off_is_not_there(api, monkeypatch, path):
    """Off is the default."""
    monkeypatch.delenv(VARIABLE)
    answer = requests.get(f"{api}/{path}")
    assert answer.status_code == 404 and VARIABLE in answer.json()["error"]


def test_token_is_asked_for(api, monkeypatch, make_model, pictures):
    """For all but the health and the description; nothing of the models is said without it."""
    make_model("m")
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    refused = [requests.get(f"{api}/models"), requests.post(f"{api}/classify", files=forms(pictures))]
    for answer in refused:
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        check_described("Error", answer.json())
    right = {"Authorization": "Bearer secret"}
    assert requests.get(f"{api}/models", headers=right).status_code == 200
    assert requests.post(f"{api}/classify", files=forms(pictures), headers=right).status_code == 200
    assert requests.get(f"{api}/health").status_code == 200


@pytest.mark.parametrize("header", [{"X-Forwarded-For": "192.0.2.7"}, {"Host": "lab.example.org"}])
def test_without_a_token_a_client_of_a_proxy_is_refused(api, header):
    """Its connection comes from this machine, but it does not."""
    assert requests.get(f"{api}/models", headers=header).status_code == 403


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (400, {"data": {"files": "/etc/passwd"}, "files": {"other": b""}}),
        (400, {"files": {"upload": ("a.png", b"a")}}),
        (400, {"data": {"threshold": "2"}, "files": {"files": ("a.png", b"a")}}),
        (400, {"data": {"model": "../m"}, "files": {"files": ("a.png", b"a")}}),
        (400, {"data": {"model": "x" * 2000}, "files": {"files": ("a.png", b"a")}}),
        (400, {"data": b"nothing", "headers": {"Content-Type": "multipart/form-data"}}),
        (413, {"files": [("files", (f"{number}.png", b"a" * 40 * 2**20)) for number in range(3)]}),
        (415, {"json": {"files": ["https://host.invalid/a.png"]}}),
    ],
    ids=["a path", "another field", "threshold", "name of a model", "long", "no form", "too large", "JSON"],
)
def test_wrong_request_is_a_sentence(api, make_model, status, asked):
    """With the status that says whose fault it is."""
    make_model("m")
    answer = requests.post(f"{api}/classify", **asked)
    assert answer.status_code == status
    check_described("Error", answer.json())


@pytest.mark.parametrize(("status", "way", "path"), [(404, "get", "other"), (405, "get", "classify")])
def test_wrong_address_is_a_sentence(api, status, way, path):
    """JSON, too, and not the pages'."""
    answer = requests.request(way, f"{api}/{path}")
    assert answer.status_code == status and "openapi.json" in answer.json()["error"]


def test_body_without_a_length_is_bounded(api, monkeypatch):
    """A client that sends in chunks says no length; what it sends is counted."""
    monkeypatch.setattr("fracture.api.receiving.MAX_BODY_BYTES", 2000)
    begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    answer = requests.post(
        f"{api}/classify",
        data=iter([begin, b"a" * 3000, b"\r\n--x--\r\n"]),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413


def test_full_queue_answers_at_once(homes, monkeypatch, pictures):
    """503 and when to ask again, while another request is answered; health answers all the time."""
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    begun, end = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        assert end.wait(60)
        return {}

    monkeypatch.setattr(routes, "classify_files", slow)
    with serve_api(BoundedQueue(threads=1, waiting=0)) as address:
        answers = []
        first = threading.Thread(
            target=lambda: answers.append(requests.post(f"{address}/classify", files=forms(pictures)))
        )
        first.start()
        wait(begun.is_set, 60)
        try:
            refused = requests.post(f"{address}/classify", files=forms(pictures))
            assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
            assert requests.get(f"{address}/health").status_code == 200
        finally:
            end.set()
            first.join()
        assert answers[0].status_code == 200
        assert requests.post(f"{address}/classify", files=forms(pictures)).status_code == 200
