"""The split by group, and the names of splits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.data.splits import SELECTION, SPLIT_OF_NAME, choosing_rows, hold_out, split_by_group, without_hold_out
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


def combined_table(seed=0):
    """Two data sets with a validation part each, the first with a careless patient on both sides."""
    first = split_by_group(table_of([(1 + n % 3, n % 2) for n in range(60)]), seed=seed).assign(data="first")
    careless = first[first["split"] == "valid"].head(1).assign(split="train", image_id="careless")
    second = first.assign(data="second", group="second/" + first["group"], image_id="second/" + first["image_id"])
    return pd.concat([first, careless, second], ignore_index=True)


@given(st.floats(0.05, 0.4), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_hold_out_never_shares_a_group_with_another_part(share, seed):
    """Nor with the validation part, where the data set's own split has a patient on both sides."""
    table = combined_table()
    held = hold_out(table, share, seed)
    groups = {split: set(rows["group"]) for split, rows in held.groupby("split")}
    assert groups[SELECTION] and not groups[SELECTION] & (groups["train"] | groups["valid"])
    assert set(held.loc[held["split"] == SELECTION, "data"]) == {"first"}
    assert set(held.loc[held["split"] == SELECTION, "label"]) == {0, 1}
    assert without_hold_out(held).equals(table)
    assert held.loc[held["split"] == "valid"].equals(table[table["split"] == "valid"])


def test_hold_out_has_the_share_and_balance_of_the_training_part():
    """A tenth of the training images, with nearly their share of positives."""
    random = np.random.default_rng(0)
    table = table_of([(int(random.integers(1, 5)), int(random.random() < 0.2)) for _ in range(900)])
    held = hold_out(table.assign(split="train", data="first"), 0.1, seed=3)
    assert (held["split"] == SELECTION).mean() == pytest.approx(0.1, abs=0.01)
    shares = held.groupby("split")["label"].mean()
    assert shares[SELECTION] == pytest.approx(shares["train"], abs=0.02)


def test_hold_out_of_few_groups_of_all_sizes_is_balanced():
    """Where one draw would have far too few positives, the best of several has nearly their share."""
    random = np.random.default_rng(1)
    sizes = (4 ** random.uniform(0, 4, 70)).astype(int) + 1
    table = table_of([(int(size), 0) for size in sizes])
    table = table.assign(label=(random.random(len(table)) < 0.2).astype(int), split="train", data="first")
    for seed in range(5):
        held = hold_out(table, 0.1, seed)
        assert held.loc[held["split"] == SELECTION, "label"].sum() == pytest.approx(0.1 * table["label"].sum(), rel=0.1)


def test_hold_out_depends_on_the_seed_alone():
    """A run that resumes holds out the same images; another seed holds out others."""
    table = combined_table()
    assert hold_out(table, 0.2, seed=1).equals(hold_out(table, 0.2, seed=1))
    assert not hold_out(table, 0.2, seed=1).equals(hold_out(table, 0.2, seed=2))
    assert hold_out(table, 0.0, seed=1) is table


def test_hold_out_of_one_free_group_is_refused():
    """The error says how to go on without."""
    table = table_of([(3, 0), (2, 1)]).assign(split=["train"] * 3 + ["valid"] * 2, data="first")
    with pytest.raises(DatasetError, match=r"at least 2 .*Received: 1; set selection to 0"):
        hold_out(table, 0.1, seed=0)


def test_choosing_rows_are_held_out_or_of_the_first_validation_part():
    """Without a selection part, the validation part of the first data set chooses."""
    table = combined_table()
    assert set(table[choosing_rows(table)]["split"]) == {"valid"}
    assert set(table[choosing_rows(table)]["data"]) == {"first"}
    held = hold_out(table, 0.2, seed=0)
    assert set(held[choosing_rows(held)]["split"]) == {SELECTION}


def test_splits_are_train_valid_and_test():
    """Every name stands for one of the three splits, and each split is one of its names."""
    assert set(SPLIT_OF_NAME.values()) == {"train", "valid", "test"}
    assert all(SPLIT_OF_NAME[name] == name for name in SPLIT_OF_NAME.values())
