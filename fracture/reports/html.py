"""A report as one HTML file: pictures and style are in it, and nothing is loaded from elsewhere."""

import base64
from html import escape
from io import BytesIO

from PIL import Image

from fracture.reports.report import Picture, Report

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5; }}
figure {{ display: inline-block; vertical-align: top; margin: 0 1rem 1rem 0; max-width: 26rem; }}
img {{ width: 100%; }}
th {{ text-align: left; vertical-align: top; padding-right: 1.5rem; white-space: nowrap; }}
td {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
{sentences}
{pictures}
<table>
{facts}
</table>
<p><em>{notice}</em></p>
<p>{created}</p>
</body>
</html>
"""


def to_html(report: Report) -> str:
    """The document."""
    facts = [f"<tr><th>{escape(fact.name)}</th><td>{escape(fact.value)}</td></tr>" for fact in report.facts]
    return _PAGE.format(
        title=escape(report.title),
        sentences="\n".join(f"<p>{escape(sentence)}</p>" for sentence in report.sentences),
        pictures="\n".join(_figure(picture) for picture in report.pictures),
        facts="\n".join(facts),
        notice=escape(report.notice),
        created=f"{report.created:%Y-%m-%d %H:%M}",
    )


def _figure(picture: Picture) -> str:
    caption = escape(picture.caption)
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture.image)).decode()}"
    return f'<figure><img src="{address}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def jpeg(image: Image.Image) -> bytes:
    """An image as a JPEG file."""
    file = BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()
