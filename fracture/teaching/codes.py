"""What identifies a room, its teacher and its students: random, and made so that a class can type it."""

import hashlib
import hmac
import secrets
import unicodedata

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
"""Of a room's code: without I, L and O, which look like digits and like each other."""

CODE_LENGTH = 6

MAX_NICKNAME = 20
"""Characters."""


def new_code() -> str:
    """A room's code: one of 148 million."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def clean_code(typed: str) -> str:
    """A typed code in capitals, without blanks and dashes."""
    return "".join(letter for letter in typed.upper()[:40] if letter in LETTERS)[:CODE_LENGTH]


def new_word() -> str:
    """A teacher's secret, or what identifies a student."""
    return secrets.token_urlsafe(12)


def hashed(word: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(word.encode()).hexdigest()


def matches(word: str, stored: str) -> bool:
    """Whether this is the secret whose hash is stored."""
    return hmac.compare_digest(hashed(word), stored)


def clean_nickname(typed: str) -> str:
    """A nickname in one line of at most 20 visible characters; empty where none are left."""
    composed = unicodedata.normalize("NFKC", typed[:200])
    visible = "".join(letter if _is_visible(letter) else " " for letter in composed)
    return " ".join(visible.split())[:MAX_NICKNAME].strip()


def _is_visible(letter: str) -> bool:
    # The categories C are control and format characters, Z are separators such as line breaks.
    return unicodedata.category(letter)[0] not in "CZ"
