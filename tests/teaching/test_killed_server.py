"""A class of fifty, and a server that is killed in the middle of a vote."""

import random
import time

import pytest

from benchmarks.many_visitors import homes_beside_the_bundled_model
from fracture.teaching import votes
from tests.support.class_room import Teacher, attend, open_room, wait_for_votes, words
from tests.support.serving import served
from tests.support.tab import Tab

STUDENTS = 50


@pytest.mark.slow
def test_killed_server_loses_no_acknowledged_vote(homes, tmp_path):
    """Every vote that a phone has seen confirmed is there, in another server, too, and a reload shows it."""
    homes_beside_the_bundled_model(tmp_path)
    code, secret = open_room(2)
    with served(tmp_path / "server.log") as app:
        teacher = Teacher.arrive(app.address, code, secret)
        students, ended = attend(app.address, code, STUDENTS, lambda: random.uniform(0, 6))
        assert teacher.watch(lambda count: count >= STUDENTS, 180) == STUDENTS
        teacher.press("next image")
        teacher.watch(lambda count: count >= STUDENTS, 120)
        teacher.press("reveal")
        teacher.press("next image")
        wait_for_votes(students, STUDENTS + STUDENTS // 2)
        assert [error for each in students for error in each.errors] == []
        ended.set()  # what breaks off from now on is no error
        app.process.kill()
        app.process.wait()
    teacher.tab.close()
    acknowledged = [(each.identity, place, vote) for each in students for place, vote in each.acknowledged.items()]
    assert len(acknowledged) >= STUDENTS + STUDENTS // 2
    kept = [(student, place, votes.own_vote(code, student, place)) for student, place, _ in acknowledged]
    assert [(student, place, vote and vote.positive) for student, place, vote in kept] == acknowledged
    with served(tmp_path / "again.log") as app:
        _check_reload(app.address, code, next(each for each in students if 1 in each.acknowledged).identity)
        again = Teacher.arrive(app.address, code, secret)
        started = time.monotonic()
        count = again.watch(lambda count: count > 0, 60)
        assert count >= STUDENTS // 2, f"{count} votes after {time.monotonic() - started:.0f} s"
        again.tab.close()


def _check_reload(address, code, student):
    """A phone that loads its page again has its vote still."""
    tab = Tab(address)
    tab.open("vote", f"room={code}&student={student}")
    assert "You voted" in words(tab)
    tab.close()
