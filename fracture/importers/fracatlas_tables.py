"""FracAtlas's own tables: which images there are, which of them make a sample, and where their fractures lie."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset_csv import BLOCK
from fracture.errors import DatasetError, FetchError
from fracture.imaging.annotations import Box, boxes_text, parse_boxes

DRAWS = 200
"""Samples among which one is chosen."""


def read_rows(listed: Path, coco: Path, members: dict[str, str]) -> pd.DataFrame:
    """FracAtlas's rows of the images in ``members``, {file name: path in the zip}, with ``boxes`` and ``member``.

    Raises FetchError where a table is not what it should be.
    """
    try:
        rows = pd.read_csv(listed, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        boxes = read_boxes(json.loads(coco.read_text(encoding="utf-8")))
        rows = rows[rows["image_id"].isin(list(members)) & rows["fractured"].isin(["0", "1"])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(
            f"FracAtlas's tables are not as expected ({type(error).__name__}); nothing was written."
        ) from error
    except DatasetError as error:
        raise FetchError(f"FracAtlas's tables are not as expected; nothing was written. {error}") from error
    if rows["fractured"].nunique() < 2:
        raise FetchError("FracAtlas's zip must hold images with and without a fracture; nothing was written.")
    ids = rows["image_id"]
    return rows.assign(boxes=ids.map(lambda name: boxes.get(name, "")), member=ids.map(members)).drop_duplicates(
        "image_id"
    )


def read_boxes(coco: Any) -> dict[str, str]:
    """{file name: its boxes as text} of a COCO document. Raises DatasetError for what is no box."""
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    boxes: dict[str, list[Box]] = {}
    for annotation in coco["annotations"]:
        x, y, w, h = map(float, annotation["bbox"])
        boxes.setdefault(names[annotation["image_id"]], []).append((x, y, w, h))
    texts = {name: boxes_text(several) for name, several in boxes.items()}
    for text in texts.values():
        parse_boxes(text)  # as whoever reads the data set will
    return texts


def draw_sample(rows: pd.DataFrame, images: int, seed: int) -> pd.DataFrame:
    """So many rows, or all of them for 0, in an order of which any beginning comes from all over the set.

    Whole blocks of consecutive numbers are drawn; only the last one may be cut short. Of many draws, the one is taken
    whose share of fractures is nearest to that of all.
    """
    number = pd.to_numeric(rows["image_id"].str.extract(r"(\d+)\D*$", expand=False), errors="coerce").fillna(-1)
    rows = rows.iloc[number.argsort(kind="stable")]
    blocks = list(rows.groupby(number // BLOCK).indices.values())
    fractured, random = (rows["fractured"] == "1").to_numpy(), np.random.default_rng(seed)
    draws = (
        np.concatenate([blocks[index] for index in random.permutation(len(blocks))])[: images or None]
        for _ in range(DRAWS)
    )
    return rows.iloc[min(draws, key=lambda draw: _unlike(fractured[draw], fractured))]


def _unlike(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> tuple[bool, float]:
    """How little a part has of the whole's shares; one that has a single class comes last."""
    return bool(part.all() or not part.any()), abs(part.mean() - whole.mean())
