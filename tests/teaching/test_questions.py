"""The images of a quiz: both labels, of the validation part, and none that the model was trained on."""

from collections import Counter

import numpy as np
import pytest

from fracture import sample_radiographs
from fracture.data.dataset_csv import dataset_csv
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError
from fracture.teaching.questions import MIN_PER_LABEL, QUESTIONS, choose_questions, shuffle_questions
from tests.support.drawing import draw_mura


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return find_or_scan(str(draw_mura(tmp_path_factory.mktemp("quiz") / "data", train_patients=4, valid_patients=40)))


class KnowsTheFirst:
    """A detector of a model that was trained on some of the images, by their names."""

    def __init__(self, names):
        self.names = set(names)

    def trained_on(self, image_ids, sha256):
        assert all(sha256)
        return np.array([each in self.names for each in image_ids])


def test_choose_questions_takes_as_many_of_either_label_from_the_validation_part(data, homes):
    """Of different patients, since there are enough."""
    questions = choose_questions(data.table, None)
    table = data.table.set_index("image_id").loc[[each.image_id for each in questions]]
    assert Counter(each.label for each in questions) == {0: QUESTIONS // 2, 1: QUESTIONS // 2}
    assert set(table["split"]) == {"valid"} and table["group"].is_unique
    assert [each.label for each in questions] == table["label"].tolist()


def test_questions_hold_the_boxes_of_their_findings_as_shares(homes):
    """Those of the samples are what Home draws."""
    samples = {each.name: each for each in sample_radiographs.sample_radiographs()}
    questions = choose_questions(dataset_csv(sample_radiographs.FOLDER).rows, None)
    assert any(each.boxes for each in questions)
    for question in questions:
        assert question.boxes == samples[question.image_id].boxes


def test_unreadable_image_has_no_boxes(data, homes):
    """Its size is not known."""
    questions = choose_questions(data.table.assign(boxes="1 2 3 4", width=0, height=0), None)
    assert {each.boxes for each in questions} == {()}


def test_choose_questions_leaves_out_what_the_model_was_trained_on(data, homes):
    """Others take their place."""
    first = choose_questions(data.table, None)
    names = [each.image_id for each in first[:5]]
    again = choose_questions(data.table, KnowsTheFirst(names))
    assert len(again) == QUESTIONS and not {each.image_id for each in again} & set(names)


def test_choose_questions_of_another_quiz_is_another_choice(data, homes):
    """The same number gives the same images."""
    assert choose_questions(data.table, None, 1) == choose_questions(data.table, None, 1)
    assert set(choose_questions(data.table, None, 0)) != set(choose_questions(data.table, None, 1))


def test_choose_questions_from_too_few_images_says_what_is_needed(data, homes):
    """The sentence says how many there are."""
    known = data.table.loc[data.table["label"] == 1, "image_id"].tolist()[:-2]
    with pytest.raises(DatasetError, match=f"needs {MIN_PER_LABEL} images of either label.* Received: 2"):
        choose_questions(data.table, KnowsTheFirst(known))


def test_shuffle_questions_keeps_the_images(data, homes):
    """Each visitor has an order of their own."""
    questions = choose_questions(data.table, None)
    assert shuffle_questions(questions, 1) != shuffle_questions(questions, 2)
    assert sorted(shuffle_questions(questions, 1)) == sorted(questions)
