"""FracAtlas out of its zip at figshare, against a small figshare on this machine."""

import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.errors import FetchError
from fracture.importers.fracatlas import default_folder, import_fracatlas, order
from fracture.importers.fracatlas import draw_sample, read_boxes
from fracture.importers.http import RateLimiter
from fracture.importers.job import find_import, request_stop, start
from tests.support.servers import Answer, Figshare, zip_of
from tests.support.waiting import wait

COLUMNS = "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique"


def rows_of(numbers) -> pd.DataFrame:
    """FracAtlas's rows: a fracture in every fifth image, and in all of a block."""
    rows = [
        {**dict.fromkeys(COLUMNS.split(","), "0"), "image_id": f"IMG{number:07d}.jpg", "hand": "1", "frontal": "1",
         "fractured": str(int(number % 5 == 0 or 100 <= number < 125))}
        for number in numbers
    ]  # fmt: skip
    return pd.DataFrame(rows)


def picture(number: int) -> bytes:
    """Some noise, 20 x 30 px, other noise for each number."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (30, 20), np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """What is in the zip, by name: 240 images in blocks that lack a few, tables, and what nobody needs."""
    rows = rows_of(number for number in range(250) if number % 25 != 7)
    broken = rows[rows["fractured"] == "1"]["image_id"]
    coco = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(broken)],
        "annotations": [{"image_id": number, "bbox": [1.5, 2, 3, 4]} for number in range(len(broken))]
        + [{"image_id": 0, "bbox": [5, 6, 7, 8]}],
    }
    folders = rows["fractured"].map({"0": "Non_fractured", "1": "Fractured"})
    images = {
        f"FracAtlas/images/{folder}/{name}": picture(int(name[3:10]))
        for folder, name in zip(folders, rows["image_id"], strict=True)
    }
    return {
        **images,
        "FracAtlas/dataset.csv": rows.to_csv(index=False).encode(),
        "FracAtlas/Annotations/COCO JSON/COCO_fracture_masks.json": json.dumps(coco).encode(),
        "FracAtlas/Annotations/YOLO/IMG0000000.txt": b"0 0.5 0.5 0.1 0.1\n",
        "FracAtlas/Utilities/Fracture Split/train.csv": b"image_id\nIMG0000000.jpg\n",
        "__MACOSX/FracAtlas/images/Fractured/._IMG0000000.jpg": b"macOS",
        "FracAtlas/padding.bin": np.random.default_rng(0).bytes(600_000),
    }


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Nothing stands between the tests and this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def figshare(files, monkeypatch):
    with Figshare(zip_of(files)) as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
        yield server


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def get(root, wanted=None, **choices):
    pace = RateLimiter(attempts=4, first_wait=0.001, interval=0)
    return import_fracatlas(root, wanted or order(images=50), **{"limiter": pace, **choices})


def images(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "images").glob("*")}


def right(files, names) -> dict[str, bytes]:
    known = {name.rsplit("/", 1)[-1]: content for name, content in files.items()}
    return {name: known[name] for name in names}


def test_a_sample_comes_image_by_image(figshare, files, out):
    """As many images as asked for, byte by byte as they were, for a fraction of the zip; read as a data set."""
    ended = get(out)
    assert ended.state == find_import(out).state == "complete"
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50
    assert all(figshare.ranges_asked())
    assert figshare.sent < len(figshare.archive) / 3
    found = scan(out)
    assert (found.layout, found.label_names) == ("dataset.csv", ("not fractured", "fractured"))
    assert len(found.table) == 50
    assert set(found.table["width"]) == {20}
    assert set(found.table["height"]) == {30}
    assert all(Path(path).is_file() for path in found.table["path"])
    assert found.sources[0].name == "FracAtlas"


def test_boxes_come_from_the_annotations(figshare, out):
    """Of each image with a fracture, all of them; of others none."""
    get(out)
    table = scan(out).table.set_index("image_id")
    assert all((table["boxes"] != "") == (table["label"] == 1))
    boxes = set(table.loc[(table["label"] == 1) & (table.index != "IMG0000000.jpg"), "boxes"])
    assert boxes == {"1.5 2 3 4"}


def test_the_licence_comes_with_it(figshare, out):
    """Who made it and on which terms, as they ask."""
    get(out)
    said = (out / "LICENCE.txt").read_text()
    assert "CC BY 4.0" in said
    assert "Abedeen" in said
    assert "50 of its images" in said


def test_the_same_seed_draws_the_same_sample(figshare, tmp_path):
    """And another one another."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        get(tmp_path / name, order(images=30, seed=seed))
    assert images(tmp_path / "a") == images(tmp_path / "b") != images(tmp_path / "c")


def test_it_goes_on_where_it_stopped(figshare, files, out):
    """A request to stop leaves a data set of what is there; then only what is lacking is asked for."""
    figshare.watch = lambda: len(figshare.ranges_asked()) > 20 and request_stop(out)
    stopped = get(out)
    assert stopped.state == "interrupted"
    there, asked = images(out), len(figshare.ranges_asked())
    assert 0 < len(there) < 50
    assert len(pd.read_csv(out / "dataset.csv")) == len(there)
    figshare.watch = lambda: None
    assert get(out).state == "complete"
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50
    assert len(figshare.ranges_asked()) - asked == 50 - len(there) + 1  # and the zip's table of contents


