import json

import numpy as np
import pandas as pd
import pytest

from fracture.data.dataset import scan
from fracture.errors import Cancelled, DatasetError, ModelError
from fracture.evaluation import label_issues
from fracture.evaluation.label_issues import ISSUE_COLUMNS, cross_validate, problem, rank_by_doubt
from fracture.inference import embeddings
from tests.support.drawing import draw_mura


def studies(count: int, views: int = 2) -> pd.DataFrame:
    """A table of so many studies, two to a patient, half of them positive."""
    number = np.repeat(np.arange(count), views)
    return pd.DataFrame(
        {
            "image_id": [
                f"{study}/{view}.png" for study, view in zip(number, np.tile(range(views), count), strict=True)
            ],
            "study": [f"study {study}" for study in number],
            "group": [f"patient {study // 2}" for study in number],
            "label": number // 2 % 2,
        }
    )


def seen(table: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    """Features that tell the labels apart well, though not perfectly: (N, 40)."""
    features = random.gamma(2, size=(len(table), 40)).astype(np.float32)
    features[:, :20] += 2 * table["label"].to_numpy()[:, None].astype(np.float32)
    return features


@pytest.mark.parametrize("seed", range(3))
def test_most_labels_turned_over_are_among_the_first(seed):
    """Of 10 turned over among 200 studies, 9 or all are among the 20 most doubted; most of what is called wrong is."""
    random = np.random.default_rng(seed)
    table = studies(200)
    features = seen(table, random)
    turned = {f"study {study}" for study in random.choice(200, 10, replace=False)}
    label = np.where(table["study"].isin(turned), 1 - table["label"], table["label"])
    table = table.assign(label=label)
    found = rank_by_doubt(table.assign(logit=cross_validate(features, table)))
    first = found["study"].drop_duplicates()
    assert first[:20].isin(turned).sum() >= 9
    issues = set(found.loc[found["is_issue"], "study"])
    assert len(issues & turned) >= max(4, 0.6 * len(issues))


def test_no_image_is_judged_by_what_has_seen_its_group():
    """Features that tell nothing but whose image it is tell nothing of the label, since no group is on both sides."""
    table = studies(100)
    whose = np.eye(50, dtype=np.float32)[table["group"].str.removeprefix("patient ").astype(int)]
    right = (cross_validate(whose, table) > 0) == (table["label"] == 1)
    assert right.mean() < 0.6


def test_views_of_a_study_are_judged_together():
    """A study has one probability, from the mean of its views' logits, and its views stand side by side."""
    table = studies(3).assign(label=[0, 0, 1, 1, 1, 1], logit=[-2.0, 4.0, -3.0, -1.0, 2.0, 2.0])
    found = rank_by_doubt(table)
    assert tuple(found) == ISSUE_COLUMNS
    assert found["study"].tolist() == [f"study {study}" for study in (1, 1, 0, 0, 2, 2)]
    assert found["probability"].round(3).tolist() == [0.119] * 2 + [0.731] * 2 + [0.881] * 2
    assert found["doubt"].round(3).tolist() == [0.881] * 2 + [0.731] * 2 + [0.119] * 2


def test_the_problem_names_what_is_doubted_in_the_words_of_the_data():
    """How many studies and images of which label, how good the features are; nothing where nothing is doubted."""
    found = rank_by_doubt(studies(8).assign(logit=np.repeat([-3, -2, 3, 2, -3, 4, 2, 3], 2)))
    told = problem(found, ("normal", "abnormal"), "first")
    assert told is not None and (told.kind, told.severity) == ("label doubts", "warning")
    assert told.images == ("5/0.png", "5/1.png")
    assert told.message.startswith("The labels of 1 study (2 images) may be wrong: with the features of model 'first'")
    assert "0 are abnormal and 1 normal" in told.message and "AUC of 0.75" in told.message
    assert problem(found.assign(is_issue=False), ("normal", "abnormal"), "first") is None


def test_two_groups_of_each_label_are_needed():
    """With one patient of a label, none is left to judge that one by."""
    table = studies(6)
    table = table[(table["label"] == 0) | (table["group"] == "patient 1")]
    with pytest.raises(DatasetError, match="at least two groups"):
        cross_validate(np.zeros((len(table), 3), np.float32), table)


@pytest.fixture
def drawn_set(homes):
    """A drawn data set that a test may spoil."""
    return draw_mura(homes / "mura", 8, 4)


def test_a_model_is_asked_once_of_each_image(drawn_set, make_model, monkeypatch):
    """Every readable image is judged; the second time nothing is computed, and the answer is the same."""
    model = make_model("m")
    (broken := sorted(drawn_set.rglob("*.png"))[0]).write_bytes(b"no picture")
    dataset, said = scan(drawn_set), []
    first = label_issues.find_label_issues(dataset, model, lambda done, total: said.append((done, total)))
    expected = set(dataset.table["image_id"]) - {broken.relative_to(drawn_set).as_posix()}
    assert set(first["image_id"]) == expected
    assert said[0] == (0, len(dataset.table)) and said[-1] == (len(dataset.table), len(dataset.table))
    broken.unlink()
    monkeypatch.setattr(embeddings, "Graph", None)
    pd.testing.assert_frame_equal(label_issues.find_label_issues(scan(drawn_set), model), first)


def test_a_stop_keeps_the_features(drawn_set, make_model, monkeypatch):
    """Stopped after the first chunk, the next time begins behind it."""
    monkeypatch.setattr(embeddings, "IMAGES_PER_CHUNK", 4)
    model, dataset, said = make_model("m"), scan(drawn_set), []
    with pytest.raises(Cancelled):
        label_issues.find_label_issues(dataset, model, should_stop=lambda: True)
    label_issues.find_label_issues(dataset, model, lambda done, _: said.append(done))
    assert said[0] == 4


def test_without_images_or_model_there_is_a_sentence(drawn_set, make_model, homes):
    """A data set of which nothing can be read, a model that is not there, one without its graph."""
    model = make_model("m")
    with pytest.raises(ModelError, match="There is no finished model called 'n'"):
        label_issues.find_label_issues(scan(drawn_set), type(model)(model.path.with_name("n")))
    dataset = scan(drawn_set)
    for file in drawn_set.rglob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="No image of"):
        label_issues.find_label_issues(dataset, model)
    model.served_model.unlink()
    with pytest.raises(ModelError, match="no served graph"):
        label_issues.find_label_issues(dataset, model)


def test_a_card_names_no_file_outside_the_cache(drawn_set, make_model):
    """How images are fitted is one of two words, and nothing else becomes a part of a path."""
    model = make_model("m")
    card = json.loads(model.card.read_text())
    card["input"]["fit"] = "/../../../precious"
    model.card.write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"must say fit stretch or letterbox. Received: '/"):
        label_issues.find_label_issues(scan(drawn_set), model)


def test_what_a_model_sees_must_be_numbers(drawn_set, make_model, monkeypatch):
    """A damaged model is named, with an image that it cannot see."""
    dataset = scan(drawn_set)
    looks = {name: np.ones(3, np.float32) for name in dataset.table["image_id"]}
    looks[dataset.table["image_id"][2]][1] = np.nan
    monkeypatch.setattr(label_issues, "served_features", lambda *_: looks)
    with pytest.raises(ModelError, match=f"others in 1 images, such as {dataset.table['image_id'][2]}"):
        label_issues.find_label_issues(dataset, make_model("m"))
