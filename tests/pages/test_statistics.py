"""The line that counts a data set."""

import pandas as pd
import pytest

from fracture.app.dataset import statistics


@pytest.mark.parametrize(
    ("studies", "expected"), [(["a"], "**1** image · **1** study"), (["a", "a"], "**2** images · **1** study")]
)
def test_counts_of_one_are_singular(monkeypatch, studies, expected):
    """One study is not "1 studies"."""
    table = pd.DataFrame({"study": studies, "label": 1})
    monkeypatch.setattr(statistics.dataset_cache, "catalog", lambda _: None)
    monkeypatch.setattr(statistics, "rows_after_decisions", lambda _: table)
    data = type("Data", (), {"label_names": ("normal", "abnormal")})()
    assert statistics.describe_counts(data) == f"{expected} · **100%** abnormal"
