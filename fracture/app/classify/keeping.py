"""Downloads of the answers: a table of all of them, and a document of each study."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.shared.heatmap_overlay import full_heat, heated, marked_regions
from fracture.app.shared.prediction_cache import Examined
from fracture.files import JsonObject
from fracture.inference import report
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import Answer
from fracture.paths import as_name
from fracture.reports.html import to_html
from fracture.reports.report import Report, Shown, make_report

OPACITY = 0.4
"""Of the heat map in a document."""


def offer_csv(lines: list[JsonObject]) -> None:
    """A button that downloads the answers of all models."""
    st.download_button(
        "Download answers (CSV)",
        report.as_csv(lines),
        "answers.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download answers",
    )


def offer_report(classifier: Classifier, answer: Answer, examined: Sequence[Examined], study: str) -> None:
    """Buttons that download the answer for a study as a document; a click makes it. ``study``: a part of their keys."""

    def make() -> Report:
        return make_report(answer, classifier.card, _shown(classifier, answer, examined), datetime.now())

    def as_html() -> str:
        return to_html(make())

    def as_pdf() -> bytes:
        # fpdf2 takes 0.3 s to import, and few visitors want a PDF.
        from fracture.reports.pdf import to_pdf

        return to_pdf(make())

    name = as_name(f"{study}-{classifier.name}", "report")
    with st.container(horizontal=True):
        for label, ending, kind, write in (
            ("Download PDF", "pdf", "application/pdf", as_pdf),
            ("Download HTML", "html", "text/html", as_html),
        ):
            st.download_button(
                label,
                write,
                f"{name}.{ending}",
                kind,
                icon=":material/description:",
                type="tertiary",
                on_click="ignore",
                key=f"report {ending} {study}",
            )


def _shown(classifier: Classifier, answer: Answer, examined: Sequence[Examined]) -> list[Shown]:
    """Each view as it is and, where it is answered, with its heat map and candidate regions."""
    scale = full_heat(classifier, examined)
    found = []
    for each in examined:
        plain = Image.fromarray(each.pixels)
        picture = plain
        if answer.answers(each.view):
            picture = heated(classifier, each, OPACITY, scale)
        if answer.answers(each.view) and answer.label_of(each.view) != answer.labels[0]:
            picture = charts.boxed(picture, marked_regions(classifier, each) or [])
        found.append(Shown(each.format, each.steps, plain, picture))
    return found
