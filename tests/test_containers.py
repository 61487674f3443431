"""What the Dockerfile and compose.yaml promise: no root, nothing writable but the volumes, one published port."""

import re

import pytest
import yaml

from fracture.paths import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
FOLDERS = {"/var/lib/fracture/data", "/var/lib/fracture/models", "/var/lib/fracture/cache"}


def instruction(name):
    """The only one of this name, its lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    (found,) = re.findall(rf"^{name} +(.*(?:\n +.*)*)$", joined, re.MULTILINE)
    return found


def test_image_is_pinned_slim_and_not_root():
    """A tag that names the version; a user with a number, which an orchestrator can check."""
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", instruction("FROM"))
    user, group = instruction("USER").split(":")
    assert int(user) > 0 and int(group) > 0
    assert "_stcore/health" in instruction("HEALTHCHECK")
    assert set(yaml.safe_load(instruction("VOLUME"))) == FOLDERS
    assert "server.py" in instruction("CMD")


@pytest.mark.parametrize("variable", ["FRACTURE_DATA", "FRACTURE_MODELS", "FRACTURE_CACHE"])
def test_folders_of_the_app_are_volumes(variable):
    """What the app writes outlives its container."""
    (folder,) = re.findall(rf"\b{variable}=(\S+)", instruction("ENV"))
    assert folder in FOLDERS


def test_workers_import_the_package():
    """It is not installed: the command ``dask worker`` has the folder of its own script on the path, and no other."""
    assert re.search(r"\bPYTHONPATH=(\S+)", instruction("ENV")).group(1) == instruction("WORKDIR")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_service_writes_its_volumes_alone(name):
    """And has no rights that it does not need."""
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"]
    mounted = {volume.partition(":")[2] for volume in service["volumes"]}
    assert mounted == FOLDERS
    assert {volume.partition(":")[0] for volume in service["volumes"]} == set(COMPOSE["volumes"])
    assert not service["image"].endswith(":latest") and ":" in service["image"]


def test_only_the_app_is_published_and_on_loopback():
    """A scheduler runs whatever it is sent; a proxy stands before the app."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"app"}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["app"]["ports"])
    assert SERVICES["scheduler"]["networks"] == SERVICES["worker"]["networks"] == ["cluster"]
    assert COMPOSE["networks"]["cluster"]["internal"] is True
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert SERVICES["app"]["environment"]["FRACTURE_CLUSTER"] in SERVICES["worker"]["command"]


def test_image_holds_what_the_app_needs():
    """.dockerignore lets through the files that are there, and no data."""
    kept = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {"server.py", "streamlit_app.py", "fracture", "pages", "assets"} <= set(kept)
    assert [name for name in kept if not (PROJECT / name).exists()] == []
