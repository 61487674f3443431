"""The shipped table and features, and the bench of both.

In ``assets/features`` are ``plan.json``, ``images.csv`` (a row an image) and ``features.npz`` (N, 2048), in 16 bits:
heads on them differ from heads on 32 bits by less than by another seed.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from fracture.errors import RunError
from fracture.experiments.shipped.phantoms import ImageNumbers, ShippedPlan, is_abnormal
from fracture.experiments.workbench import Bench
from fracture.files import atomic_write, read_arrays, read_json, write_json
from fracture.paths import PROJECT
from fracture.phantoms.study import Phantom
from fracture.training.backbone.features import FEATURES, Features
from fracture.training.config import LITE, TrainConfig

FOLDER = PROJECT / "assets" / "features"

LABELS = ("normal", "abnormal")

DATA = "synthetic"
"""In the place of a data set's name."""

VALIDATION_SHARE = 0.3
"""Of the patients, those with the highest numbers: more than usual, so that intervals are narrow."""

_PLAN = "plan.json"
_TABLE = "images.csv"
_FEATURES = "features.npz"


def is_shipped() -> bool:
    """Whether the features are there: a deployment may leave them out."""
    return (FOLDER / _FEATURES).is_file()


@lru_cache(maxsize=1)
def shipped_plan() -> ShippedPlan:
    """The plan of the set. Raises RunError where it is missing or damaged."""
    try:
        return ShippedPlan.model_validate(read_json(FOLDER / _PLAN))
    except (OSError, ValueError) as error:
        raise _damaged(error) from error


def shipped_bench() -> Bench:
    """The set as a bench, with the settings of the reference run.

    Raises RunError where the files are missing or damaged.
    """
    plan = shipped_plan()
    try:
        table = pd.read_csv(FOLDER / _TABLE, dtype={"patient": str}, keep_default_na=False)
        features = read_arrays(FOLDER / _FEATURES)["features"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(error) from error
    if features.shape != (len(table), FEATURES):
        raise _damaged(ValueError(f"{len(table)} rows, features {features.shape}"))
    config = TrainConfig(data=DATA, name=DATA, weights=LITE, image_size=plan.image_size, fit=plan.fit)
    return Bench(config, table.assign(group=table["patient"], data=DATA), features, LABELS, DATA)


def row_of_image(plan: ShippedPlan, numbers: ImageNumbers, phantom: Phantom) -> dict[str, object]:
    """The row of ``images.csv`` of an image."""
    shown = [name for name in ("fracture", "hardware") if getattr(phantom.truth, name)]
    in_validation = numbers.patient > round(plan.patients * (1 - VALIDATION_SHARE))
    return {
        "image_id": numbers.image_id,
        "patient": f"{numbers.patient:03d}",
        "study": numbers.study,
        "view": phantom.view,
        "split": "valid" if in_validation else "train",
        "label": int(is_abnormal(numbers.patient)),
        "findings": ";".join(shown) or "none",
    }


def save(folder: Path, plan: ShippedPlan, table: pd.DataFrame, features: Features) -> None:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    half = features.astype(np.float16)
    write_json(folder / _PLAN, plan.model_dump())
    atomic_write(folder / _TABLE, lambda part: table.to_csv(part, index=False))
    atomic_write(folder / _FEATURES, lambda part: np.savez_compressed(part, features=half))


def _damaged(error: Exception) -> RunError:
    return RunError(
        f"The features in {FOLDER.relative_to(PROJECT)} are missing or damaged ({error}). "
        "Restore them, or choose a run."
    )
