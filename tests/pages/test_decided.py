"""What pages show of decisions that were made elsewhere."""

import pytest

from fracture.app.shared import dataset_cache
from fracture.data.dataset import scan
from fracture.data.decisions import apply_decisions, decide
from tests.pages.test_pages import alone, healthy, words
from tests.support.drawing import draw_mura
from tests.support.widgets import open_tab


@pytest.fixture
def data(homes):
    """A data set in the data home."""
    return draw_mura(homes / "data" / "MURA-v1.1")


def test_catalog_after_a_decision_above_shows_it(data):
    """A decision about a whole tree shows in a part of it at once."""
    part = scan(data / "train")
    shown = dataset_cache.catalog(part)
    decide(data, ["train/" + shown["image_id"][0]], "exclude")
    assert (shown["decision"] == "none").all()
    assert dataset_cache.catalog(part)["decision"].tolist() == ["exclude", *shown["decision"][1:]]


def counted(app):
    """What the page counts, by the title of the counter."""
    return {metric.label: metric.value for metric in app.metric}


def test_counters_after_decisions_leave_out_excluded_images(data):
    """Images, studies, patients and the positive share are those that a model would be trained on."""
    table = scan(data).table
    patient = table["patient"].iloc[0]
    theirs = table.loc[table["patient"] == patient, "image_id"]
    relabeled = table.loc[(table["patient"] != patient) & (table["label"] == 0), "image_id"].iloc[0]
    decide(data, theirs, "exclude")
    decide(data, [relabeled], "positive")
    app = healthy(open_tab(alone("data"), "Statistics"))
    kept = apply_decisions(scan(data)).table
    assert counted(app) == {
        "Images": str(len(kept)),
        "Studies": str(kept["study"].nunique()),
        "Patients or groups": str(kept["group"].nunique()),
        scan(data).label_names[1].capitalize(): f"{kept['label'].mean():.1%}",
    }
    assert f"{len(theirs)} excluded and 1 relabeled of {len(table)} images" in words(app)


def test_charts_after_decisions_count_the_decided_labels(data):
    """The bars of each label add up to the images that decisions leave under that label."""
    decide(data, scan(data).table["image_id"].iloc[:3], "exclude")
    kept = apply_decisions(scan(data)).table
    figure = dataset_cache.cached_overview(scan(data))["Splits"].figure
    assert [sum(bar.y) for bar in figure.data] == [int((kept["label"] == label).sum()) for label in (0, 1)]


def test_thumbnail_of_excluded_image_is_crossed_out(data):
    """The thumbnail of an excluded image is crossed out, and its alternative text says why."""
    first = dataset_cache.catalog(scan(data))["image_id"][0]
    decide(data, [first], "exclude")
    alts = [image.proto.imgs[0].alt for image in healthy(alone("data").run()).image]
    assert f"Excluded radiograph {first}" in alts and f"Radiograph {first}" not in alts


def test_page_with_all_images_excluded_still_shows_them(data):
    """Excluding all images is a finding, and the gallery still shows them."""
    decide(data, scan(data).table["image_id"], "exclude")
    app = healthy(alone("data").run())
    assert ":gray-badge[excluded]" in words(app)
    assert "must be left" in words(healthy(open_tab(app, "Checks")))
    assert "images are excluded" in words(healthy(open_tab(app, "Statistics")))
