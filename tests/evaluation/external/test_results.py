"""Stored results of evaluations."""

import pandas as pd
import pytest

from fracture.data.folders import list_datasets
from fracture.errors import ModelError
from fracture.evaluation.external.job import carry_out
from fracture.evaluation.external.results import (
    RESULT,
    read_external_predictions,
    read_result,
    request_evaluation,
    results_matrix,
    stored_results,
)
from fracture.registry.model_folder import usable_models
from tests.support.drawing import draw_mura


@pytest.fixture
def data(homes):
    return draw_mura(homes / "data" / "other", train_patients=2, valid_patients=8, seed=4)


def test_a_stored_result_is_read_as_it_was_written(make_model, data):
    """With its predictions, by the data set's name; lists of data sets pass over its folder."""
    make_model("m")
    made = carry_out(request_evaluation("m", "other"))
    assert made.place == request_evaluation("m", str(data)).folder
    assert read_result(made.place) == made.result and made.result.data == "other"
    rows = read_external_predictions(made.place)
    pd.testing.assert_series_equal(rows["logit"], made.evaluation.predictions["logit"].reset_index(drop=True))
    assert list_datasets() == [data]


def test_results_matrix_has_a_row_for_each_model_and_data_set(make_model, data, drawn):
    """A model beside others on the same images."""
    for name in ("m", "n"):
        make_model(name)
        carry_out(request_evaluation(name, "other"))
    carry_out(request_evaluation("n", str(drawn)))
    table = results_matrix(usable_models())
    assert sorted(zip(table["model"], table["data"], strict=True)) == [
        ("m", "other"),
        ("n", str(drawn)),
        ("n", "other"),
    ]
    assert table["refused"].between(0, 1).all() and table["auc"].between(0, 1).all()
    assert results_matrix([]).empty


def test_results_of_another_model_of_the_same_name_are_passed_over(make_model, data):
    """So are damaged ones, and reading one says what to do."""
    folder = make_model("m")
    place = carry_out(request_evaluation("m", "other")).place
    assert len(stored_results(folder)) == 1
    whole = (place / RESULT).read_text()
    sha256 = read_result(place).model_sha256
    (place / RESULT).write_text(whole.replace(sha256, "0" * 64))
    assert stored_results(folder) == []
    (place / RESULT).write_text(whole[:200])
    assert stored_results(folder) == []
    with pytest.raises(ModelError, match="Evaluate the model again"):
        read_result(place)
    (place / "predictions.csv").write_text("image_id\n1\n")
    with pytest.raises(ModelError, match=r"missing or damaged\. Evaluate the model again"):
        read_external_predictions(place)
