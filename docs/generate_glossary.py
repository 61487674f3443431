"""The glossary's page, made from the terms that the app explains.

    python -m docs.generate_glossary

writes ``docs/glossary.md`` again, after ``fracture/glossary.toml`` has changed.
"""

from pathlib import Path

from fracture import glossary

PAGE = Path(__file__).parent / "glossary.md"

INTRODUCTION = """\
<!-- Generated: change fracture/glossary.toml, then run python -m docs.generate_glossary -->

# Glossary

The field's terms as the app and the code use them. Each page of the app explains its own under *Terms*.

| Term | Meaning |
|---|---|
"""


def page() -> str:
    """The whole page, as Markdown."""
    rows = [f"| **{term}** | {meaning} |" for term, meaning in glossary.terms().items()]
    return INTRODUCTION + "\n".join(rows) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
