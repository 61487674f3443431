"""A room whose teacher and students are served by two processes of the app, as behind a load balancer."""

import pytest

from benchmarks.many_visitors import homes_beside_the_bundled_model
from tests.support.class_room import Teacher, attend, open_room, wait_for_votes, words
from tests.support.serving import served
from tests.support.tab import Tab
from tests.support.waiting import wait


@pytest.fixture
def servers(homes, tmp_path):
    """The addresses of two servers that share a home."""
    homes_beside_the_bundled_model(tmp_path)
    with served(tmp_path / "1.log") as first, served(tmp_path / "2.log") as second:
        yield first.address, second.address


def says(tab: Tab, words_of_page: str) -> bool:
    """Whether the page says something, after another look."""
    tab.repeat()
    return words_of_page in words(tab)


@pytest.mark.slow
def test_room_on_two_servers_is_one(servers):
    """Votes of both servers reach the teacher of the one; its reveal and its closing reach a student of the other."""
    first, second = servers
    code, secret = open_room(1)
    teacher = Teacher.arrive(first, code, secret)
    students, ended = attend(first, code, 2, lambda: 0)
    others, others_ended = attend(second, code, 2, lambda: 0)
    late = Tab(second)
    late.open("vote", f"room={code}")
    late.press(late.keyed("join room button"))
    assert teacher.watch(lambda count: count >= 5, 120) == 5
    teacher.press("next image")
    wait_for_votes([*students, *others], 4)
    assert teacher.watch(lambda count: count >= 4, 60) == 4
    teacher.press("reveal")
    wait(lambda: says(late, "The truth is"))
    ended.set()
    others_ended.set()
    assert [error for each in (*students, *others) for error in each.errors] == []
    late.close()
    teacher.tab.close()
