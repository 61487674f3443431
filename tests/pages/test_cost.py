"""The estimate of a run's time, and a machine that can't be measured at first."""

from fracture.app.train import cost
from fracture.errors import RunError


def test_machine_that_was_too_busy_is_measured_again(monkeypatch):
    """A failure is kept for minutes and not for the server's life; a speed is kept."""
    speed = object()
    answers = [RunError("too busy"), speed]

    def measure() -> object:
        answer = answers.pop(0)
        if isinstance(answer, RunError):
            raise answer
        return answer

    monkeypatch.setattr(cost, "_measure", cost._measure.__wrapped__)
    monkeypatch.setattr(cost, "machine_speed", measure)
    cost._measured.clear()
    assert cost._speed() is None
    assert cost._speed() is speed
    assert cost._speed() is speed and not answers
    cost._measured.clear()
