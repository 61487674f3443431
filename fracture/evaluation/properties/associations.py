"""How well each property of images predicts the label alone: its AUC, with an interval over groups."""

import hashlib
import json
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.cache import find_rows, open_cache, write_rows
from fracture.data.checks.problem import Problem
from fracture.data.dataset import Dataset
from fracture.estimate import Estimate, format_number
from fracture.evaluation.metrics import over_groups
from fracture.evaluation.properties.values import CATEGORIES, NUMBERS, Property, property_values
from fracture.files import JsonObject

MIN_IMAGES_PER_LABEL = 20
"""With fewer images of a label an AUC says nothing."""

MIN_GROUPS_PER_LABEL = 5
"""With fewer groups (patients) of a label its interval says nothing."""

MAX_BLOCKS = 1000
"""More groups are pooled at random into so many blocks, over which resamples are drawn: 40,000 would take 320 MB."""

WARNING_AUC = 0.7
"""From this AUC on, a property is a warning, and is said again before a run."""

FOLDS = 5

MAX_RANKS = 256
"""Values are compared by so many ranks at most, which moves an AUC by less than 0.002 and saves minutes."""

_VERSION = 1
"""To be raised whenever the same values give other associations."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS data_sets (key TEXT PRIMARY KEY, associations TEXT) WITHOUT ROWID"

Floats = NDArray[np.float64]


class Association(NamedTuple):
    """How well a property predicts the label."""

    name: str
    title: str
    auc: Estimate
    """Of a number in the direction in which it is at least 0.5."""
    direction: str
    """Which images are positive more often, in words, such as *taller images*."""

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0.5, on the side on which the property predicts the label."""
        low = self.auc["low"]
        # Where a property separates the labels perfectly, all resamples agree, and there is no interval.
        return self.auc["value"] == 1 if low is None else low > 0.5

    @property
    def is_strong(self) -> bool:
        """Whether a network is likely to learn it, as far as it sees it."""
        return self.significant and (self.auc["value"] or 0) >= WARNING_AUC

    def sentence(self, positive: str) -> str:
        """What was found; ``positive``: the word for label 1."""
        return (
            f"{self.title} alone predicts the label with AUC {format_number(self.auc, 2)}: "
            f"{self.direction} are more often {positive}."
        )


def find_associations(dataset: Dataset, measurements: pd.DataFrame) -> list[Association]:
    """The association of each property that is not the same for all images, the strongest first.

    Computed once for the same images, labels and groups, and cached on disk. Empty where a label has fewer than
    :data:`MIN_IMAGES_PER_LABEL` measured images, or these have too few groups.

    Args:
        dataset: with decisions about it already applied.
        measurements: of its images, see :func:`fracture.evaluation.properties.values.property_values`.
    """
    values = property_values(dataset.table, measurements)
    key = _key(values)
    known = _cached(key)
    if known is None:
        known = associate(values)
        _store(key, known)
    return known


def cached_associations(dataset: Dataset, measurements: pd.DataFrame) -> list[Association]:
    """As :func:`find_associations`, but only what has been computed before; otherwise empty."""
    return _cached(_key(property_values(dataset.table, measurements))) or []


def associate(values: pd.DataFrame) -> list[Association]:
    """The associations of properties with the label, the strongest first; ``values``: of :func:`property_values`."""
    images = values["label"].value_counts().reindex([0, 1], fill_value=0)
    groups = values.groupby("label")["group"].nunique()
    if images.min() < MIN_IMAGES_PER_LABEL or groups.min() < MIN_GROUPS_PER_LABEL:
        return []
    label = values["label"].to_numpy()
    block = _blocks(values["group"])
    found = [_of_number(each, values[each.name], label, block) for each in NUMBERS if _varies(values[each.name])]
    found += [_of_category(each, values[each.name], label, block) for each in CATEGORIES if _varies(values[each.name])]
    return sorted(found, key=lambda each: -(each.auc["value"] or 0))


def problem(found: list[Association], positive: str) -> Problem | None:
    """The strongest significant association as a problem of the data set; None without any."""
    significant = [each for each in found if each.significant]
    if not significant:
        return None
    strongest = significant[0]
    why = (
        "A network learns whatever predicts the label, so that it may answer by such a property in place of the bone: "
        "a shortcut (Geirhos et al., Nature Machine Intelligence 2, 2020), which fails on images from elsewhere."
    )
    severity = "warning" if strongest.is_strong else "note"
    return Problem("property predicts label", severity, strongest.sentence(positive), why)


def to_table(found: list[Association]) -> pd.DataFrame:
    """A row each: ``title``, ``direction``, ``value``, ``low`` and ``high`` of the AUC, and ``significant``."""
    rows = [
        {"title": each.title, "direction": each.direction, **each.auc, "significant": each.significant}
        for each in found
    ]
    columns = ["title", "direction", "value", "low", "high", "significant"]
    return pd.DataFrame(rows, columns=columns).astype({"value": "float64", "low": "float64", "high": "float64"})


def to_json(found: list[Association]) -> list[JsonObject]:
    """Associations as JSON."""
    return [each._asdict() for each in found]


def _varies(values: "pd.Series[float]") -> bool:
    return values.nunique() > 1


