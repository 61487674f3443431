"""The catalog of a data set: its images in reading order, with decisions and scores; filtered and sorted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fracture.data.dataset import Dataset

NO_DECISION = "none"


def build_catalog(
    dataset: Dataset,
    decisions: Mapping[str, str] | None = None,
    brightness: Mapping[str, float] | None = None,
    scores: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The table of a data set in reading order, with further columns.

    Args:
        dataset: a scanned data set.
        decisions: by ``image_id``, as :func:`fracture.data.decisions.decided` gives them.
        brightness: by ``image_id``, the mean gray level, 0 to 255.
        scores: by ``image_id``, a model's probability of the positive label.

    Returns:
        The table with ``views`` (of the image's study), ``pixels``, ``decision`` (:data:`NO_DECISION` where there is
        none), ``brightness`` and ``score`` (NaN where unknown). Rows of a study stand together, and numbers in names
        count as numbers: view 10 comes after view 9.
    """
    table = dataset.table
    ids = table["image_id"]
    decided = {name: decision for name, decision in (decisions or {}).items() if decision != "keep"}
    catalog = table.assign(
        views=table.groupby("study")["image_id"].transform("size"),
        pixels=table["width"] * table["height"],
        decision=[decided.get(name, NO_DECISION) for name in ids],
        brightness=ids.map(dict(brightness or {})).astype("float64"),
        score=ids.map(dict(scores or {})).astype("float64"),
    )
    names = ["patient", "study", "image_id"]
    keys = catalog[names].apply(_pad_numbers)
    return catalog.loc[keys.sort_values(names).index].reset_index(drop=True)


def rows_after_decisions(catalog: pd.DataFrame) -> pd.DataFrame:
    """The rows of a catalog that training and export use: without excluded images, and with the decided labels.

    Pages count and chart these rows; :func:`fracture.data.decisions.apply_decisions` does the same to a data set.
    """
    kept = catalog[catalog["decision"] != "exclude"]
    decided = kept["decision"].map({"negative": 0, "positive": 1})
    return kept.assign(label=decided.fillna(kept["label"]).astype("int64"))


def _pad_numbers(names: "pd.Series[str]") -> "pd.Series[str]":
    """Names whose numbers have ten digits, so that they sort by number."""
    return names.str.replace(r"\d+", lambda number: number[0].zfill(10), regex=True)


@dataclass(frozen=True)
class ImageFilter:
    """Which images to show. An empty choice lets all through.

    ``views``: of their study, from and to. ``longer_side``: in px, from and to. ``image_ids``: only these, in this
    order. ``text``: a part of the image's or the study's name, in any case.
    """

    split: Collection[str] = ()
    label: Collection[int] = ()
    body_part: Collection[str] = ()
    decision: Collection[str] = ()
    views: tuple[int, int] | None = None
    longer_side: tuple[int, int] | None = None
    image_ids: Collection[str] | None = None
    text: str = ""


def filter_images(
    catalog: pd.DataFrame, wanted: ImageFilter, order: str = "", descending: bool = False
) -> pd.DataFrame:
    """The rows of a catalog that pass a filter, in its order or sorted by a column; rows without a value come last."""
    passes = pd.Series(True, index=catalog.index)
    for column in ("split", "label", "body_part", "decision"):
        chosen = getattr(wanted, column)
        if chosen:
            passes &= catalog[column].isin(list(chosen))
    if wanted.views is not None:
        passes &= catalog["views"].between(*wanted.views)
    if wanted.longer_side is not None:
        passes &= catalog[["width", "height"]].max(axis=1).between(*wanted.longer_side)
    if wanted.text:
        names = catalog["image_id"] + " " + catalog["study"]
        passes &= names.str.contains(wanted.text, case=False, regex=False)
    found = catalog[passes]
    if wanted.image_ids is not None:
        place = {name: number for number, name in enumerate(wanted.image_ids)}
        found = found[found["image_id"].isin(place)].sort_values("image_id", key=lambda ids: ids.map(place))
    if order:
        found = found.sort_values(order, ascending=not descending, na_position="last", kind="stable")
    return found


@dataclass(frozen=True)
class Neighbors:
    """The images before and after one: places in the list of images that are shown, None where it ends."""

    before: int | None
    after: int | None
    study_before: int | None
    """The first view of the study."""
    study_after: int | None


def neighbors(studies: Sequence[str], place: int) -> Neighbors:
    """The neighbors of the image at a place; ``studies``: that of each image that is shown, in order."""
    count = len(studies)
    here = studies[place]
    last_of_study_before = next((at for at in range(place - 1, -1, -1) if studies[at] != here), None)
    study_before = None if last_of_study_before is None else studies.index(studies[last_of_study_before])
    return Neighbors(
        before=place - 1 if place else None,
        after=place + 1 if place + 1 < count else None,
        study_before=study_before,
        study_after=next((at for at in range(place + 1, count) if studies[at] != here), None),
    )
