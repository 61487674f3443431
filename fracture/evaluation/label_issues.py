"""Likely label errors, found by confident learning: which labels to look at first.

::

    images ── served graph ──> features ── logistic regression, cross-validated by group ──> logits
                                   views of a study, averaged ── confident learning ──> doubt by study

No image is predicted by a regression that was fitted on it, or on another image of its group. A label belongs to a
study, so the logits of its views are averaged. The result is an order in which to look, not a verdict: a rare image
with the right label is doubted too, and a wrong label is missed where the features can't separate the labels.

Measured with the features of a frozen InceptionV3 at 150 px, with the labels of whole studies flipped at random. Of 13
flipped labels among 210 studies of phantoms, 75 % were among the 13 most doubted studies and 91 % among the first 26;
of those called an issue, 90 % were flipped (means of 10 draws). Of 160 among FracAtlas's 3,202 images, whose fractures
these features hardly show, 40 % and 62 %, and 33 % (of 3 draws), where chance is 5 %, 10 % and 5 %.

The method is that of Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70, 2021, by cleanlab. No TensorFlow.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from fracture.data.checks.problem import Problem, number
from fracture.data.dataset import Dataset
from fracture.errors import Cancelled, DatasetError, ModelError
from fracture.inference.embeddings import Features, served_features
from fracture.inference.ood import prepare
from fracture.registry.model_folder import ModelFolder

FOLDS = 5

INVERSE_L2 = 0.001
"""Inverse of the L2 penalty on standardized features; of 0.0001 to 0.1 a good one for phantoms and FracAtlas alike."""

ISSUE_COLUMNS = ("image_id", "study", "label", "probability", "doubt", "is_issue")
"""``probability``: of label 1, the same for all views of a study. ``doubt``: the probability of the other label.
``is_issue``: confident learning calls the label wrong."""


def _ignore(done: int, total: int) -> None:
    """Report no progress."""


def _never() -> bool:
    return False


def find_label_issues(
    dataset: Dataset,
    model: ModelFolder,
    on_progress: Callable[[int, int], None] = _ignore,
    should_stop: Callable[[], bool] = _never,
) -> pd.DataFrame:
    """Every readable image of a data set with :data:`ISSUE_COLUMNS`, the most doubted study first.

    Args:
        dataset: with decisions about it already applied.
        model: its features separate the images; its own labels do not matter. Of a fine-tuned model an earlier layer is
            used, which knows less of the labels that it was trained on.
        on_progress: called with the number of images that have features, and of all.
        should_stop: asked after some dozen images, and after each fold.

    Raises:
        Cancelled: ``should_stop`` returned True; the features computed so far are cached.
        ModelError: the model is missing or damaged, or its features are not finite.
        DatasetError: a label has images in fewer than two groups, or no image can be read.
    """
    by_image = served_features(dataset.table, model, on_progress, should_stop)
    readable = [name in by_image for name in dataset.table["image_id"]]
    table = dataset.table[readable].reset_index(drop=True)
    if table.empty:
        raise DatasetError(f"No image of {dataset.root} can be read.")
    # pop lets go of each vector, so that the features are not kept in memory twice.
    features = np.stack([by_image.pop(name) for name in table["image_id"]])
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        first = table["image_id"][int(finite.argmin())]
        raise ModelError(
            f"The features of model {model.name!r} must be finite. Received: others in {(~finite).sum():,} images, "
            f"such as {first}. The model is damaged; train it again."
        )
    return rank_by_doubt(table.assign(logit=cross_validate(features, table, should_stop)))


def problem(found: pd.DataFrame, names: tuple[str, str], model: str) -> Problem | None:
    """The label issues as a problem of the data set; None where there is none.

    Args:
        found: the result of :func:`find_label_issues`.
        names: of labels 0 and 1.
        model: the model's name.
    """
    from sklearn.metrics import roc_auc_score

    # All views of a study have the same probability: its label counts once.
    studies = found.drop_duplicates(["study", "label"])
    issues = studies[studies["is_issue"]]
    images = found[found["is_issue"]]
    if images.empty:
        return None
    counted = number(images, "image")
    if len(issues) < len(images):
        counted = f"{number(issues, 'study', 'studies')} ({counted})"
    auc = roc_auc_score(studies["label"], studies["probability"])
    negative, positive = names
    message = (
        f"The labels of {counted} may be wrong: with the features of model {model!r}, which separate {positive} from "
        f"{negative} with an AUC of {auc:.2f} here, the other label is more likely. {(issues['label'] == 1).sum():,} "
        f"are {positive} and {(issues['label'] == 0).sum():,} {negative}. Look at the most doubted ones first; the "
        "lower the AUC, the more of these labels are right."
    )
    why = (
        "A wrong label teaches the wrong thing, and makes a correct prediction an error. A rare image with the right "
        "label is doubted as well."
    )
    return Problem("label doubts", "warning", message, why, tuple(images["image_id"]))


def cross_validate(
    features: Features, table: pd.DataFrame, should_stop: Callable[[], bool] = _never
) -> NDArray[np.float64]:
    """The logit of label 1 for each image (N,), by a regression that was fitted on other groups.

    Args:
        features: (N, F).
        table: the images, with ``label`` and ``group``.
        should_stop: asked after each fold.

    Raises Cancelled and DatasetError as :func:`find_label_issues` does.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    label = table["label"].to_numpy()
    features = prepare(features)
    features -= features.mean(axis=0)
    # A feature that is the same for all images would be divided by 0.
    features /= np.maximum(features.std(axis=0), np.finfo(np.float32).tiny)
    logits = np.zeros(len(table))
    for fitted, predicted in _folds(table):
        with threadpool_limits(1):  # the steps are so short that more threads mostly wait for each other
            regression = LogisticRegression(C=INVERSE_L2, max_iter=1000).fit(features[fitted], label[fitted])
            logits[predicted] = regression.decision_function(features[predicted])
        if should_stop():
            raise Cancelled
    return logits


