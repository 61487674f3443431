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
from fracture.importers.fracatlas import default_folder, draw_sample, import_fracatlas, order, read_boxes
from fracture.importers.http import RateLimiter
from fracture.importers.job import find_import, request_stop, start
from tests.support.servers import Figshare, Response, zip_of
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


def run_import(root, wanted=None, **options):
    limiter = RateLimiter(attempts=4, first_wait=0.001, interval=0)
    return import_fracatlas(root, wanted or order(images=50), **{"limiter": limiter, **options})


def images(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "images").glob("*")}


def right(files, names) -> dict[str, bytes]:
    known = {name.rsplit("/", 1)[-1]: content for name, content in files.items()}
    return {name: known[name] for name in names}


@pytest.mark.slow
def test_import_fracatlas_of_a_sample_reads_images_by_range(figshare, files, out):
    """The requested number of images comes unchanged, for a fraction of the zip, and is read as a data set."""
    ended = run_import(out)
    assert ended.state == find_import(out).state == "complete"
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50
    assert all(figshare.requested_ranges())
    assert figshare.bytes_sent < len(figshare.archive) / 3
    found = scan(out)
    assert (found.layout, found.label_names) == ("dataset.csv", ("not fractured", "fractured"))
    assert len(found.table) == 50
    assert set(found.table["width"]) == {20}
    assert set(found.table["height"]) == {30}
    assert all(Path(path).is_file() for path in found.table["path"])
    assert found.sources[0].name == "FracAtlas"


def test_import_fracatlas_writes_boxes_of_fractures(figshare, out):
    """An image with a fracture gets all its boxes from the annotations, and other images get none."""
    run_import(out)
    table = scan(out).table.set_index("image_id")
    assert all((table["boxes"] != "") == (table["label"] == 1))
    boxes = set(table.loc[(table["label"] == 1) & (table.index != "IMG0000000.jpg"), "boxes"])
    assert boxes == {"1.5 2 3 4"}


@pytest.mark.slow
def test_import_fracatlas_writes_the_license(figshare, out):
    """The license names the authors, the terms and the number of images."""
    run_import(out)
    license_text = (out / "LICENCE.txt").read_text()
    assert "CC BY 4.0" in license_text
    assert "Abedeen" in license_text
    assert "50 of its images" in license_text


