"""What a visitor keeps of an answer on *Classify*."""

import pytest
import streamlit as st

from tests.pages.test_pages import alone, choose_sample, healthy


@pytest.fixture
def offered(monkeypatch):
    """What the page offers to download, by the keys of the buttons."""
    found = {}
    original = st.download_button

    def keep(label, data, *args, **named):
        found[named["key"]] = data
        return original(label, data, *args, **named)

    monkeypatch.setattr(st, "download_button", keep)
    return found


@pytest.mark.slow
def test_answer_can_be_kept_as_pdf_and_html(as_cloned, offered):
    """Both are of the answer that the page shows; they are made when they are asked for."""
    app = alone("classify").run()
    healthy(choose_sample(app, "123456"))
    page = offered["report html synthetic 123456"]()
    shown = next(each.value.split(" · ")[1] for each in app.metric if each.label.startswith("Probability of"))
    assert f"Probability of abnormal: {shown}" in page or f"Probability of fractured: {shown}" in page
    assert page.count("<img") == 2 * page.count("with its heat map</figcaption>")
    assert offered["report pdf synthetic 123456"]().startswith(b"%PDF-")
