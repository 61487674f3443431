"""The region finder: boxes of several passes become one, and the shipped network finds what readers marked."""

import shutil

import numpy as np
import pytest

from fracture.errors import ModelError
from fracture.imaging.radiograph import Frame, load
from fracture.inference.classifier import Classifier, load_classifier
from fracture.inference.regions.candidates import center_inside
from fracture.inference.regions.finder import Boxes, find_boxes, fuse, overlaps, place_at, regions_of
from fracture.registry.card import BoxScore
from fracture.registry.model_folder import ModelFolder, bundled_model
from fracture.sample_radiographs import sample_radiographs

PLAIN = BoxScore(score=1.0, place=0.0, intercept=0.0)
"""The score alone decides."""


def boxes(corners, scores):
    return Boxes(np.array(corners, np.float64).reshape(-1, 4), np.array(scores, np.float64))


def test_fuse_averages_boxes_of_both_passes_by_their_probability():
    """Two equally likely boxes become the one between them; its score is their mean."""
    straight = boxes([[0, 0, 10, 10]], [1.0])
    mirrored = boxes([[2, 0, 12, 10]], [1.0])
    fused = fuse([straight, mirrored])
    assert fused.corners.tolist() == [[1, 0, 11, 10]]
    assert fused.scores.tolist() == [1.0]


def test_fuse_lowers_the_score_of_a_box_that_one_pass_does_not_see():
    """A box of both passes comes before a likelier one of a single pass."""
    straight = boxes([[0, 0, 10, 10], [50, 50, 60, 60]], [1.0, 3.0])
    mirrored = boxes([[0, 0, 10, 10]], [1.0])
    fused = fuse([straight, mirrored])
    assert fused.corners[0].tolist() == [0, 0, 10, 10]
    assert fused.scores[0] == 1.0 > fused.scores[1]


def test_overlaps_is_the_intersection_over_union():
    """Half of a box in another of the same size is a third of both; apart it is 0."""
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float64)
    assert overlaps(np.array([0.0, 0, 10, 10]), others).tolist() == pytest.approx([1, 1 / 3, 0])


def test_place_at_takes_the_highest_neighbor_of_the_cell_in_a_box_s_middle():
    """The cell at (1, 2) has its middle at x = 53.5, y = 37.5; a neighbor's logit counts, a farther one does not."""
    places = np.full((4, 4), -5.0)
    places[2, 3] = 2.0
    near = np.array([[50.0, 34.0, 57.0, 41.0]])
    assert place_at(places, near).tolist() == [2.0]
    assert place_at(places, near - 32).tolist() == [-5.0]


def test_regions_are_cut_off_at_the_image_and_come_likeliest_first():
    """Boxes in the bars of the square are no regions; coordinates are shares of the image."""
    framed = Frame(left=0, top=25, width=100, height=50, size=100)
    found = boxes([[10, 0, 20, 10], [10, 15, 20, 35], [50, 30, 60, 40]], [5.0, 0.0, 1.0])
    regions = regions_of(found, np.zeros((4, 4)), framed, PLAIN)
    assert [region.box for region in regions] == [
        pytest.approx((0.5, 0.1, 0.1, 0.2)),
        pytest.approx((0.1, 0.0, 0.1, 0.2)),
    ]


def test_finder_of_other_bytes_is_a_model_error(tmp_path):
    """What is no graph is refused in a sentence."""
    (tmp_path / "regions.tflite").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"region finder regions\.tflite cannot be loaded"):
        find_boxes(tmp_path / "regions.tflite", 640, np.zeros((8, 8), np.uint8))


def test_shipped_finder_finds_what_readers_marked():
    """In most of the fractured samples the likeliest region has its center in a box that a reader drew."""
    classifier = load_classifier("fracatlas")
    fractured = [sample for sample in sample_radiographs() if sample.boxes]
    hits = 0
    for sample in fractured:
        image = load(sample.path)
        regions = classifier.view(sample.name, image).regions
        hits += any(center_inside(regions[0].box, box) for box in sample.boxes)
    assert hits > len(fractured) / 2


def test_clearly_negative_image_gets_no_regions():
    """The finder does not run where the mirror image does not run."""
    classifier = load_classifier("fracatlas")
    normal = next(sample for sample in sample_radiographs() if not sample.boxes)
    first = classifier.first_pass(normal.name, load(normal.path))
    view = classifier.complete(first)
    assert len(view.logits) == 2 or view.regions == ()


def test_model_without_its_finder_answers_without_regions(tmp_path, caplog):
    """A folder that lacks the file still answers; the log says why there is no region."""
    shutil.copytree(bundled_model().path, tmp_path / "fracatlas", ignore=shutil.ignore_patterns("*.tflite", "*.h5"))
    shutil.copy(bundled_model().served_model, tmp_path / "fracatlas")
    classifier = Classifier(ModelFolder(tmp_path / "fracatlas"))
    sample = next(sample for sample in sample_radiographs() if sample.boxes)
    view = classifier.view(sample.name, load(sample.path))
    assert view.regions == ()
    assert view.probability > 0
    assert "shows no candidate regions" in caplog.text