def _folds(table: pd.DataFrame) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to fit, with both labels, and rows to predict: each group is predicted once, by a fit without it."""
    from sklearn.model_selection import StratifiedGroupKFold

    label = table["label"].to_numpy()
    group = table["group"].to_numpy()
    groups_by_label = [table.loc[table["label"] == each, "group"].nunique() for each in (0, 1)]
    count = min(FOLDS, *groups_by_label)
    folds = []
    if count > 1:
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
        folds = list(splitter.split(label, label, group))
    # Where groups are few, the splitter may leave only one label to fit on.
    if not folds or any(np.unique(label[fitted]).size < 2 for fitted, _ in folds):
        raise DatasetError("Label errors can be found where each label has images in at least two groups (patients).")
    return folds


def rank_by_doubt(table: pd.DataFrame) -> pd.DataFrame:
    """A table of images with ``study``, ``label`` and ``logit`` -> :data:`ISSUE_COLUMNS`, the most doubted study first.

    A label is an issue where the other label is more likely, by the rule of confident learning: the probability of the
    other label is at least its mean over the studies that have it. For a rare label, less is enough.
    """
    from cleanlab import filter as confident_learning

    studies = table.groupby(["study", "label"], as_index=False)["logit"].mean()
    label = studies["label"].to_numpy()
    probability = expit(studies["logit"].to_numpy())
    both = np.stack([1 - probability, probability], axis=1)  # (S, 2)
    is_issue = confident_learning.find_label_issues(label, both, filter_by="confident_learning", n_jobs=1)
    doubt = np.where(label == 1, 1 - probability, probability)
    measured = studies.assign(probability=probability, doubt=doubt, is_issue=is_issue)
    found = table[["image_id", "study", "label"]].merge(measured, on=["study", "label"])
    ordered = found.sort_values(["doubt", "study"], ascending=[False, True], kind="stable", ignore_index=True)
    return ordered[list(ISSUE_COLUMNS)]
