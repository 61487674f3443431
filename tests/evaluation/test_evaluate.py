"""A model on one split of a data set."""

import pandas as pd
import pytest

from fracture.data.dataset import scan
from fracture.errors import DatasetError
from fracture.evaluation import evaluate
from fracture.evaluation.evaluate import evaluate_model
from fracture.parallel import Workplace
from fracture.registry.model_folder import read_card
from tests.support.clusters import kill_a_dask_worker, start_cluster
from tests.support.drawing import draw_mura


def test_evaluate_model_measures_the_readable_images(homes, make_model, drawn):
    """The result has the metrics of the split, and progress is reported for each of its images."""
    make_model("m")
    images = int((scan(drawn).table["split"] == "valid").sum())
    progress = []
    result = evaluate_model("m", str(drawn), on_progress=lambda done, total: progress.append((done, total)))
    assert progress == [(done, images) for done in range(1, images + 1)]
    assert result.images == result.metrics["image"]["count"] == images
    assert result.localization is None and result.errors == []
    assert 0 <= result.out_of_distribution <= images


def test_evaluate_model_on_training_images_warns_of_data_leakage(homes, make_model, drawn):
    """The images that the model was trained on are counted."""
    make_model("m")
    result = evaluate_model("m", str(drawn), "train")
    card = read_card(make_model("n"))
    assert result.trained_on == card.data.training_images
    assert any("data leakage" in warning for warning in result.warnings)


def test_evaluate_model_with_an_unreadable_image_measures_the_others(homes, make_model, tmp_path):
    """It is named in the errors."""
    make_model("m")
    data = draw_mura(tmp_path / "data")
    broken = sorted((data / "valid").rglob("*.png"))[0]
    broken.write_bytes(b"no image")
    result = evaluate_model("m", str(data))
    assert len(result.errors) == 1 and "image" in result.errors[0]
    assert result.images == int((scan(data).table["split"] == "valid").sum()) - 1


def test_evaluate_model_refuses_a_split_that_is_not_there(homes, make_model, drawn):
    """The error names the splits of the data set."""
    make_model("m")
    with pytest.raises(DatasetError, match="split must be one of train, valid, or all"):
        evaluate_model("m", str(drawn), "test")


@pytest.mark.slow
def test_evaluate_model_by_processes_gives_the_same(homes, make_model, drawn):
    """Two processes predict as this one does, in the order of the table."""
    make_model("m")
    alone = evaluate_model("m", str(drawn))
    by_two = evaluate_model("m", str(drawn), by=Workplace(processes=2))
    pd.testing.assert_frame_equal(alone.predictions, by_two.predictions)
    assert alone.metrics == by_two.metrics


@pytest.mark.slow
def test_evaluate_model_on_a_cluster_with_a_killed_worker_gives_the_same(
    homes, make_model, drawn, tmp_path, monkeypatch
):
    """The chunks of a worker that was killed with ``kill -9`` are predicted by another one."""
    make_model("m")
    alone = evaluate_model("m", str(drawn), "all")
    monkeypatch.setattr(evaluate, "CHUNK", 2)
    killed = []
    with start_cluster(tmp_path, workers=2) as address:

        def kill_one(done, total):
            if not killed:
                killed.append(kill_a_dask_worker(address))

        again = evaluate_model("m", str(drawn), "all", on_progress=kill_one, by=Workplace(cluster=address))
    assert killed
    pd.testing.assert_frame_equal(alone.predictions, again.predictions)
    assert alone.metrics == again.metrics
