"""Answers as lines for people."""

from types import SimpleNamespace

from fracture.cli.answers import print_notes, print_rows

MODEL = SimpleNamespace(name="m", labels=("normal", "abnormal"), adjusted="")
ROW = {
    "kind": "image",
    "study": "s",
    "image": "a.png",
    "answer": "abnormal",
    "probability": 0.8,
    "lowest": 0.7,
    "highest": 0.9,
    "doubt_from": 0.2,
    "doubt_to": 0.6,
    "model": "m",
    "status": "answered",
    "nearest_parts": "",
    "unusual": "much darker",
}


def test_print_rows_names_label_and_what_is_unusual(capsys):
    """The probability is that of the positive label; a second line says what is unusual."""
    print_rows([MODEL], [ROW, {**ROW, "kind": "study", "unusual": ""}])
    first, second, third = capsys.readouterr().out.splitlines()
    assert "abnormal 0.800 (0.700 to 0.900)" in first and first.endswith("a.png")
    assert second.strip() == "unusual: much darker" and third.endswith("study s")


def test_print_notes_explains_limits_and_missing_answers(capsys):
    """Where the answer is in doubt, and what an image without an answer means."""
    print_notes([MODEL], [ROW, {**ROW, "status": "unlike", "probability": None}])
    said = capsys.readouterr().out
    assert "in doubt from 0.2 to 0.6" in said and "out of distribution" in said and "--answer-unlike" in said
