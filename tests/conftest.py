"""Fixtures that all tests share: real and drawn data, and folders of one's own."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from fracture.logs import configure_logs
from fracture.registry.model_folder import ModelFolder, model_folder
from tests.support.drawing import draw_mura
from tests.support.serving import HOMES

configure_logs()

SHARED = Path(os.environ.get("FRACTURE_SHARED") or Path(__file__).resolve().parents[2] / "shared")


@pytest.fixture(scope="session")
def fracatlas() -> Path:
    """The folder of 3,202 real radiographs; the test is skipped on a machine without it."""
    folder = SHARED / "data" / "fracatlas"
    if not folder.is_dir():
        pytest.skip(f"needs the real radiographs of FracAtlas, and there is no {folder} (FRACTURE_SHARED moves it)")
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn data set in MURA's layout, shared by all tests: read it, do not write to it."""
    return draw_mura(tmp_path_factory.mktemp("drawn") / "MURA-v1.1")


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty homes for data, models and caches in ``tmp_path``, which is returned; no model comes with the project."""
    for variable, folder in HOMES.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.setenv(variable, str(tmp_path / folder))
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> ModelFolder:
    """A model trained on a drawn data set without TensorFlow, once for all test processes: read it only."""
    return _train_once(tmp_path_factory, worker_id, "trained", weights="bundled-8bit")


@pytest.fixture(scope="session")
def keras_trained(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> ModelFolder:
    """The same trained by Keras from random weights, which takes ten times longer; it has a ``model.h5``."""
    return _train_once(tmp_path_factory, worker_id, "keras_trained", weights="none")


def _train_once(factory: pytest.TempPathFactory, worker_id: str, place_name: str, weights: str) -> ModelFolder:
    base = factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / place_name
    folder = ModelFolder(place / "models" / "trained")
    with FileLock(f"{place}.lock"):
        if not folder.usable:
            _train(place, weights)
    return folder


def _train(place: Path, weights: str) -> None:
    data = draw_mura(place / "MURA-v1.1", truth=True)
    command = [sys.executable, "-m", "fracture", "train", "--data", str(data), "--name", "trained"]
    homes = {"FRACTURE_MODELS": str(place / "models"), "FRACTURE_CACHE": str(place / "cache")}
    subprocess.run(
        [*command, "--weights", weights, "--image-size", "75", "--epochs", "3", "--learning-rate", "0.1"],
        check=True,
        env={**os.environ, **homes},
    )


@pytest.fixture
def make_model(homes: Path, trained: ModelFolder) -> Callable[[str], ModelFolder]:
    """Puts a copy of the trained model into the test's own models folder, under any name."""

    def make(name: str) -> ModelFolder:
        folder = model_folder(name)
        shutil.copytree(trained.path, folder.path)
        for path in (folder.card, folder.status):
            path.write_text(path.read_text().replace('"trained"', json.dumps(name)))
        return folder

    return make


@pytest.fixture
def graphs(homes: Path, keras_trained: ModelFolder) -> Path:
    """The converted backbone of the Keras model in the test's own cache: converting it again takes many seconds."""
    return Path(shutil.copytree(keras_trained.path.parents[1] / "cache" / "graphs", homes / "cache" / "graphs"))


@pytest.fixture
def features(homes: Path, trained: ModelFolder) -> Path:
    """The features that the trained model's training has computed, in the test's own cache."""
    return Path(shutil.copytree(trained.path.parents[1] / "cache" / "features", homes / "cache" / "features"))


@pytest.fixture
def as_cloned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The project as it is cloned: no folder moved, but for the cache, and no way out of this machine."""
    for variable in ("FRACTURE_MODELS", "FRACTURE_SHIPPED", "FRACTURE_DATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("FRACTURE_CACHE", str(tmp_path / "cache"))

    def unreachable(*_: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)


@pytest.fixture
def home_with_data(homes: Path, drawn: Path) -> Path:
    """Empty homes but for one drawn data set."""
    shutil.copytree(drawn, homes / "data" / "drawn")
    return homes