def test_a_complete_import_asks_nobody(figshare, out):
    """Once more, it looks through what is there; what was deleted comes again."""
    get(out)
    asked, there = len(figshare.asked), images(out)
    get(out)
    assert len(figshare.asked) == asked
    next((out / "images").iterdir()).unlink()
    get(out)
    assert images(out) == there


@pytest.mark.parametrize("plan", ["", "x", "image_id\nIMG0000001.jpg\n", "image_id,size,boxes\na,b,c\n"])
def test_a_damaged_plan_is_made_anew(figshare, out, plan):
    """What an earlier run noted down helps, and is not needed."""
    get(out)
    there = images(out)
    next((out / "images").iterdir()).unlink()
    (out / ".import" / "plan.csv").write_text(plan)
    assert get(out).state == "complete"
    assert images(out) == there


def test_a_planned_image_that_is_in_the_zip_no_more(figshare, out):
    """All others come, and the sentence names it."""
    get(out)
    plan = out / ".import" / "plan.csv"
    plan.write_text(plan.read_text().replace("FracAtlas/images/", "FracAtlas/elsewhere/", 1))
    (out / "images" / pd.read_csv(plan)["image_id"][0]).unlink()
    with pytest.raises(FetchError, match=r"figshare holds no .*Missing like this: 1 of 50 files"):
        get(out)
    assert len(scan(out).table) == 49


def test_it_stops_while_figshare_is_silent(figshare, out):
    """In the middle of an image, at once; then it goes on."""

    def watch():
        if len(figshare.ranges_asked()) > 12:
            figshare.drip = 20
            request_stop(out)

    figshare.watch, began = watch, time.monotonic()
    assert get(out).state == "interrupted"
    assert time.monotonic() - began < 10
    figshare.watch, figshare.drip = lambda: None, 0
    assert get(out).state == "complete"


@pytest.mark.parametrize("ranges", [True, False])
def test_everything_comes_from_the_whole_zip(figshare, files, out, ranges):
    """All images are asked for by one request, whatever the server knows of ranges; the zip does not stay."""
    figshare.ranges = ranges
    get(out, order(images=0))
    assert len(images(out)) == 240
    assert images(out) == right(files, images(out))
    assert figshare.ranges_asked() == [""]
    assert not list(out.rglob("*.zip"))
    assert len(scan(out).table) == 240


def test_without_ranges_nothing_large_is_fetched(figshare, out):
    """The sentence says how large the whole is and how to get it; ``--whole`` then does, in the same folder."""
    figshare.ranges = False
    with pytest.raises(
        FetchError, match=r"the whole of it is .*add --whole .*https://doi\.org/\S+ and then: python -m"
    ):
        get(out)
    assert len(figshare.ranges_asked()) == 1
    assert not (out / "images").exists()
    assert get(out, order(images=50, whole=True)).state == "complete"
    assert len(images(out)) == 50


@pytest.mark.parametrize(
    "fault",
    [
        Answer(403),
        Answer(429, headers={"Retry-After": "0"}),
        Answer(500),
        Answer(206, b"x" * 1000, {"Content-Range": "bytes 0-999999/1000000"}, cut=1000),
        Answer(206, b"x" * 1000, {"Content-Range": "bytes nonsense"}),
        Answer(206, b"x" * 100_000, {"Content-Range": "bytes 0-99999/1000000"}),
    ],
)
@pytest.mark.parametrize("place", [0, 12])
def test_what_fails_once_comes_in_the_end(figshare, files, out, fault, place):
    """In the table of contents or in an image."""
    figshare.watch = lambda: len(figshare.ranges_asked()) == place + 1 and figshare.faults.append(fault)
    get(out)
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Answer(404), r"figshare refuses .*\(404\)"),
        (Answer(503), r"problem of its own \(503\)\. Gave up after 4 attempts"),
        (Answer(206, b"x" * 100_000, {"Content-Range": "bytes 0-99999/1000000"}), "damaged|another part"),
    ],
)
def test_what_always_fails_is_one_sentence(figshare, out, fault, words):
    """After a bounded number of requests."""
    figshare.faults.extend([fault] * 100)
    with pytest.raises(FetchError, match=words):
        get(out)
    assert len(figshare.ranges_asked()) <= 16
    assert find_import(out).state == "interrupted"


def test_a_damaged_image_is_not_let_in(figshare, out):
    """The zip's check sums are looked at."""
    content = bytearray(figshare.archive)
    at = content.index(b"FracAtlas/images/") + 400
    for place in range(at, at + 10_000, 300):
        content[place] ^= 0xFF
    figshare.archive = bytes(content)
    with pytest.raises(FetchError, match="damaged"):
        get(out, order(images=240))
    names = {path.name for path in (out / "images").glob("*")}
    assert names < {f"IMG{number:07d}.jpg" for number in range(250)}


