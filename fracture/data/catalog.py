"""Which images of a data set are to be seen, and in which order: patient by patient as a reader would, or sorted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fracture.data.dataset import Dataset

NO_DECISION = "none"


def catalogue(
    dataset: Dataset,
    decisions: Mapping[str, str] | None = None,
    brightness: Mapping[str, float] | None = None,
    scores: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The table of a data set in reading order, with what more is known of each image.

    Args:
        dataset: whose table it is.
        decisions: by ``image_id``, as :func:`fracture.data.decisions.decided` has them.
        brightness: by ``image_id``, the mean gray level, 0 to 255.
        scores: by ``image_id``, a model's probability of the positive label.

    Returns:
        The table with ``views`` (of the image's study), ``pixels``, ``decision`` (:data:`NO_DECISION` where there is
        none), ``brightness`` and ``score`` (NaN where unknown). Rows of a study stand together, and numbers in names
        count as numbers: view 10 comes after view 9.
    """
    table, ids, held = dataset.table, dataset.table["image_id"], decisions or {}
    known = table.assign(
        views=table.groupby("study")["image_id"].transform("size"),
        pixels=table["width"] * table["height"],
        decision=[chosen if (chosen := held.get(name, "keep")) != "keep" else NO_DECISION for name in ids],
        brightness=ids.map(dict(brightness or {})).astype("float64"),
        score=ids.map(dict(scores or {})).astype("float64"),
    )
    names = ["patient", "study", "image_id"]
    keys = known[names].apply(_by_number)
    return known.loc[keys.sort_values(names).index].reset_index(drop=True)


def rows_after_decisions(known: pd.DataFrame) -> pd.DataFrame:
    """The rows of a catalogue that training and export use: without excluded images, and with the decided labels.

    What is counted or charted of a data set is counted here, as :func:`fracture.data.decisions.apply_decisions` would.
    """
    kept = known[known["decision"] != "exclude"]
    decided = kept["decision"].map({"negative": 0, "positive": 1})
    return kept.assign(label=decided.fillna(kept["label"]).astype("int64"))


def _by_number(names: "pd.Series[str]") -> "pd.Series[str]":
    return names.str.replace(r"\d+", lambda number: number[0].zfill(10), regex=True)


@dataclass(frozen=True)
class Wanted:
    """What images must be like to be seen. An empty choice lets all through.

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


def select(known: pd.DataFrame, wanted: Wanted, order: str = "", descending: bool = False) -> pd.DataFrame:
    """The rows of a catalogue that are wanted, in its order or sorted by a column; where that is unknown, last."""
    kept = pd.Series(True, index=known.index)
    for column in ("split", "label", "body_part", "decision"):
        if among := getattr(wanted, column):
            kept &= known[column].isin(list(among))
    for values, limits in (
        (known["views"], wanted.views),
        (known[["width", "height"]].max(axis=1), wanted.longer_side),
    ):
        if limits is not None:
            kept &= values.between(*limits)
    if wanted.text:
        kept &= (known["image_id"] + " " + known["study"]).str.contains(wanted.text, case=False, regex=False)
    found = known[kept]
    if wanted.image_ids is not None:
        place = {name: number for number, name in enumerate(wanted.image_ids)}
        found = found[found["image_id"].isin(place)].sort_values("image_id", key=lambda ids: ids.map(place))
    if order:
        found = found.sort_values(order, ascending=not descending, na_position="last", kind="stable")
    return found


@dataclass(frozen=True)
class Steps:
    """Where one can go from an image: places in the list of images that are seen, None where it ends."""

    before: int | None
    after: int | None
    study_before: int | None
    """The first view of it."""
    study_after: int | None


def steps(studies: Sequence[str], place: int) -> Steps:
    """The ways on from an image, by the study of each image that is seen, in their order."""
    count, here = len(studies), studies[place]
    other = next((at for at in range(place - 1, -1, -1) if studies[at] != here), None)
    return Steps(
        before=place - 1 if place else None,
        after=place + 1 if place + 1 < count else None,
        study_before=None if other is None else studies.index(studies[other]),
        study_after=next((at for at in range(place + 1, count) if studies[at] != here), None),
    )
