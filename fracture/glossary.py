"""The field's terms and what they mean: the one source of the app's explanations and of ``docs/glossary.md``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("glossary.toml")


@cache
def terms() -> Mapping[str, str]:
    """The meaning of each term, in Markdown, in alphabetical order."""
    found: dict[str, str] = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    return found


def meaning(term: str) -> str:
    """What a term means, in Markdown. Raises KeyError for a term that the glossary lacks."""
    return terms()[term]
