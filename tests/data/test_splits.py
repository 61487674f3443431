"""The split by group, and the names of splits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.data.splits import SPLIT_OF_NAME, split_by_group
from fracture.errors import DatasetError


def table_of(groups: list[tuple[int, int]]) -> pd.DataFrame:
    """A table of groups, each (images, label)."""
    rows = [(f"g{n}", label) for n, (images, label) in enumerate(groups) for _ in range(images)]
    table = pd.DataFrame(rows, columns=["group", "label"])
    return table.assign(image_id=[f"i{n}" for n in range(len(table))], split="")


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 1)), min_size=2, max_size=60), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_split_by_group_keeps_groups_whole(groups, seed):
    """However many groups of whatever size: each lies in one split, and neither split is empty."""
    split = split_by_group(table_of(groups), seed=seed)
    assert (split.groupby("group")["split"].nunique() == 1).all()
    assert set(split["split"]) == {"train", "valid"}


def test_split_by_group_is_stratified():
    """The valid split has the requested share of images, and nearly the same share of each label."""
    random = np.random.default_rng(0)
    table = table_of([(int(random.integers(1, 5)), int(random.random() < 0.2)) for _ in range(500)])
    split = split_by_group(table, valid_fraction=0.3, seed=4)
    assert (split["split"] == "valid").mean() == pytest.approx(0.3, abs=0.01)
    shares = split.groupby("split")["label"].mean()
    assert shares["valid"] == pytest.approx(shares["train"], abs=0.01)


def test_split_by_group_depends_on_the_seed_alone():
    """The same seed gives the same split in any order of rows, another seed another one."""
    table = table_of([(2, n % 2) for n in range(40)])
    one = split_by_group(table, seed=1).set_index("image_id")["split"]
    shuffled = split_by_group(table.sample(frac=1, random_state=0), seed=1).set_index("image_id")["split"]
    assert (shuffled.loc[one.index] == one).all()
    assert (split_by_group(table, seed=2).set_index("image_id")["split"] != one).any()


def test_split_by_group_with_a_new_image_moves_hardly_any_other():
    """Adding one patient leaves nearly all the others in their split."""
    groups = [(1, n % 4 == 0) for n in range(200)]
    one = split_by_group(table_of(groups)).set_index("image_id")["split"]
    two = split_by_group(table_of([*groups, (1, 1)])).set_index("image_id")["split"]
    assert (two.loc[one.index] != one).sum() <= 2


def test_split_by_group_of_few_has_both_labels_on_both_sides():
    """Two positive patients among eight are one for each split."""
    split = split_by_group(table_of([(1, 0)] * 6 + [(1, 1)] * 2))
    assert (split.groupby("split")["label"].nunique() == 2).all()


def test_split_by_group_of_one_group_is_refused():
    """One patient cannot be split, nor can a half or more be held out."""
    with pytest.raises(DatasetError, match="at least 2 groups"):
        split_by_group(table_of([(5, 1)]))
    with pytest.raises(DatasetError, match="valid_fraction"):
        split_by_group(table_of([(1, 0), (1, 1)]), valid_fraction=0.5)


def test_splits_are_train_valid_and_test():
    """Every name stands for one of the three splits, and each split is one of its names."""
    assert set(SPLIT_OF_NAME.values()) == {"train", "valid", "test"}
    assert all(SPLIT_OF_NAME[name] == name for name in SPLIT_OF_NAME.values())
