"""Codes, secrets and nicknames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fracture.teaching import codes


def test_code_has_no_letters_that_look_alike():
    """A class reads it from a wall."""
    assert not set("ILO01") & set("".join(codes.new_code() for _ in range(200)))


@pytest.mark.parametrize("typed", ["abcdef", " ABC DEF ", "abc-def", "ABCDEFGH"])
def test_typed_code_is_read_as_it_is_meant(typed):
    """Lower case, blanks and dashes make no difference."""
    assert codes.clean_code(typed) == "ABCDEF"


@given(st.text())
def test_nickname_is_short_visible_and_in_one_line(typed):
    """Whatever a phone sends."""
    name = codes.clean_nickname(typed)
    assert len(name) <= codes.MAX_NICKNAME and name == name.strip()
    assert all(letter == " " or letter.isprintable() for letter in name)


def test_secret_is_known_by_its_hash_alone():
    """Another secret does not match."""
    word = codes.new_word()
    assert codes.matches(word, codes.hashed(word)) and not codes.matches("another", codes.hashed(word))
    assert word not in codes.hashed(word)
