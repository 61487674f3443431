"""A head that was trained in the playground, cached for all visitors."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fracture.app.shared.features.material import SHIPPED, Material, features_of
from fracture.estimate import Estimate
from fracture.evaluation.metrics import area, rates
from fracture.experiments.learning_curve import random_group_subset
from fracture.experiments.workbench import Bench
from fracture.registry.validation import OperatingPoint
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import Head


@dataclass(frozen=True)
class Trial:
    """A head that was trained in the playground, with its validation metrics."""

    config: TrainConfig
    groups: int
    """Patients or groups in its training images."""
    images: int
    """Training images."""
    head: Head
    auc: Estimate
    half: OperatingPoint
    """accuracy, sensitivity and specificity at a threshold of one half."""
    seconds: float
    """Duration of its training."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), of the validation images."""

    @property
    def settings(self) -> dict[str, object]:
        """The settings that the playground's widgets change."""
        names = ("learning_rate", "dropout", "l2", "class_weight", "epochs")
        chosen = {name: getattr(self.config, name) for name in names}
        return {**chosen, "patients": self.groups, "seed": self.config.seed}


def trial_of(material: Material, bench: Bench, config: TrainConfig, groups: int) -> Trial:
    """The head of these settings, trained when it is needed for the first time. Raises RunError."""
    key = SHIPPED if material.run is None else features_of(material.run)
    return _trial(f"{key} {bench.fingerprint}", config, groups, bench)


@st.cache_resource(max_entries=300, show_spinner=False)
def _trial(key: str, config: TrainConfig, groups: int, _bench: Bench) -> Trial:  # noqa: ARG001
    rows = random_group_subset(_bench, groups)
    validation = _bench.validation
    started = perf_counter()
    head = _bench.fit(rows, validation, config)
    seconds = perf_counter() - started
    features, label = _bench.part(validation)
    probability = head(features)
    predictions = _bench.table[validation].assign(probability=probability)
    auc = area(label, probability, predictions["group"])
    return Trial(config, groups, int(rows.sum()), head, auc, rates(predictions, 0.5), seconds, probability)
