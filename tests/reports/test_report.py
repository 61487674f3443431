"""What a report of an answer says."""

from datetime import datetime

import numpy as np
import pytest
from PIL import Image

import fracture
from fracture.imaging.radiograph import Frame
from fracture.inference.prediction import Answer, OutcomeLimits, View
from fracture.registry.model_folder import bundled_model, read_card, shipped_models
from fracture.reports.report import Report, Shown, make_report

CREATED = datetime(2026, 2, 3, 4, 5)


def view(name: str = "film.png", probability: float = 0.8, **status: bool) -> View:
    heat = np.zeros((4, 4), np.float32)
    return View(
        name, probability, (1.0,), (probability,), heat, Frame(0, 0, 4, 4, 4), np.zeros(3, np.float32), **status
    )


def shown(*steps: str) -> Shown:
    gray = Image.new("L", (40, 60), 90)
    return Shown("DICOM", steps, gray, Image.new("RGB", gray.size, "orange"))


def report_of(*views: View, **more: object) -> Report:
    answer = Answer(("not fractured", "fractured"), OutcomeLimits(0.03, 0.35), views, **more)
    return make_report(answer, read_card(bundled_model()), [shown("windowed") for _ in views], CREATED)


def facts(report: Report) -> dict[str, str]:
    return {fact.name: fact.value for fact in report.facts}


def test_report_of_an_answer_has_probability_limits_and_pictures():
    """The outcome is the title; the limits and the image with and without heat map follow."""
    report = report_of(view())
    assert report.title == "Fractured"
    assert report.sentences[0] == (
        "Probability of fractured: 80.0%. Below 3.0% (high sensitivity) the answer is not fractured, from 35.0% (high "
        "specificity) fractured; between the two the model does not decide."
    )
    assert any(fact.name.startswith("At the balanced threshold of") for fact in report.facts)
    assert [picture.caption for picture in report.pictures] == ["film.png", "fractured 80.0%, with its heat map"]


def test_report_names_model_version_and_steps():
    """The card in short with the hash of the served graph, how the file was read, and the versions."""
    card = read_card(bundled_model())
    found = facts(report_of(view()))
    assert found["SHA-256 of model.tflite"] == card.files["model.tflite"]
    assert found["Read film.png"] == "DICOM: windowed"
    assert found["Version of the app"].startswith(f"{fracture.__version__}, preprocessing ")
    assert "CC BY 4.0" in "".join(fact.value for fact in report_of(view()).facts)


@pytest.mark.parametrize(
    ("status", "why"),
    [({"radiograph": False}, "does not look like an X-ray"), ({"known": False}, "out of distribution")],
)
def test_report_without_an_answer_says_why_and_shows_no_heat_map(status, why):
    """There is no probability in it either."""
    report = report_of(view(**status))
    assert report.title.startswith("No answer") and why in report.sentences[0]
    assert [picture.caption for picture in report.pictures] == ["film.png"]
    assert not any("80" in sentence for sentence in report.sentences)


def test_report_of_an_answer_on_request_says_that_it_is_not_validated():
    """A film that is unlike the training images."""
    report = report_of(view(known=False), answer_unlike=True)
    assert "Its metrics don't hold here." in report.sentences[-1]


def test_report_of_a_study_names_the_views_that_count():
    """The mean of the two X-rays; the photograph beside them is left out."""
    report = report_of(view("a"), view("b", 0.6), view("c", radiograph=False))
    assert "The probability is the mean of 2 of 3 views." in report.sentences
    assert "70.0%" in report.sentences[0]


def test_report_names_the_level_of_its_auc():
    """By study where the model's card has it, else by image."""
    said = {}
    for folder in shipped_models():
        answer = Answer(("normal", "abnormal"), OutcomeLimits(0.03, 0.35), [view()])
        report = make_report(answer, read_card(folder), [shown()], CREATED)
        said[folder.name] = facts(report)["Validated on"]
    assert "653 images: AUC by image 0.920" in said["fracatlas"]
    assert "135 studies: AUC by study 0.930" in said["mura-humerus"]
