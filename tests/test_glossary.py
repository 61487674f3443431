"""The terms that the app and the documentation explain."""

import re

import pytest

from fracture import glossary


def test_terms_are_in_alphabetical_order():
    """A reader finds a term by its first letters."""
    names = list(glossary.terms())
    assert names == sorted(names, key=str.casefold)


@pytest.mark.parametrize(
    "term", ["AUC (AUROC)", "Head", "Backbone", "Features", "Operating point", "Cohen's kappa", "Seed"]
)
def test_meaning_of_a_term_is_a_sentence(term):
    """What a visitor must know to read a page is explained."""
    assert re.fullmatch(r"[A-Z].+[.]", glossary.meaning(term))


def test_meanings_fit_into_a_table():
    """No meaning breaks the rows of the documentation's table, and none is empty."""
    for name, text in glossary.terms().items():
        assert text.strip() and "\n" not in text, name
        assert "|" not in name + text, name


def test_meaning_of_an_unknown_term_is_an_error():
    """A page that names a term which nobody explains fails its test, not silently."""
    with pytest.raises(KeyError):
        glossary.meaning("Flux capacitor")
