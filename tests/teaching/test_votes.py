"""Students and their votes."""

import pytest

from fracture.errors import RoomError
from fracture.teaching import rooms, votes
from fracture.teaching.votes import Vote
from tests.support.votes import LABELS

pytestmark = pytest.mark.usefixtures("homes")


@pytest.fixture
def asked(room):
    """A room that shows its first image: its code, its teacher's secret and one student."""
    code, secret = room
    rooms.show(code, secret, 0)
    return code, secret, votes.join(code, "Ada")


def test_latest_vote_before_the_reveal_counts(asked):
    """Nothing counts after it, and the sentence says so."""
    code, secret, student = asked
    votes.vote(code, student, 0, Vote(True, 0))
    votes.vote(code, student, 0, Vote(False, 2))
    rooms.reveal(code, secret, 0)
    with pytest.raises(RoomError, match="too late"):
        votes.vote(code, student, 0, Vote(True, 2))
    assert votes.own_vote(code, student, 0) == Vote(False, 2)
    assert votes.count_votes(code, 0) == {Vote(False, 2): 1}


def test_vote_on_an_image_that_is_not_shown_is_refused(asked):
    """A phone that has not seen the next image yet can't vote on it, nor on the one before."""
    code, secret, student = asked
    with pytest.raises(RoomError, match="too late"):
        votes.vote(code, student, 1, Vote(True, 0))
    rooms.show(code, secret, 1)
    with pytest.raises(RoomError, match="too late"):
        votes.vote(code, student, 0, Vote(True, 0))


def test_vote_of_somebody_who_has_not_joined_is_refused(asked):
    """An invented identity votes for nobody."""
    with pytest.raises(RoomError, match="not joined"):
        votes.vote(asked[0], "invented", 0, Vote(True, 0))
    with pytest.raises(RoomError, match="confidence must be 0 to 2"):
        votes.vote(asked[0], asked[2], 0, Vote(True, 3))


def test_closed_room_can_not_be_joined(asked):
    """The sentence says whom to ask."""
    code, secret, student = asked
    rooms.close(code, secret)
    assert not votes.is_student(code, student)
    with pytest.raises(RoomError, match="closed or has expired"):
        votes.join(code)


def test_nickname_is_cleaned_and_removed_by_the_teacher_alone(asked):
    """It is short and in one line; the student's votes stay."""
    code, secret, student = asked
    votes.join(code, " <b>\u202eBob\n\0 the very long name of a boat")
    assert [*votes.nicknames(code).values()] == ["Ada", "<b> Bob the very lon"]
    votes.vote(code, student, 0, Vote(True, 1))
    with pytest.raises(RoomError, match="Only the teacher"):
        votes.remove_nickname(code, "another", student)
    votes.remove_nickname(code, secret, student)
    assert "Ada" not in votes.nicknames(code).values() and votes.own_vote(code, student, 0)


def test_downloaded_votes_are_anonymous_and_of_revealed_images(asked):
    """No nickname and no identity is in the file, nor a vote whose truth is not known yet."""
    code, secret, student = asked
    other = votes.join(code)
    votes.vote(code, student, 0, Vote(True, 2))
    votes.vote(code, other, 0, Vote(False, 0))
    rooms.reveal(code, secret, 0)
    rooms.show(code, secret, 1)
    votes.vote(code, student, 1, Vote(True, 1))
    table = votes.anonymous_votes(code, LABELS)
    text = table.to_csv(index=False)
    assert set(table["student"]) == {1, 2} and set(table["vote"]) == set(LABELS)
    assert (table["truth"] == "normal").all() and set(table["confidence"]) == {"sure", "guess"}
    assert student not in text and "Ada" not in text
    assert votes.anonymous_votes("NOROOM", LABELS).empty
