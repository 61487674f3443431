"""The settings behind each button *Show me*: experiments whose effect is plain on the shipped features.

``python -m benchmarks.shipped_features --results`` prints the effect of each with its interval.
"""

from collections.abc import Iterator
from dataclasses import replace

from fracture.estimate import Estimate
from fracture.evaluation.metrics import auc_difference
from fracture.experiments.leakage import Outcome, compare_splits
from fracture.experiments.search import Try, sample_hyperparameters, search
from fracture.experiments.workbench import Bench

OVERFITTING = {"learning_rate": 0.03, "dropout": 0.0, "l2": 0.0, "epochs": 100, "batch_size": 64}
"""Settings with which a head memorizes its training images."""

LEAKAGE_SPLITS = 20
"""Of each kind, with shuffled labels and :data:`OVERFITTING`: fewer leave the interval wide."""

LOW_RATE = 2e-5
"""Learning rate of the preset in the playground: a head hardly learns in the epochs of the reference run."""

TRIALS = 16
"""Of the random search."""

SUBSETS = 3
"""Heads for each number of patients of the learning curve."""


def show_leakage(bench: Bench) -> Iterator[Outcome]:
    """Heads that memorize shuffled labels, on splits by image and by patient."""
    overfitting = replace(bench, config=bench.config.changed(**OVERFITTING))
    return compare_splits(overfitting, LEAKAGE_SPLITS, shuffle_labels=True)


def show_search(bench: Bench) -> Iterator[Try]:
    """A random search."""
    return search(bench, sample_hyperparameters(TRIALS, bench.config.seed))


def loss_from_low_rate(bench: Bench) -> Estimate:
    """The AUC of a head with :data:`LOW_RATE` minus that with the run's learning rate, with a 95 % interval."""
    features, label = bench.part(bench.validation)
    before = bench.fit(bench.training, bench.validation, bench.config)
    slow = bench.fit(bench.training, bench.validation, bench.config.changed(learning_rate=LOW_RATE))
    return auc_difference(label, before(features), slow(features), bench.table["group"][bench.validation])
