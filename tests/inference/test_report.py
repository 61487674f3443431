"""Answers as rows of a file: their status, and what explains a radiograph that is unlike the training images."""

import csv
import io
from dataclasses import replace

from fracture.inference.report import CSV_COLUMNS, as_csv, rows
from fracture.inference.unusual import Explanation
from tests.inference.test_prediction import answer, view

EXPLAINED = Explanation((("hand", 7), ("mixed", 3)), ("much brighter", "few gray levels"))


def test_rows_of_a_study_name_the_status_of_each_view_and_of_the_study():
    """A view without an answer has no numbers; the study is answered by the others."""
    given = answer(
        replace(view(0.9), name="a"),
        replace(view(0.1, known=False), name="b"),
        replace(view(0.2, radiograph=False), name="c"),
    )
    lines = rows("s", given, "m", [Explanation(), EXPLAINED, Explanation()])
    assert [line["status"] for line in lines] == ["answered", "unlike", "no radiograph", "answered"]
    assert [line["answer"] for line in lines] == ["abnormal", "unlike", "no radiograph", "abnormal"]
    assert [line["probability"] for line in lines] == [0.9, None, None, 0.9]
    assert lines[1]["nearest_parts"] == "hand (7 of 10), several body parts (3 of 10)"
    assert lines[1]["unusual"] == "much brighter; few gray levels"
    assert lines[0]["unusual"] == lines[3]["unusual"] == ""


def test_rows_of_a_radiograph_that_is_answered_on_request_keep_its_status():
    """So that nobody takes the answer for a validated one."""
    (line,) = rows("s", answer(view(0.9, known=False), answer_unlike=True), "m")
    assert (line["status"], line["answer"], line["probability"]) == ("unlike", "abnormal", 0.9)


def test_csv_has_each_column_of_the_rows():
    """In the order that is promised."""
    table = csv.DictReader(io.StringIO(as_csv(rows("s", answer(view(0.9)), "m"))))
    assert tuple(table.fieldnames) == CSV_COLUMNS
    assert next(table)["status"] == "answered"
