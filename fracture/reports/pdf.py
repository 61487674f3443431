"""A report as a PDF of A4 pages, by fpdf2."""

from io import BytesIO

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from fracture.reports.html import jpeg
from fracture.reports.report import Picture, Report

_FONT = "helvetica"
_WIDTH = 190.0
"""mm between the margins of the page."""

_PICTURE = (92.0, 105.0)
"""The most mm that a picture is wide and high; two stand side by side."""

_GAP = 6.0


def to_pdf(report: Report) -> bytes:
    """The document. Its fonts are PDF's own: a letter outside of Latin-1 becomes a question mark."""
    pdf = FPDF(format="A4")
    pdf.set_title(_latin(report.title))
    pdf.set_creation_date(report.created)
    pdf.add_page()
    _write(pdf, report.title, size=18, style="B", line=9)
    for sentence in report.sentences:
        _write(pdf, sentence, size=11)
    for begin in range(0, len(report.pictures), 2):
        _add_row(pdf, report.pictures[begin : begin + 2])
    for fact in report.facts:
        _write(pdf, f"{fact.name}: {fact.value}", size=9, line=5)
    pdf.ln(3)
    _write(pdf, report.notice, size=9, style="I", line=5)
    _write(pdf, f"{report.created:%Y-%m-%d %H:%M}", size=9, line=5)
    return bytes(pdf.output())


def _write(pdf: FPDF, text: str, *, size: int, style: str = "", line: float = 6) -> None:
    pdf.set_font(_FONT, style, size)
    pdf.multi_cell(_WIDTH, line, _latin(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _add_row(pdf: FPDF, row: tuple[Picture, ...]) -> None:
    """One or two pictures side by side, with their captions below; on a new page where there is no room."""
    sizes = [_fit(picture) for picture in row]
    height = max(high for _, high in sizes)
    if pdf.will_page_break(height + 3 * _GAP):
        pdf.add_page()
    top = pdf.get_y() + _GAP / 2
    pdf.set_font(_FONT, "", 9)
    for place, (picture, (wide, high)) in enumerate(zip(row, sizes, strict=True)):
        left = pdf.l_margin + place * (_PICTURE[0] + _GAP)
        pdf.image(BytesIO(jpeg(picture.image)), left, top, wide, high, alt_text=_latin(picture.caption))
        pdf.set_xy(left, top + height + 1)
        pdf.cell(_PICTURE[0], 5, _shorten(pdf, _latin(picture.caption), _PICTURE[0] - 2 * pdf.c_margin))
    pdf.set_xy(pdf.l_margin, top + height + 2 * _GAP)


def _fit(picture: Picture) -> tuple[float, float]:
    """Width and height in mm."""
    scale = min(_PICTURE[0] / picture.image.width, _PICTURE[1] / picture.image.height)
    return picture.image.width * scale, picture.image.height * scale


def _shorten(pdf: FPDF, text: str, width: float) -> str:
    """The text without its middle, where it is wider than ``width`` mm in the current font: names differ at the end."""
    short = text
    kept = len(text)
    while kept and pdf.get_string_width(short) > width:
        kept -= 1
        begin = (kept + 1) // 2
        short = f"{text[:begin]}...{text[len(text) - kept + begin :]}"
    return short


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
