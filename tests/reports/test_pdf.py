"""A report as a PDF."""

import re
import zlib

import pytest
from fpdf import FPDF

from fracture.reports.pdf import _shorten, to_pdf
from tests.reports.test_report import report_of, view


def text_of(pdf: bytes) -> str:
    """The text of all pages, without the breaks of its lines."""
    parts = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(stream)
        except zlib.error:  # a picture
            continue
        parts += re.findall(rb"\((.*?)(?<!\\)\) Tj", content)
    return b" ".join(parts).decode("latin-1").replace("\\(", "(").replace("\\)", ")")


def test_pdf_holds_the_report():
    """Title, sentences, model and notice can be read in it, and both pictures are there."""
    pdf = to_pdf(report_of(view()))
    assert pdf.startswith(b"%PDF-")
    text = text_of(pdf)
    for words in (
        "Probability of fractured: 80.0%",
        "Below 3.0%",
        "SHA-256 of model.tflite",
        "no medical device",
    ):
        assert words in text
    assert pdf.count(b"/Subtype /Image") == 2


@pytest.mark.parametrize("name", ["骨折.png", "x" * 300, ""])
def test_pdf_takes_any_name(name):
    """Letters that its fonts lack become question marks, and a long name is cut or broken."""
    assert to_pdf(report_of(view(name))).startswith(b"%PDF-")


def test_pdf_of_many_views_has_more_pages():
    """No picture is cut off at the end of a page."""
    pdf = to_pdf(report_of(*[view(f"view {number}") for number in range(5)]))
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 3


def test_long_names_stay_within_their_columns():
    """Their middle is left out: names of one series differ at their end."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", "", 9)
    name = "WRIST_STUDY_2021_LEFT_LATERAL_AND_OBLIQUE_IMAGE_WITH_MARKER_0001.dcm (frame 12)"
    assert pdf.get_string_width(name[:60]) > 92
    short = _shorten(pdf, name, 90)
    assert 80 < pdf.get_string_width(short) <= 90
    assert short.startswith("WRIST_STUDY") and short.endswith("0001.dcm (frame 12)") and "..." in short
    assert _shorten(pdf, "arm.png", 90) == "arm.png"
    assert short in text_of(to_pdf(report_of(view(name))))
