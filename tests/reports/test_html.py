"""A report as one HTML file."""

import base64
import re
from dataclasses import replace
from io import BytesIO

from PIL import Image

from fracture.reports.html import to_html
from tests.reports.test_report import report_of, view


def test_page_holds_everything_and_loads_nothing():
    """Every sentence, fact and picture of the report, and no address but those of pictures inside."""
    report = report_of(view())
    page = to_html(report)
    for text in (report.title, *report.sentences, *(fact.value for fact in report.facts), report.notice):
        assert text in page.replace("&#x27;", "'").replace("&amp;", "&")
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert [Image.open(BytesIO(base64.b64decode(each))).size for each in pictures] == [(40, 60), (40, 60)]
    assert page.count("src=") == 2 and "href=" not in page and "<script" not in page


def test_names_of_files_cannot_become_markup():
    """The name of an upload is a stranger's text."""
    report = replace(report_of(view("<script>alert(1)</script>.png")), title="<b>")
    page = to_html(report)
    assert "<script" not in page and "<b>" not in page
