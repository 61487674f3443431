"""Many studies, answered by this process or by workers."""

import numpy as np
import pytest
from PIL import Image

from fracture.errors import WorkerError
from fracture.inference.batch import job
from fracture.inference.batch.answering import Request, Study, StudyAnswer, ask
from fracture.inference.batch.job import classify_studies
from tests.support.clusters import kill_a_worker, start_cluster


@pytest.fixture
def asked(make_model):
    return Request((ask(make_model("m"), None),), answer_unlike=True)


@pytest.fixture
def studies(tmp_path):
    """Thirty small pictures, each on its own."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0)
    found = []
    for number in range(30):
        path = folder / f"{number:02}.png"
        Image.fromarray(pixels.integers(0, 256, (80, 80), np.uint8)).save(path)
        found.append(Study(str(path), (str(path),)))
    return found


def rows(answers):
    """All rows by study, which must be one each."""
    found = [answer.rows[0] for answer in answers]
    assert len({row["study"] for row in found}) == len(found)
    return sorted(found, key=lambda row: row["study"])


def test_classify_studies_by_processes_gives_the_same(asked, studies):
    """Two processes answer as this one does."""
    alone = rows(classify_studies(asked, studies))
    assert len(alone) == 30
    assert rows(classify_studies(asked, studies, processes=2)) == alone


@pytest.mark.slow
def test_classify_studies_with_a_killed_process_gives_the_same(asked, studies):
    """Its chunk is answered by another one."""
    alone = rows(classify_studies(asked, studies))
    answers = classify_studies(asked, studies, processes=2)
    found = [next(answers)]
    kill_a_worker()
    assert rows([*found, *answers]) == alone


def test_classify_few_studies_starts_no_process(asked, studies, monkeypatch):
    """They would take longer to start; nor is joblib imported for them."""
    monkeypatch.setattr(job.parallel, "open_workers", None)
    assert len(rows(classify_studies(asked, studies))) == 30


@pytest.mark.slow
def test_classify_studies_on_a_cluster_gives_the_same(asked, studies, tmp_path):
    """Workers that see the files and have the model answer; a path that they don't see is named."""
    alone = rows(classify_studies(asked, studies))
    with start_cluster(tmp_path, workers=2) as address:
        assert rows(classify_studies(asked, studies, cluster=address, paths=[str(tmp_path)])) == alone
        with pytest.raises(WorkerError, match="can't see /no/such"):
            list(classify_studies(asked, studies, cluster=address, paths=["/no/such"]))


def test_chunks_follow_the_speed_and_keep_studies_whole(monkeypatch):
    """A chunk is about a second long; a study is in one chunk, however many views it has."""
    studies = [Study(str(number), ("a",) * views) for number, views in enumerate([1, 9, *[1] * 600])]
    chunks = job._Chunks(studies)
    upcoming = iter(chunks)
    first = next(upcoming)
    assert [study.name for study in first] == ["0", "1"]
    done = [StudyAnswer(study, [], []) for study in first]
    chunks.learn(job._Answered(done, seconds=100.0))
    assert len(next(upcoming)) == job.FIRST_CHUNK
    for _ in range(9):
        chunks.learn(job._Answered(done, seconds=0.001))
    assert len(next(upcoming)) == job.MAX_CHUNK
    assert [study.name for chunk in upcoming for study in chunk][-1] == "601"


def test_study_whose_workers_are_killed_fails_alone(asked, studies, monkeypatch):
    """The others of its chunk are answered, and its files have a sentence."""

    def run_tasks(task, chunks, workers, give_up):
        for chunk in chunks:
            deadly = any(study is studies[3] for study in chunk)
            yield chunk, give_up(chunk) if deadly else task(chunk)

    monkeypatch.setattr(job.parallel, "run_tasks", run_tasks)
    answers = list(classify_studies(asked, studies, processes=2))
    failed = [answer for answer in answers if answer.failures]
    assert len(answers) == 30 and [answer.study for answer in failed] == [studies[3]]
    assert "worker was killed several times" in failed[0].failures[0].sentence
