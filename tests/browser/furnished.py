"""Homes with what the pictures show: drawn patients, the reference preset trained on them, the bundled model."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fracture.paths import PROJECT
from tests.support.serving import HOMES, homes_in

TRAINED, BUNDLED = "reference", "fracatlas"
"""The names of the two models."""


def furnish(place: Path, patients: int, weights: str) -> dict[str, str]:
    """Draw, train and copy into ``place``; the variables that name its folders. About two minutes for 200 patients.

    ``weights``: as ``python -m fracture train`` takes them.
    """
    homes = homes_in(place)
    shutil.copytree(PROJECT / "models" / BUNDLED, place / "models" / BUNDLED)
    _train_on_phantoms(homes, patients, weights)
    return homes


def furnish_clone(place: Path, patients: int, weights: str, furnished: Path | None = None) -> dict[str, str]:
    """The same with all models that come with the project, where a clone has them.

    ``furnished``: a folder with ``data`` and ``models`` from before; it is copied, and nothing is drawn or trained.
    """
    homes = {**homes_in(place), "FRACTURE_SHIPPED": str(PROJECT / "models")}
    if furnished is None:
        _train_on_phantoms(homes, patients, weights)
        return homes
    for folder in set(HOMES.values()) - {"shipped"}:
        if (furnished / folder).is_dir():
            shutil.copytree(furnished / folder, place / folder, dirs_exist_ok=True)
    return homes


def _train_on_phantoms(homes: Mapping[str, str], patients: int, weights: str) -> None:
    data = Path(homes["FRACTURE_DATA"]) / "phantoms"
    _fracture(homes, "phantom", str(data), "--patients", str(patients))
    _fracture(homes, "train", "--data", str(data), "--name", TRAINED, "--preset", "reference", "--weights", weights)


def _fracture(homes: Mapping[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "fracture", *words], check=True, env={**os.environ, **homes})
