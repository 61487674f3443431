"""The hand-out of a lesson or of a class vote as a PDF of A4 pages, by fpdf2: what the class predicted and found."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, TextDirection, XPos, YPos

from fracture.teaching.entries import Entry
from fracture.teaching.lesson import Lesson

FONT = Path(__file__).parent / "fonts" / "DejaVuSans-subset.ttf"
"""Latin, Greek, Cyrillic, Hebrew and Arabic letters of DejaVu Sans; its license is beside it."""

_WIDTH = 190.0
"""mm between the margins of the page."""

_TOGETHER = 40.0
"""mm that the beginning of an entry takes: its title, its question and its choices stay on one page."""


def to_pdf(lesson: Lesson, entries: list[Entry], created: datetime, notice: str, *, numbered: bool = True) -> bytes:
    """The document.

    Args:
        lesson: its title and its direction of reading are used.
        entries: in their order.
        created: printed below.
        notice: the last line.
        numbered: whether the title of each entry begins with its number.
    """
    pdf = FPDF(format="A4")
    pdf.set_title(lesson.title)
    pdf.set_creation_date(created)
    pdf.add_font("lesson", fname=FONT)
    right_to_left = lesson.direction == "rtl"
    if right_to_left:
        pdf.set_text_shaping(direction=TextDirection.RTL)
    pdf.add_page()
    align = Align.R if right_to_left else Align.L
    _write(pdf, lesson.title, 18, align)
    for number, entry in enumerate(entries, start=1):
        pdf.ln(3)
        if pdf.will_page_break(_TOGETHER):
            pdf.add_page()
        _write(pdf, f"{number}. {entry.title}" if numbered else entry.title, 13, align)
        for text in _texts(entry):
            _write(pdf, text, 10, align)
    pdf.ln(3)
    _write(pdf, f"{created:%Y-%m-%d}. {notice}", 8, Align.L)
    return bytes(pdf.output())


def _write(pdf: FPDF, text: str, size: int, align: Align) -> None:
    pdf.set_font("lesson", size=size)
    pdf.multi_cell(_WIDTH, size / 2, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _texts(entry: Entry) -> Iterator[str]:
    if entry.question:
        yield entry.question
    for place, choice in enumerate(entry.choices):
        yield f"[{'x' if place == entry.prediction else ' '}] {choice}"
    if entry.figure:
        yield entry.figure
    if entry.answer is not None:
        yield f"> {entry.choices[entry.answer]}"
    if entry.result:
        yield _plain(entry.result)
    elif entry.question:
        yield "_" * 60


def _plain(markdown: str) -> str:
    """Without the stars of Markdown, and each paragraph or numbered item in one line."""
    paragraphs = re.split(r"\n\s*\n|\n(?=\d+\. )", markdown.replace("*", ""))
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
