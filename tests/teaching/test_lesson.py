"""The files of the lesson: those of the project, those of another language, and damaged ones."""

import pytest

from fracture.errors import LessonError
from fracture.paths import PROJECT
from fracture.teaching.lesson import CHECKS, DEFAULT, list_languages, read_lesson

LANGUAGE = 'title = "T"\nlanguage = "L"\n'
STEP = """+++
title = "One"
minutes = 5
page = "home"
link = "Open"
question = "What?"
choices = ["a", "b"]
answer = 1
check = "chosen"
todo = "Do it."
figure = "At {threshold}."
+++
task
+++
result
+++
teacher
"""


@pytest.fixture
def folder(tmp_path):
    """A lesson of one step in the language ``xx``."""
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "lesson.toml").write_text(LANGUAGE)
    (tmp_path / "xx" / "1.md").write_text(STEP)
    return tmp_path


@pytest.mark.parametrize("language", list_languages())
def test_lesson_of_the_project_reads(language):
    """Each page exists, and each part has words."""
    lesson = read_lesson(language)
    for step in lesson.steps:
        assert (PROJECT / "pages" / f"{step.settings.page}.py").exists()
        assert step.task and step.result and step.teacher


def test_lesson_has_eight_steps_in_forty_five_minutes():
    """No check is used twice."""
    steps = read_lesson(DEFAULT).steps
    used = [step.settings.check for step in steps]
    assert len(set(used)) == len(used) == 8 and set(used) <= set(CHECKS)
    assert sum(step.settings.minutes for step in steps) == 45


def test_another_language_is_found(folder):
    """A folder beside the others is enough; it is read from the left unless it says otherwise."""
    assert list_languages(folder) == ["xx"]
    lesson = read_lesson("xx", folder)
    assert (lesson.title, lesson.direction) == ("T", "ltr")
    [step] = lesson.steps
    assert (step.name, step.task, step.result, step.teacher) == ("1", "task", "result", "teacher")


def test_default_language_comes_first(folder):
    """Whatever the names of the others are."""
    for name in ("aa", DEFAULT):
        (folder / name).mkdir()
        (folder / name / "lesson.toml").write_text(LANGUAGE)
    assert list_languages(folder) == [DEFAULT, "aa", "xx"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("answer = 1", "answer = 2", "answer must be below the number of choices, 2. Received: 2"),
        ("{threshold}", "{nothing}", "figure may name sensitivity, specificity, threshold. Received: nothing"),
        ("minutes = 5", "minutes = 0", "minutes"),
        ('check = "chosen"', 'check = "other"', "check must be 'looked'"),
        ('link = "Open"', "link =", "must be TOML"),
        ("+++\nteacher", "teacher", "each after a line [+]{3}. Received: 3 in 1.md"),
    ],
)
def test_damaged_step_is_refused_with_what_is_allowed(folder, old, new, words):
    """The sentence names the file."""
    (folder / "xx" / "1.md").write_text(STEP.replace(old, new))
    with pytest.raises(LessonError, match=words) as raised:
        read_lesson("xx", folder)
    assert "1.md" in str(raised.value)


def test_lesson_without_steps_is_refused(folder):
    """The sentence says what is missing."""
    (folder / "xx" / "1.md").unlink()
    with pytest.raises(LessonError, match=r"needs a file NAME[.]md for each step"):
        read_lesson("xx", folder)


def test_unreadable_file_is_refused(folder):
    """Such as one in another encoding."""
    (folder / "xx" / "lesson.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(LessonError, match="can't be read"):
        read_lesson("xx", folder)
