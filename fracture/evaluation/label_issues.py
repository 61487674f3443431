"""The labels that a model doubts most: where to look first for mistakes in a data set.

::

    images ── served graph ──> features ── logistic regression, each fold of groups in turn left out ──> logits
                                              views of a study, averaged ── confident learning ──> doubt by study

No image is judged by a regression that has seen it, or another image of its group. A label belongs to a study, so that
its views are judged together. What comes of it is the order in which to look, no verdict: a rare picture with the right
label is doubted too, and a wrong label is not where the features cannot tell.

Measured with the features of a frozen InceptionV3 at 150 px, labels of whole studies turned over at random: of 13 among
210 studies of phantoms, 75 % were among the 13 most doubted and 91 % among the first 26; of those taken for wrong, 90 %
were (means of 10 draws). Of 160 among FracAtlas's 3,202 images, whose fractures these features hardly show, 40 % and
62 %, and 33 % (of 3 draws), where chance is 5 %, 10 % and 5 %.

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

STRENGTH = 0.001
"""Inverse of the L2 penalty on standardised features: of 0.0001 to 0.1 a good one for phantoms and FracAtlas alike."""

COLUMNS = ("image_id", "study", "label", "probability", "doubt", "is_issue")
"""``probability``: of label 1, the same for all views of a study. ``doubt``: 0 to 1, the higher, the likelier the label
is wrong. ``is_issue``: it is one of those that confident learning takes for wrong."""


def _nothing(done: int, total: int) -> None:
    """Say nothing."""


def _never() -> bool:
    return False


def label_doubts(
    dataset: Dataset,
    model: ModelFolder,
    say: Callable[[int, int], None] = _nothing,
    should_stop: Callable[[], bool] = _never,
) -> pd.DataFrame:
    """Every readable image of a data set with :data:`COLUMNS`, the most doubted study first.

    Args:
        dataset: whose labels are doubted; decisions that were made about it should have been applied.
        model: whose features tell the images apart. Its own labels do not matter. Of a fine-tuned model an earlier
            layer is taken, which knows less of the labels that it was trained on.
        say: hears of how many images the features are there, of how many.
        should_stop: asked after some dozen images, and after each fold.

    Raises:
        Cancelled: ``should_stop`` said so; the features that are there are kept for the next time.
        ModelError: the model is missing or damaged, or what it sees in an image are no numbers.
        DatasetError: a label has images in fewer than two groups, or no image can be read.
    """
    known = served_features(dataset.table, model, say, should_stop)
    table = dataset.table[[name in known for name in dataset.table["image_id"]]].reset_index(drop=True)
    if table.empty:
        raise DatasetError(f"No image of {dataset.root} can be read.")
    features = np.stack([known.pop(name) for name in table["image_id"]])
    if not (finite := np.isfinite(features).all(axis=1)).all():
        raise ModelError(
            f"What model {model.name!r} sees in an image must be numbers, and is none in {(~finite).sum():,} images, "
            f"such as {table['image_id'][int(finite.argmin())]}; the model is damaged, train it again."
        )
    return doubts(table.assign(logit=logits(features, table, should_stop)))


def problem(found: pd.DataFrame, names: tuple[str, str], model: str) -> Problem | None:
    """What is to be said of the doubts that were found; None where no label is taken for wrong.

    ``names``: of labels 0 and 1. ``model``: the model's name.
    """
    from sklearn.metrics import roc_auc_score

    studies = found.drop_duplicates(["study", "label"])
    issues, images = studies[studies["is_issue"]], found[found["is_issue"]]
    if images.empty:
        return None
    whose = number(images, "image")
    if len(issues) < len(images):
        whose = f"{number(issues, 'study', 'studies')} ({whose})"
    said = (
        f"The labels of {whose} are doubtful by the features of model {model!r}, which tell {names[1]} from {names[0]} "
        f"with an AUC of {roc_auc_score(studies['label'], studies['probability']):.2f} here: "
        f"{(issues['label'] == 1).sum():,} are {names[1]} and {(issues['label'] == 0).sum():,} {names[0]}. Look at "
        "them, the most doubtful first; the lower the AUC, the more of them are right."
    )
    why = (
        "A wrong label teaches the wrong thing, and counts a right answer as a mistake; but a rare picture with the "
        "right label is doubted as well."
    )
    return Problem("label doubts", "warning", said, why, tuple(images["image_id"]))


def logits(features: Features, table: pd.DataFrame, should_stop: Callable[[], bool] = _never) -> NDArray[np.float64]:
    """The logit of label 1 for each image (N,), by a regression that has seen nothing of its group.

    ``features``: (N, F). ``table``: of the images, with ``label`` and ``group``.
    Raises Cancelled and DatasetError as :func:`label_doubts`.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    label = table["label"].to_numpy()
    features = prepare(features)
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), np.finfo(np.float32).tiny)
    found = np.zeros(len(table))
    for seen, unseen in _folds(table):
        with threadpool_limits(1):  # steps so short that threads mostly wait for each other
            regression = LogisticRegression(C=STRENGTH, max_iter=1000).fit(features[seen], label[seen])
            found[unseen] = regression.decision_function(features[unseen])
        if should_stop():
            raise Cancelled
    return found


def _folds(table: pd.DataFrame) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to learn from, with both labels, and rows to judge: all groups are judged once, and none by its own."""
    from sklearn.model_selection import StratifiedGroupKFold

    label, group = table["label"].to_numpy(), table["group"].to_numpy()
    count = min(FOLDS, *(table.loc[table["label"] == each, "group"].nunique() for each in (0, 1)))
    splitter = StratifiedGroupKFold(max(2, count), shuffle=True, random_state=0)
    folds = list(splitter.split(label, label, group)) if count > 1 else []
    if not folds or min(np.unique(label[seen]).size for seen, _ in folds) < 2:
        raise DatasetError("To doubt labels, images of each label are needed in at least two groups (patients).")
    return folds


def doubts(table: pd.DataFrame) -> pd.DataFrame:
    """A table of images with ``study``, ``label`` and ``logit`` -> :data:`COLUMNS`, the most doubted study first.

    The doubt is the probability of the other label. Taken for wrong is a label where the other one is the likelier, and
    likelier than it usually is where it is given: of a rare label, less probability is enough.
    """
    from cleanlab.filter import find_label_issues

    studies = table.groupby(["study", "label"], as_index=False)["logit"].mean()
    label, probability = studies["label"].to_numpy(), expit(studies["logit"].to_numpy())
    both = np.stack([1 - probability, probability], axis=1)  # (S, 2)
    issue = find_label_issues(label, both, filter_by="confident_learning", n_jobs=1)
    doubt = np.where(label == 1, 1 - probability, probability)
    judged = studies.assign(probability=probability, doubt=doubt, is_issue=issue)
    found = table[["image_id", "study", "label"]].merge(judged, on=["study", "label"])
    order = found.sort_values(["doubt", "study"], ascending=[False, True], kind="stable", ignore_index=True)
    return order[list(COLUMNS)]
