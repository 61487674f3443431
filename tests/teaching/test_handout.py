"""The hand-out holds what the class predicted and found, in scripts of either direction."""

from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.enums import Align

from fracture.teaching import handout
from fracture.teaching.entries import Entry
from fracture.teaching.handout import to_pdf
from fracture.teaching.lesson import Lesson

CREATED = datetime(2026, 1, 2, tzinfo=UTC)
ENTRY = Entry(
    "Look",
    question="How many?",
    choices=("three", "four"),
    prediction=1,
    answer=0,
    figure="AUC 0.9.",
    result="A **label** is\nwhat a person decided.\n\nNext.",
)


def written(monkeypatch, lesson, *entries):
    """The document, and each text that it writes with its alignment."""
    texts = []
    write = FPDF.multi_cell

    def note(pdf, width, height, text, **options):
        texts.append((text, options["align"]))
        return write(pdf, width, height, text, **options)

    monkeypatch.setattr(FPDF, "multi_cell", note)
    return to_pdf(lesson, list(entries), CREATED, "Notice."), texts


def test_handout_holds_prediction_figure_and_result(monkeypatch):
    """Each paragraph in one line, without the stars of Markdown."""
    document, texts = written(monkeypatch, Lesson(title="Title", language="English"), ENTRY)
    assert document.startswith(b"%PDF-")
    words = [text for text, _ in texts]
    assert words[:7] == ["Title", "1. Look", "How many?", "[ ] three", "[x] four", "AUC 0.9.", "> three"]
    assert words[7] == "A label is what a person decided.\nNext."
    assert words[-1] == "2026-01-02. Notice."


def test_handout_without_numbers(monkeypatch):
    """Such as that of a class vote, whose images have numbers of their own."""
    texts = []
    monkeypatch.setattr(handout, "_write", lambda _pdf, text, *_: texts.append(text))
    to_pdf(Lesson(title="Title", language=""), [ENTRY], CREATED, "Notice.", numbered=False)
    assert texts[:2] == ["Title", "Look"]


def test_handout_leaves_room_for_what_was_not_done(monkeypatch):
    """No mark at a choice, no answer and no explanation, but a line to write on."""
    undone = ENTRY._replace(prediction=None, answer=None, figure="", result="")
    _, texts = written(monkeypatch, Lesson(title="T", language="E"), undone)
    assert [text for text, _ in texts][2:-1] == ["How many?", "[ ] three", "[ ] four", "_" * 60]


def test_handout_of_a_right_to_left_script_is_aligned_at_the_right(monkeypatch):
    """Its font has the letters."""
    lesson = Lesson(title="هل تستطيع الشبكة؟", language="العربية", direction="rtl")
    document, texts = written(monkeypatch, lesson, ENTRY)
    assert texts[0] == (lesson.title, Align.R)
    assert document.startswith(b"%PDF-")
    pdf = FPDF()
    pdf.add_font("lesson", fname=handout.FONT)
    assert all(ord(letter) in pdf.fonts["lesson"].cmap for letter in lesson.title if letter != " ")
