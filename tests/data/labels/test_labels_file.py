"""The file labels.json: what is read from it, and which entry counts."""

import pytest

from fracture.data.labels.labels_file import latest_choice, latest_columns, read_choices
from fracture.errors import DatasetError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ('{"choices": [{"negative": "A", "positive": ["B"]}]}', r"damaged: choices.0.negative must be a valid list"),
        ('{"choices": [{"negative": ["A"], "positive": ["A"]}]}', "Received twice: 'A'"),
        ('{"columns": [{"file": "a.csv", "image": "id", "label": "id"}]}', "Received twice: 'id'"),
        ('{"columns": [{"file": "../a.csv", "image": "id", "label": "y"}]}', "below the data set's folder"),
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


def test_latest_columns_are_those_of_the_folder_alone(tmp_path):
    """A table names images below its own folder, so that a level below does not take the choice."""
    entry = '{{"time": "2026-11-{day}T00:00:00.000Z", "file": "{day}.csv", "image": "id", "label": "y"}}'
    content = ", ".join(entry.format(day=day) for day in (21, 20))
    (tmp_path / "labels.json").write_text(f'{{"columns": [{content}]}}')
    (tmp_path / "train").mkdir()
    assert latest_columns(tmp_path).file == "21.csv"
    assert latest_columns(tmp_path / "train") is None