def _of_number(
    what: Property, values: "pd.Series[float]", label: NDArray[np.int64], block: NDArray[np.int64]
) -> Association:
    auc = _area(_ranks(values), np.zeros(len(label), np.int64), label, block)
    if auc["value"] is not None and auc["value"] < 0.5:
        return Association(what.name, what.title, _reversed(auc), what.less)
    return Association(what.name, what.title, auc, what.more)


def _of_category(
    what: Property, values: "pd.Series[str]", label: NDArray[np.int64], block: NDArray[np.int64]
) -> Association:
    category = pd.factorize(values)[0]
    fold = np.random.default_rng(0).permutation(block.max() + 1)[block] % FOLDS
    score = _cross_fitted(category, label, fold)
    auc = _area(_ranks(pd.Series(score)), fold, label, block)
    # Below chance, the shares of some folds do not hold in the others.
    holds = (auc["value"] or 0) > 0.5
    return Association(what.name, what.title, auc, _most_positive(values, label) if holds else "")


def _cross_fitted(category: NDArray[np.int64], label: NDArray[np.int64], fold: NDArray[np.int64]) -> Floats:
    """The share of label 1 in the category of each image (N,), among the images of other folds.

    A category's own images would flatter it: one of a single image predicts that image's label perfectly. Drawn
    towards the share of all by one image, which is also what a category without other images has.
    """
    share = np.empty(len(label))
    for each in range(FOLDS):
        outside = fold != each
        count = np.bincount(category[outside], minlength=category.max() + 1)
        positive = np.bincount(category[outside], label[outside], minlength=category.max() + 1)
        overall = label[outside].mean() if outside.any() else 0.5
        of_category = (positive + overall) / (count + 1)
        share[~outside] = of_category[category[~outside]]
    return share


def _most_positive(values: "pd.Series[str]", label: NDArray[np.int64]) -> str:
    """The category with the highest share of label 1, of those with enough images, in words."""
    shares = pd.Series(label).groupby(values.to_numpy()).agg(["mean", "size"])
    large = shares[shares["size"] >= MIN_IMAGES_PER_LABEL]
    name = str((large if len(large) else shares)["mean"].idxmax())
    return f"{name.removeprefix('XR_').lower() if name.startswith('XR_') else name or 'other'} images"


def _blocks(group: "pd.Series[str]") -> NDArray[np.int64]:
    """The block of groups of each image (N,): each group on its own, or with others where there are many."""
    codes, names = pd.factorize(group)
    order = np.random.default_rng(0).permutation(len(names)) if len(names) > MAX_BLOCKS else np.arange(len(names))
    return order[codes] % MAX_BLOCKS


def _ranks(values: "pd.Series[float]") -> NDArray[np.int64]:
    """Ranks from 0 (N,), equal for equal values; at most :data:`MAX_RANKS`, so that near values share one."""
    found = values.to_numpy()
    if values.nunique() > MAX_RANKS:
        found = np.floor((values.rank().to_numpy() - 0.5) / len(values) * MAX_RANKS)
    ranks: NDArray[np.int64] = np.unique(found, return_inverse=True)[1]
    return ranks


def _area(
    rank: NDArray[np.int64], fold: NDArray[np.int64], label: NDArray[np.int64], block: NDArray[np.int64]
) -> Estimate:
    """The AUC of ranks (N,), over the pairs of images of the same fold, with its interval over blocks."""
    shape = (block.max() + 1, fold.max() + 1, rank.max() + 1)
    place = np.ravel_multi_index((block, fold, rank), shape)
    size = int(np.prod(shape))
    positive = np.bincount(place, label == 1, size).reshape(shape[0], -1)  # (B, F x U)
    negative = np.bincount(place, label == 0, size).reshape(shape[0], -1)

    def auc(times: Floats) -> Floats:
        positives = (times @ positive).reshape(-1, *shape[1:])  # (R, F, U)
        negatives = (times @ negative).reshape(-1, *shape[1:])
        # The share of pairs in which the positive image ranks higher; a tie counts one half.
        won = (positives * (negatives.cumsum(axis=2) - negatives / 2)).sum(axis=(1, 2))
        pairs = (positives.sum(axis=2) * negatives.sum(axis=2)).sum(axis=1)
        return np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan)

    return over_groups(auc, pd.Series(np.arange(shape[0]).astype(str)))


def _reversed(auc: Estimate) -> Estimate:
    """The AUC of the opposite order."""
    value, low, high = (None if each is None else 1 - each for each in (auc["value"], auc["high"], auc["low"]))
    return {"value": value, "low": low, "high": high}


def _key(values: pd.DataFrame) -> str:
    rows = pd.util.hash_pandas_object(values, index=False).to_numpy()
    return hashlib.sha256(rows.tobytes() + " ".join(values.columns).encode()).hexdigest()


def _cached(key: str) -> list[Association] | None:
    with open_cache("properties/data_sets", _SCHEMA, _VERSION) as cache:
        rows = find_rows(cache, "data_sets", ["key"], [(key,)])
    return [Association(**each) for each in json.loads(rows[0][1])] if rows else None


def _store(key: str, found: list[Association]) -> None:
    with open_cache("properties/data_sets", _SCHEMA, _VERSION) as cache:
        write_rows(cache, "INSERT OR REPLACE INTO data_sets VALUES (?, ?)", [(key, json.dumps(to_json(found)))])
