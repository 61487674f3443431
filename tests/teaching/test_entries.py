"""What a hand-out says about each step."""

from fracture.teaching.entries import guide_entry
from fracture.teaching.lesson import read_lesson


def test_guide_has_the_answer_the_result_and_the_teachers_part():
    """Of each step, without a prediction."""
    for step in read_lesson("en").steps:
        entry = guide_entry(step)
        assert entry.answer == step.settings.answer and entry.prediction is None
        assert step.settings.title in entry.title and str(step.settings.minutes) in entry.title
        assert all(part in entry.result for part in (step.task, step.result, step.teacher))
