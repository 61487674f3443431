"""How an estimate is printed."""

import pytest

from fracture.estimate import excludes_zero, format_change, format_number, format_percent

SHARE = {"value": 0.8123, "low": 0.7604, "high": 0.8571}


@pytest.mark.parametrize(
    ("estimate", "digits", "words"),
    [
        (SHARE, 0, "81% (76 to 86%)"),
        (SHARE, 1, "81.2% (76.0 to 85.7%)"),
        ({"value": 1.0, "low": None, "high": None}, 0, "100% (no interval)"),
        ({"value": None, "low": None, "high": None}, 0, "not defined"),
        (None, 0, "not measured"),
    ],
)
def test_format_percent_prints_a_share_with_its_interval(estimate, digits, words):
    """An interval that does not exist is said to be missing: 100 % on few images is no certainty."""
    assert format_percent(estimate, digits) == words


@pytest.mark.parametrize(
    ("estimate", "digits", "words"),
    [
        (SHARE, 3, "0.812 (0.760 to 0.857)"),
        (SHARE, 2, "0.81 (0.76 to 0.86)"),
        ({"value": -0.5, "low": None, "high": None}, 3, "-0.500 (no interval)"),
        ({"value": None, "low": None, "high": None}, 3, "not defined"),
        (None, 3, "not measured"),
    ],
)
def test_format_number_prints_a_metric_with_its_interval(estimate, digits, words):
    """An AUC or a kappa is no share, and has no percent sign."""
    assert format_number(estimate, digits) == words


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.3, False), (None, None, False)]
)
def test_excludes_zero_needs_an_interval_on_one_side(low, high, expected):
    """A difference without an interval is never significant."""
    assert excludes_zero({"value": 0.2, "low": low, "high": high}) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0126, "+0.013"), (-0.0004, "-0.0004"), (0.00002, "+0.00002"), (0.0, "0.000"), (-1e-12, "0.000")],
)
def test_format_change_shows_a_sign_only_beside_a_digit(value, words):
    """An interval from -0.0004 includes zero: its bound is not written +0.000."""
    assert format_change(value) == words
