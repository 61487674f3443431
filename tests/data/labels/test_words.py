"""The names of classes that are known without asking."""

import pytest

from fracture.data.labels.words import class_of, weak_class_of, weak_classes

PAIRS = [
    ("negative", "positive"),
    ("Negative(normal)", "Positive(fractured)"),
    ("neg", "pos"),
    ("normals", "fractures"),
    ("0_normal", "1_fractured"),
    ("no_fracture", "with_fracture"),
    ("No fractured bones", "Fractured bones"),
    ("unfractured", "FRACTURED"),
    ("no-fx", "fx"),
    ("healthy", "broken"),
    ("keine Fraktur", "Fraktur"),
    ("nicht gebrochen", "gebrochen"),
    ("unauffällig", "auffällig"),
    ("gesund", "Knochenbruch"),
    ("non fracturé", "fracturé"),
    ("sain", "cassé"),
    ("sans_fracture", "avec_fracture"),
    ("sin fractura", "con fractura"),
    ("sano", "fracturado"),
    ("sem fratura", "com fratura"),
    ("Não-Fraturado", "Fraturado"),
    ("saudável", "quebrado"),
    ("senza frattura", "con frattura"),
    ("sano", "fratturato"),
]


@pytest.mark.parametrize(("negative", "positive"), PAIRS)
def test_class_of_common_words_is_known_in_six_languages(negative, positive):
    """Words, plurals, numbers in front, parentheses, case and accents make no difference."""
    assert (class_of(negative), class_of(positive)) == (0, 1)


@pytest.mark.parametrize(
    "name",
    ["A", "osteoporosis", "comminuted fracture", "images", "0", "no", "normal fractured", "non union", "", "..."],
)
def test_class_of_other_names_is_unknown(name):
    """A name with any other word, with words for both classes, or without words is not guessed at."""
    assert class_of(name) is None


@pytest.mark.parametrize(
    ("name", "label"),
    [("0", 0), ("1", 1), ("1.0", 1), ("class 0", 0), ("No", 0), ("Sí", 1), ("true", 1), ("2", None), ("no way", None)],
)
def test_weak_class_of_digits_and_answers(name, label):
    """Digits, and yes and no, have a label; other names have none."""
    assert weak_class_of(name) == label


def test_weak_classes_are_a_whole_set_of_answers_or_nothing():
    """Where 2 is another name, 0 and 1 are grades or patients, and where one answer is missing, nothing is answered."""
    assert weak_classes(["0", "1"]) == {"0": 0, "1": 1}
    assert weak_classes(["0", "1", "2"]) == weak_classes(["1"]) == weak_classes(["0", "no"]) == {}


@pytest.mark.parametrize("name", ["-1", "\N{MINUS SIGN}1", "-0", "1?", "yes?"])
def test_answer_with_a_sign_of_doubt_is_none(name):
    """-1 often stands for "uncertain"."""
    assert weak_class_of(name) is None


def test_class_with_a_question_mark_is_not_known():
    """Somebody was in doubt."""
    assert class_of("Fracture?") is None
