"""Parsing and reading choices of labels."""

import pytest

from fracture.data.labels.choice import (
    ANSWERS,
    CHOSEN,
    KNOWN,
    LabelMapping,
    latest_choice,
    parse_choice,
    read_choices,
)
from fracture.errors import DatasetError


def test_parse_choice_reads_lists_of_names():
    """Names are separated by commas, blanks around them do not count, and a kind may come twice."""
    choice = parse_choice(["negative=A, B", "positive=C", "ignore=D", "negative=E"])
    assert (choice.negative, choice.positive, choice.ignore) == (["A", "B", "E"], ["C"], ["D"])
    assert choice.label_of() == {"A": 0, "B": 0, "E": 0, "C": 1, "D": None}
    assert parse_choice(["negative=not broken", "positive=C"]).command() == "'negative=not broken' positive=C"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A"], "negative=A,B positive=C.*Received: 'A'"),
        (["benign=A"], "Received: 'benign=A'"),
        (["negative=A", "positive=A"], "Received twice: 'A'"),
        (["negative=A"], "none that is positive"),
        (["negative=", "positive=B"], "none that is negative"),
    ],
)
def test_parse_choice_of_other_words_is_refused(words, message):
    """A choice that says less or more than which classes are which is refused."""
    with pytest.raises(DatasetError, match=message):
        parse_choice(words)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ('{"choices": [{"negative": "A", "positive": ["B"]}]}', r"damaged: choices.0.negative must be a valid list"),
        ('{"choices": [{"negative": ["A"], "positive": ["A"]}]}', "Received twice: 'A'"),
    ],
)
def test_read_choices_of_a_damaged_file_is_refused(tmp_path, content, message):
    """A file that cannot be read is refused: the names' own meaning may be the wrong one."""
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_choices(tmp_path)


def test_latest_choice_wins_in_whichever_file_it_is(tmp_path):
    """The latest of all levels counts; without any file there is none."""
    below = tmp_path / "train"
    below.mkdir()
    assert latest_choice([below, tmp_path]) is None
    entry = '{{"choices": [{{"time": "2026-11-{day}T00:00:00.000Z", "negative": ["{day}"], "positive": ["B"]}}]}}'
    (below / "labels.json").write_text(entry.format(day="20"))
    (tmp_path / "labels.json").write_text(entry.format(day="21"))
    assert latest_choice([below, tmp_path]).negative == ["21"]


def test_mapping_describes_what_the_names_do_not_say():
    """Digits and choices are described; known words need no words."""
    digits = LabelMapping("set", ("0",), ("1",), (), ANSWERS)
    assert "'0' is read as negative and '1' as positive" in digits.describe()
    assert digits.swapped().command() == "negative=1 positive=0"
    chosen = LabelMapping("set", ("A", "B"), ("C",), ("D",), CHOSEN)
    assert chosen.describe() == "By choice, 'A', 'B' is negative and 'C' positive in set; left out: 'D'."
    assert LabelMapping("set", ("normal",), ("fracture",), (), KNOWN).describe() == ""
    assert LabelMapping.from_json(chosen.to_json()) == chosen