@pytest.mark.slow
def test_import_fracatlas_with_the_same_seed_draws_the_same_sample(figshare, tmp_path):
    """The same seed draws the same sample, and another seed another one."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_import(tmp_path / name, order(images=30, seed=seed))
    assert images(tmp_path / "a") == images(tmp_path / "b") != images(tmp_path / "c")


def test_import_fracatlas_after_a_stop_resumes(figshare, files, out):
    """A stop leaves a data set of the images present, and a second run requests only the missing ones."""
    figshare.on_request = lambda: len(figshare.requested_ranges()) > 20 and request_stop(out)
    stopped = run_import(out)
    assert stopped.state == "interrupted"
    there = images(out)
    before = len(figshare.requested_ranges())
    assert 0 < len(there) < 50
    assert len(pd.read_csv(out / "dataset.csv")) == len(there)
    figshare.on_request = lambda: None
    assert run_import(out).state == "complete"
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50
    assert len(figshare.requested_ranges()) - before == 50 - len(there) + 1  # and the zip's table of contents


@pytest.mark.slow
def test_import_fracatlas_when_complete_sends_no_request(figshare, out):
    """A second run of a complete import sends no request, and brings back an image that was deleted."""
    run_import(out)
    there = images(out)
    before = len(figshare.requests)
    run_import(out)
    assert len(figshare.requests) == before
    next((out / "images").iterdir()).unlink()
    run_import(out)
    assert images(out) == there


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["", "x", "image_id\nIMG0000001.jpg\n", "image_id,size,boxes\na,b,c\n"])
def test_import_fracatlas_with_a_damaged_plan_makes_a_new_one(figshare, out, plan):
    """The list of images that an earlier run wrote is replaced where it is damaged."""
    run_import(out)
    there = images(out)
    next((out / "images").iterdir()).unlink()
    (out / ".import" / "plan.csv").write_text(plan)
    assert run_import(out).state == "complete"
    assert images(out) == there


@pytest.mark.slow
def test_import_fracatlas_with_an_image_missing_in_the_zip_names_it(figshare, out):
    """All other images come, and the message names the missing one."""
    run_import(out)
    plan = out / ".import" / "plan.csv"
    plan.write_text(plan.read_text().replace("FracAtlas/images/", "FracAtlas/elsewhere/", 1))
    (out / "images" / pd.read_csv(plan)["image_id"][0]).unlink()
    with pytest.raises(FetchError, match=r"figshare holds no .*Missing: 1 of 50 files"):
        run_import(out)
    assert len(scan(out).table) == 49


@pytest.mark.slow
def test_import_fracatlas_stopped_while_figshare_is_silent_ends_at_once(figshare, out):
    """A stop in the middle of an image ends the import at once, and a second run completes it."""

    def watch():
        if len(figshare.requested_ranges()) > 12:
            figshare.byte_delay = 20
            request_stop(out)

    figshare.on_request = watch
    began = time.monotonic()
    assert run_import(out).state == "interrupted"
    assert time.monotonic() - began < 10
    figshare.on_request = lambda: None
    figshare.byte_delay = 0
    assert run_import(out).state == "complete"


@pytest.mark.parametrize("ranges", [True, False])
def test_import_fracatlas_of_all_images_downloads_the_whole_zip(figshare, files, out, ranges):
    """All images come by one request for the whole zip, which is deleted afterwards."""
    figshare.ranges = ranges
    run_import(out, order(images=0))
    assert len(images(out)) == 240
    assert images(out) == right(files, images(out))
    assert figshare.requested_ranges() == [""]
    assert not list(out.rglob("*.zip"))
    assert len(scan(out).table) == 240


def test_import_fracatlas_without_ranges_suggests_the_whole_zip(figshare, out):
    """The message tells the size of the zip and the option ``--whole``, which then works in the same folder."""
    figshare.ranges = False
    with pytest.raises(
        FetchError, match=r"the whole of it is .*add --whole .*https://doi\.org/\S+ and then: python -m"
    ):
        run_import(out)
    assert len(figshare.requested_ranges()) == 1
    assert not (out / "images").exists()
    assert run_import(out, order(images=50, whole=True)).state == "complete"
    assert len(images(out)) == 50


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        Response(403),
        Response(429, headers={"Retry-After": "0"}),
        Response(500),
        Response(206, b"x" * 1000, {"Content-Range": "bytes 0-999999/1000000"}, cut_after=1000),
        Response(206, b"x" * 1000, {"Content-Range": "bytes nonsense"}),
        Response(206, b"x" * 100_000, {"Content-Range": "bytes 0-99999/1000000"}),
    ],
)
@pytest.mark.parametrize("place", [0, 12])
def test_import_fracatlas_after_one_failure_succeeds(figshare, files, out, fault, place):
    """A request that fails once, for the table of contents or for an image, is repeated."""
    figshare.on_request = lambda: len(figshare.requested_ranges()) == place + 1 and figshare.faults.append(fault)
    run_import(out)
    assert images(out) == right(files, images(out))
    assert len(images(out)) == 50


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Response(404), r"figshare refuses .*\(404\)"),
        (Response(503), r"problem of its own \(503\)\. Gave up after 4 attempts"),
        (Response(206, b"x" * 100_000, {"Content-Range": "bytes 0-99999/1000000"}), "damaged|another part"),
    ],
)
def test_import_fracatlas_with_a_failing_server_gives_up(figshare, out, fault, words):
    """After a bounded number of requests, one sentence tells what fails."""
    figshare.faults.extend([fault] * 100)
    with pytest.raises(FetchError, match=words):
        run_import(out)
    assert len(figshare.requested_ranges()) <= 16
    assert find_import(out).state == "interrupted"


@pytest.mark.slow
def test_import_fracatlas_with_a_damaged_image_refuses_it(figshare, out):
    """An image whose checksum in the zip is wrong is not kept."""
    content = bytearray(figshare.archive)
    at = content.index(b"FracAtlas/images/") + 400
    for place in range(at, at + 10_000, 300):
        content[place] ^= 0xFF
    figshare.archive = bytes(content)
    with pytest.raises(FetchError, match="damaged"):
        run_import(out, order(images=240))
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
def test_import_fracatlas_with_an_article_without_a_zip_raises(figshare, out, monkeypatch, article, words):
    """An answer of figshare that names no zip is an error."""
    monkeypatch.setattr(figshare, "_respond", lambda _: Response(body=article))
    with pytest.raises(FetchError, match=words):
        run_import(out)


@pytest.mark.parametrize(
    "lacking", ["FracAtlas/dataset.csv", "FracAtlas/Annotations/COCO JSON/COCO_fracture_masks.json"]
)
def test_import_fracatlas_with_a_zip_without_tables_writes_nothing(files, monkeypatch, out, lacking):
    """A zip without its tables is an error, and no image is written."""
    archive = zip_of({name: content for name, content in files.items() if name != lacking})
    with Figshare(archive) as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
        with pytest.raises(FetchError, match="must hold a file"):
            run_import(out)
    assert not (out / "images").exists()


def test_import_fracatlas_without_a_connection_raises(out, monkeypatch):
    """Where no server listens, the message asks about the connection to the internet."""
    with Figshare(b"") as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
    with pytest.raises(FetchError, match="figshare cannot be reached: is there a connection"):
        run_import(out)


def test_draw_sample_takes_whole_blocks():
    """All but one block are whole, and the share of fractures is about that of all images."""
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
def test_draw_sample_of_any_size_has_both_classes(images):
    """A sample has both classes, whether it is a part of one block or everything."""
    rows = rows_of(number for number in range(250) if number % 25 != 7)
    for seed in range(10):
        picked = draw_sample(rows, images, seed)
        assert len(picked) == min(images or 240, 240)
        assert set(picked["fractured"]) == {"0", "1"}


def test_read_boxes_with_several_in_one_image_joins_them():
    """The boxes of one image become one text."""
    coco = {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "bbox": [1, 2, 3.25, 4]}] * 2}
    assert read_boxes(coco) == {"a.jpg": "1 2 3.25 4;1 2 3.25 4"}


@pytest.mark.parametrize("box", [[float("nan"), 2, 3, 4], [1, float("inf"), 3, 4], [1, 2, -3, 4], ["a", 2, 3, 4]])
def test_import_fracatlas_with_an_impossible_box_writes_nothing(files, monkeypatch, out, box):
    """A box that a reader of the data set would refuse is an error before anything is written."""
    name = next(name for name in files if name.endswith("COCO_fracture_masks.json"))
    coco = json.loads(files[name])
    coco["annotations"][0]["bbox"] = box
    with Figshare(zip_of({**files, name: json.dumps(coco).encode()})) as server:
        monkeypatch.setenv("FRACTURE_FIGSHARE", server.url)
        with pytest.raises(FetchError, match=r"tables are not as expected.*nothing was written"):
            run_import(out)
    assert not (out / "images").exists()


def test_order_of_fracatlas_out_of_range_raises(homes):
    """Values out of range are refused with the allowed ones, and the folder is named by the choices."""
    assert default_folder(order()) == homes / "data" / "FracAtlas-200-seed1"
    assert default_folder(order(images=0)) == homes / "data" / "FracAtlas"
    with pytest.raises(FetchError, match=r"10 or more, or 0 for all\. Received: 3"):
        order(images=3)
    with pytest.raises(FetchError, match="seed must be"):
        order(seed=-1)


@pytest.mark.slow
def test_start_of_fracatlas_imports_in_the_background(figshare, out):
    """A background process makes the import with the same choices."""
    start(out, order(images=30, seed=3, whole=True))
    ended = wait(lambda: (found := find_import(out)) and not found.active and found)
    assert (ended.state, ended.error) == ("complete", None)
    assert (ended.order, ended.order.how) == (order(images=30, seed=3), {"whole": True})
    assert len(images(out)) == 30


@pytest.mark.slow
def test_command_import_fracatlas_prints_the_result(figshare, homes, capsys):
    """The command prints JSON for programs, a sentence for people, and one for a wrong value."""
    assert main(["import-fracatlas", "--images", "12", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "root": str(homes / "data" / "FracAtlas-12-seed1"), "state": "complete", "images": 12, "seed": 1,
        "files": 12, "total_files": 12, "bytes": printed["bytes"],
    }  # fmt: skip
    assert main(["import-fracatlas", "--images", "all"]) == 0
    assert "complete: 240 of 240 files" in capsys.readouterr().out
    assert main(["import-fracatlas", "--images", "5"]) == 1
    assert "Received: 5" in capsys.readouterr().err