@pytest.mark.parametrize(
    ("article", "words"),
    [
        (b"{}", "names no zip"),
        (b"<html>", "names no zip"),
        (b'{"files": [{"name": "a.txt", "size": 1}]}', "names no zip"),
    ],
)
def test_an_article_without_a_zip(figshare, out, monkeypatch, article, words):
    """The sentence says what to do by hand."""
    monkeypatch.setattr(figshare, "_answer", lambda _: Answer(body=article))
    with pytest.raises(FetchError, match=words):
        get(out)


@pytest.mark.parametrize(
    "lacking", ["FracAtlas/dataset.csv", "FracAtlas/Annotations/COCO JSON/COCO_fracture_masks.json"]
)
def test_a_zip_without_its_tables(files, monkeypatch, out, lacking):
    """Nothing is written of it."""
    archive = zip_of({name: content for name, content in files.items() if name != lacking})
    with Figshare(archive) as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
        with pytest.raises(FetchError, match="must hold a file"):
            get(out)
    assert not (out / "images").exists()


def test_no_internet_is_one_sentence(out, monkeypatch):
    """Where nobody listens."""
    with Figshare(b"") as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
    with pytest.raises(FetchError, match="figshare cannot be reached: is there a connection"):
        get(out)


def test_a_sample_is_of_whole_blocks():
    """All but one block are whole, both classes are there, and the share of fractures is about that of all."""
    rows = rows_of(range(4000))
    shares = []
    for seed in range(20):
        picked = draw_sample(rows, 210, seed)
        numbers = picked["image_id"].str[3:10].astype(int)
        sizes = (numbers // 25).value_counts()
        assert len(picked) == picked["image_id"].nunique() == 210
        assert sorted(sizes)[1:] == [25] * 8
        assert sorted(sizes)[0] == 10
        shares.append((picked["fractured"] == "1").mean())
    whole = (rows["fractured"] == "1").mean()
    assert all(abs(share - whole) < 0.01 for share in shares)


@pytest.mark.parametrize("images", [10, 25, 37, 240, 1000, 0])
def test_samples_of_all_sizes_have_both_classes(images):
    """From a part of one block to everything."""
    rows = rows_of(number for number in range(250) if number % 25 != 7)
    for seed in range(10):
        picked = draw_sample(rows, images, seed)
        assert len(picked) == min(images or 240, 240)
        assert set(picked["fractured"]) == {"0", "1"}


def test_boxes_are_read_from_coco():
    """In our own words, several to an image."""
    coco = {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "bbox": [1, 2, 3.25, 4]}] * 2}
    assert read_boxes(coco) == {"a.jpg": "1 2 3.25 4;1 2 3.25 4"}


@pytest.mark.parametrize("box", [[float("nan"), 2, 3, 4], [1, float("inf"), 3, 4], [1, 2, -3, 4], ["a", 2, 3, 4]])
def test_boxes_that_are_none_are_refused(files, monkeypatch, out, box):
    """Before anything is written, and not by whoever reads the data set later."""
    name = next(name for name in files if name.endswith("COCO_fracture_masks.json"))
    coco = json.loads(files[name])
    coco["annotations"][0]["bbox"] = box
    with Figshare(zip_of({**files, name: json.dumps(coco).encode()})) as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
        with pytest.raises(FetchError, match=r"tables are not as expected.*nothing was written"):
            get(out)
    assert not (out / "images").exists()


def test_an_order_has_limits(homes):
    """What is out of range is said with what was allowed."""
    assert default_folder(order()) == homes / "data" / "FracAtlas-200-seed1"
    assert default_folder(order(images=0)) == homes / "data" / "FracAtlas"
    with pytest.raises(FetchError, match=r"10 or more, or 0 for all\. Received: 3"):
        order(images=3)
    with pytest.raises(FetchError, match="seed must be"):
        order(seed=-1)


def test_a_process_of_its_own_does_it(figshare, out):
    """With the same choices, told by its command line."""
    start(out, order(images=30, seed=3, whole=True))
    ended = wait(lambda: (found := find_import(out)) and not found.active and found)
    assert (ended.state, ended.error) == ("complete", None)
    assert (ended.order, ended.order.how) == (order(images=30, seed=3), {"whole": True})
    assert len(images(out)) == 30


def test_the_command_line_tells_people(figshare, homes, capsys):
    """And programs."""
    assert main(["import-fracatlas", "--images", "12", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "root": str(homes / "data" / "FracAtlas-12-seed1"), "state": "complete", "images": 12, "seed": 1,
        "files": 12, "total_files": 12, "bytes": said["bytes"],
    }  # fmt: skip
    assert main(["import-fracatlas", "--images", "all"]) == 0
    assert "complete: 240 of 240 files" in capsys.readouterr().out
    assert main(["import-fracatlas", "--images", "5"]) == 1
    assert "Received: 5" in capsys.readouterr().err
