"""The generated page of terms."""

from docs.generate_glossary import PAGE, page


def test_page_is_current():
    """The page says what the app explains; ``python -m docs.generate_glossary`` writes it again."""
    assert PAGE.read_text(encoding="utf-8") == page()
