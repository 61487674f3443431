"""Features drawn from known distributions, on which it is known what a head must find."""

import numpy as np
import pandas as pd

from fracture.experiments.workbench import Bench
from fracture.training.config import TrainConfig

CONFIG = TrainConfig(data="drawn", name="drawn", epochs=20, learning_rate=0.01, dropout=0.0, l2=0.0)


def draw_bench(patients=80, views=3, *, finding=0.0, person=0.0, metal=0.0, features=64, seed=0):
    """A bench of ``patients``, half of them positive, a quarter of them for validation.

    In the first feature lies the finding, in the second the hardware that half of the positive patients have, and in
    all of them who the patient is, each as strong as said; and noise of 1.
    """
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(patients), views)
    label, hardware = of % 2, (of % 4 == 1)
    drawn = rng.normal(size=(len(of), features)) + person * rng.normal(size=(patients, features))[of]
    drawn[:, 0] += finding * label
    drawn[:, 1] += metal * hardware
    table = pd.DataFrame(
        {
            "image_id": [f"image{place}" for place in range(len(of))],
            "group": [f"patient{each}" for each in of],
            "patient": [f"patient{each}" for each in of],
            "split": np.where(of < patients * 3 / 4, "train", "valid"),
            "label": label,
            "data": "drawn",
            "findings": np.where(hardware, "hardware", np.where(label == 1, "fracture", "none")),
        }
    )
    return Bench(CONFIG, table, drawn.astype(np.float32), ("normal", "abnormal"), "drawn")
