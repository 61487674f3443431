"""Numbers in words."""

import pytest

from fracture.formatting import format_bytes, format_count, format_duration, format_rough_duration, format_threshold


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (45, "45 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7384, "2 h 3 min")]
)
def test_format_duration_uses_the_units_that_people_use(seconds, words):
    """Seconds below a minute, hours without seconds."""
    assert format_duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 images"), (1, "1 image"), (1272, "1,272 images")])
def test_format_count_knows_the_plural(count, words):
    """And separates thousands."""
    assert format_count(count, "image") == words
    assert format_count(1, "study", "studies") == "1 study" and format_count(2, "study", "studies") == "2 studies"


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 kB"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (10**10, "10.0 GB")]
)
def test_format_bytes_uses_powers_of_ten(size, words):
    """As disks and networks are sold."""
    assert format_bytes(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "10 seconds"), (44, "40 seconds"), (58, "1 minute"), (250, "4 minutes"), (11_000, "3 hours")],
)
def test_rough_duration_is_in_round_words(seconds, words):
    """An estimate is no more exact than that."""
    assert format_rough_duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.353, "35.3%"), (0.5, "50.0%"), (0.0004, "0.04%"), (0.9995, "99.95%"), (1, "100.0%")]
)
def test_format_threshold_keeps_the_decimals_that_it_has(value, words):
    """One at least; a threshold just below 1 is not 100%."""
    assert format_threshold(value) == words
