"""Homes with what the pictures show: drawn patients, the reference preset trained on them, the bundled model."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fracture.paths import PROJECT
from tests.support.serving import homes_in

TRAINED, BUNDLED = "reference", "fracatlas"
"""The names of the two models."""


def furnish(place: Path, patients: int, weights: str) -> dict[str, str]:
    """Draw, train and copy into ``place``; the variables that name its folders. About two minutes for 200 patients.

    ``weights``: as ``python -m fracture train`` takes them.
    """
    homes = homes_in(place)
    data = place / "data" / "phantoms"
    shutil.copytree(PROJECT / "models" / BUNDLED, place / "models" / BUNDLED)
    _fracture(homes, "phantom", str(data), "--patients", str(patients))
    _fracture(homes, "train", "--data", str(data), "--name", TRAINED, "--preset", "reference", "--weights", weights)
    return homes


def _fracture(homes: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "fracture", *words], check=True, env={**os.environ, **homes})
