"""A zip that somebody has."""

import io
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.errors import Cancelled, FetchError
from fracture.importers import zip_checks, zip_file
from fracture.importers.zip_file import default_folder, unpack
from tests.hostile.dicoms import dicom
from tests.hostile.pictures import RAMP, encoded
from tests.support.drawing import draw_mura
from tests.support.servers import zip_of


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> dict[str, bytes]:
    """Two body parts in MURA's tree, by path."""
    root = tmp_path_factory.mktemp("mura")
    for number, part in enumerate(("XR_HUMERUS", "XR_HAND")):
        draw_mura(root, 4, 2, size=40, seed=number, body_part=part, truth=part == "XR_HUMERUS")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "home" / "out"


def zipped(tmp_path: Path, files: dict[str, bytes], name: str = "data.zip") -> Path:
    (tmp_path / name).write_bytes(zip_of(files))
    return tmp_path / name


def below(prefix: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {prefix + name: content for name, content in files.items()}


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def nothing_is_left(out: Path) -> bool:
    """Neither the folder, nor anything beside it but a lock."""
    left = [path.name for path in out.parent.iterdir()] if out.parent.exists() else []
    return set(left) <= {".unpacking.lock"}


@pytest.mark.parametrize("prefix", ["", "MURA-v1.1/", "some folder/MURA-v1.1/"])
def test_unpack_of_a_mura_tree_keeps_images_and_lists(tmp_path, out, images, prefix):
    """Images and lists come without outer folders, and hidden or other files do not."""
    rubbish = {
        "__MACOSX/train/._image1.png": b"",
        ".DS_Store": b"",
        "notes.txt": b"mine",
        "run.sh": b"",
        "a/b.csv": b"",
    }
    unpacked = unpack(zipped(tmp_path, below(prefix, images) | below(prefix, rubbish)), out)
    assert contents(out) == images
    assert (unpacked.root, unpacked.layout, unpacked.files) == (out, "MURA", len(images))
    assert unpacked.images == len(scan(out).table) == len(images) - 1
    assert unpacked.bytes == sum(map(len, images.values()))
    assert stat.S_IMODE(out.stat().st_mode) & stat.S_IRUSR


def test_unpack_of_one_body_part_leaves_the_others(tmp_path, out, images):
    """Only the chosen body part comes, and an unknown one is refused with those in the zip."""
    file = zipped(tmp_path, below("MURA-v1.1/", images))
    unpack(file, out, "hand")
    assert set(scan(out).table["body_part"]) == {"XR_HAND"}
    with pytest.raises(FetchError, match=r"one of those in the zip \(XR_HAND, XR_HUMERUS\)\. Received: XR_WRIST"):
        unpack(file, out.with_name("other"), "XR_WRIST")


def test_unpack_of_a_part_of_a_mura_tree_keeps_meaningful_folders(tmp_path, out, images):
    """A zip of a single body part keeps the folder that names it."""
    part = {
        name.removeprefix("train/"): content for name, content in images.items() if name.startswith("train/XR_HAND")
    }
    unpack(zipped(tmp_path, part), out)
    assert set(scan(out).table["body_part"]) == {"XR_HAND"}


def test_unpack_of_class_folders_keeps_them(tmp_path, out, images):
    """Class folders come without the folder around them."""
    some = list(images.values())[:6]
    files = {f"bones/{('normal', 'abnormal')[number % 2]}/{number}.png": content for number, content in enumerate(some)}
    unpack(zipped(tmp_path, files), out)
    assert {path.name for path in out.iterdir()} == {"normal", "abnormal"}
    assert scan(out).layout == "class folders"


@pytest.mark.parametrize(
    ("lists", "layout"),
    [
        ({"set/list.csv": b"file,label,class\n0.png,x,y\n1.png,y,x\n"}, "table"),
        ({"set/data.yaml": b"names: [fracture]", "set/labels/0.txt": b"0 0.5 0.5 0.1 0.1\n"}, "classes of boxes"),
    ],
)
def test_unpack_of_tables_and_boxes_keeps_them(tmp_path, out, images, lists, layout):
    """Where folders say nothing, lists come along; what this project writes about its jobs does not."""
    picture = next(content for name, content in images.items() if name.endswith(".png"))
    files = {"set/images/0.png": picture, "set/images/1.png": picture, **lists}
    unpacked = unpack(zipped(tmp_path, {**files, "set/import.json": b"{}", "set/.x.csv": b""}), out)
    assert (unpacked.layout, unpacked.images, unpacked.files) == (layout, 2, len(files))
    assert contents(out) == {name.removeprefix("set/"): content for name, content in files.items()}


def test_unpack_of_a_table_with_images_keeps_both(tmp_path, out, images):
    """FracAtlas comes with its table and its images alone."""
    picture = next(content for name, content in images.items() if name.endswith(".png"))
    table = b"image_id,fractured\nIMG0000001.png,0\nIMG0000040.png,1\n"
    files = {
        "FracAtlas/images/Non_fractured/IMG0000001.png": picture,
        "FracAtlas/images/Fractured/IMG0000040.png": picture,
        "FracAtlas/dataset.csv": table,
        "FracAtlas/Utilities/train.csv": b"x",
    }
    unpacked = unpack(zipped(tmp_path, files), out)
    assert (unpacked.layout, unpacked.images, unpacked.files) == ("dataset.csv", 2, 3)
    assert set(contents(out)) == {name.removeprefix("FracAtlas/") for name in files if "Utilities" not in name}


def test_unpack_of_an_open_file_works(out, images):
    """An upload, an open file without a path, is unpacked like a file."""
    unpack(io.BytesIO(zip_of(images)), out)
    assert contents(out) == images


def odd_zip(tmp_path, images, change) -> Path:
    """A good zip with one more entry."""
    file = tmp_path / "odd.zip"
    file.write_bytes(zip_of(images))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        change(archive)
    return file


def entry(name, content=b"x", mode=0o644, kind=stat.S_IFREG):
    def write(archive):
        info = zipfile.ZipInfo("x")
        info.filename = name
        info.external_attr = (kind | mode) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)

    return write


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (entry("../up.png"), "must lie below its folder"),
        (entry("train/../../up.png"), "must lie below its folder"),
        (entry("/etc/cron.d/up.png"), "must lie below its folder"),
        (entry("C:/up.png"), "must lie below its folder"),
        (entry("..\\up.png"), "must lie below its folder"),
        (entry("../up.txt"), "must lie below its folder"),
        (entry("link.png", b"/etc/passwd", kind=stat.S_IFLNK), "no links or devices"),
        (entry("link", b"/etc", kind=stat.S_IFLNK), "no links or devices"),
        (entry("pipe.png", kind=stat.S_IFIFO), "no links or devices"),
        (entry("large.png", bytes(5_000_000)), "may become 100 times larger when unpacked.*to 5.0 MB"),
        (entry("train/XR_HUMERUS/patient00001/study1_negative/IMAGE1.png"), "several files of the same name"),
    ],
)
def test_unpack_of_an_unsafe_entry_writes_nothing(tmp_path, out, images, change, words):
    """An entry that leads out, is a link or a zip bomb is refused, and nothing is written anywhere."""
    with pytest.raises(FetchError, match=words):
        unpack(odd_zip(tmp_path, images, change), out)
    assert nothing_is_left(out)
    assert not list(tmp_path.rglob("up.*"))


def test_unpack_of_an_encrypted_zip_raises(tmp_path, out, images):
    """An encrypted entry is refused with what to do."""
    content = bytearray(zip_of(images))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark)
        content[at + offset] |= 1
    (tmp_path / "locked.zip").write_bytes(content)
    with pytest.raises(FetchError, match=r"must not be encrypted.*zip it without"):
        unpack(tmp_path / "locked.zip", out)


def test_unpack_of_another_compression_raises(tmp_path, out, images):
    """A compression other than deflate is refused before a decoder runs."""
    (tmp_path / "lzma.zip").write_bytes(zip_of(images, zipfile.ZIP_LZMA))
    with pytest.raises(FetchError, match="must use deflate"):
        unpack(tmp_path / "lzma.zip", out)


def test_unpack_above_the_limit_writes_nothing(tmp_path, out, images):
    """A zip whose stated sizes are above the limit is refused before anything is written."""
    file = zipped(tmp_path, images)
    with pytest.raises(FetchError, match=r"may have 5\.0 kB in all"):
        unpack(file, out, limit=5000)
    assert nothing_is_left(out)


def test_unpack_on_a_full_disk_checks_the_stated_sizes(tmp_path, out, images, monkeypatch):
    """The disk space is checked for the sum of the stated sizes."""
    monkeypatch.setattr(
        zip_checks, "check_space", lambda _, size: (nothing for nothing in ()).throw(FetchError(f"{size}"))
    )
    with pytest.raises(FetchError, match=str(sum(map(len, images.values())))):
        unpack(zipped(tmp_path, images), out)


def test_unpack_with_wrong_sizes_stops_at_the_limit(tmp_path, out, images, monkeypatch):
    """The bytes are counted while unpacking, and nothing is left of a zip that has too many."""
    monkeypatch.setattr(zip_file, "check_sizes", lambda *_: None)
    with pytest.raises(FetchError, match="may have"):
        unpack(zipped(tmp_path, images), out, limit=5000)
    assert nothing_is_left(out)


def test_unpack_of_an_entry_larger_than_stated_raises(tmp_path, out, images):
    """An entry that holds more than it states is damage, and nothing is left."""
    content = bytearray(zip_of(images, zipfile.ZIP_STORED))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    (tmp_path / "lie.zip").write_bytes(content)
    with pytest.raises(FetchError, match="damaged"):
        unpack(tmp_path / "lie.zip", out)
    assert nothing_is_left(out)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"readme.txt": b"hello"}, "must hold images .* Received: 1 other entries"),
        ({}, "must hold images"),
        ({"a.png": b"x", "b.png": b"x"}, "upload.zip must be one of: MURA's tree"),
        ({"normal/a.png": b"x"}, "two classes"),
    ],
)
def test_unpack_of_no_data_set_raises(tmp_path, out, files, words):
    """The message tells what was allowed and what came, and names the zip."""
    with pytest.raises(FetchError, match=words) as error:
        unpack(zipped(tmp_path, files, "upload.zip"), out)
    assert ".unpacking" not in str(error.value)
    assert nothing_is_left(out)


def test_unpack_of_a_damaged_zip_leaves_nothing(tmp_path, out, images):
    """A zip that was cut off or has wrong bytes is either complete after all, or refused without a folder left."""
    content = zip_of(images)
    chance = random.Random(0)
    damaged = [content[:length] for length in (0, 10, 1000, len(content) // 2, len(content) - 30)]
    for _ in range(60):
        other = bytearray(content)
        for _ in range(3):
            other[chance.randrange(len(other))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(other))
    refused = 0
    for number, bad in enumerate(damaged):
        target = out.with_name(f"out{number}")
        (tmp_path / "bad.zip").write_bytes(bad)
        try:
            unpack(tmp_path / "bad.zip", target)
        except FetchError:
            refused += 1
            assert not target.exists()
    assert refused >= 30
    assert not list(tmp_path.rglob("*.unpacking"))


@pytest.mark.parametrize("upload", [True, False])
def test_unpack_with_offsets_before_the_beginning_raises(tmp_path, out, images, upload):
    """A zip with impossible offsets is refused, whether it is a file or an upload."""
    content = bytearray(zip_of(images))
    offset = slice(len(content) - 6, len(content) - 2)
    content[offset] = (int.from_bytes(content[offset], "little") + 1000).to_bytes(4, "little")
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(FetchError, match="Nothing was kept of it"):
        unpack(io.BytesIO(content) if upload else tmp_path / "bad.zip", out)
    assert nothing_is_left(out)


def test_unpack_of_a_deep_tree_removes_outer_folders(tmp_path, out, images):
    """Any number of outer folders is removed."""
    unpack(zipped(tmp_path, below("a/" * 2000, images)), out)
    assert contents(out) == images


def test_unpack_into_an_impossible_folder_raises(tmp_path, images):
    """The message holds the reason of the operating system."""
    with pytest.raises(FetchError, match=r"cannot be unpacked into .*: File name too long"):
        unpack(zipped(tmp_path, images), tmp_path / ("x" * 300))


def test_unpack_into_a_folder_in_use_raises(tmp_path, out, images):
    """An empty folder is used, one with content is not, and one zip is unpacked at a time."""
    file = zipped(tmp_path, images)
    out.mkdir(parents=True)
    unpack(file, out)
    with pytest.raises(FetchError, match="which holds something already"):
        unpack(file, out)
    assert contents(out) == images
    with (
        zip_file.FileLock(out.parent / ".unpacking.lock"),
        pytest.raises(FetchError, match="Another zip is being unpacked"),
    ):
        unpack(file, out.with_name("other"))
    with pytest.raises(FetchError, match=r"cannot be unpacked into .*: No such file"):
        unpack(tmp_path / "none.zip", out.with_name("other"))


def test_unpack_reports_progress_and_stops(tmp_path, out, images):
    """The last report is complete, and a stop leaves nothing behind."""
    reports = []
    unpack(zipped(tmp_path, images), out, on_progress=reports.append)
    assert (reports[0].files, reports[0].total_files) == (0, len(images))
    assert (reports[-1].files, reports[-1].bytes) == (len(images), sum(map(len, images.values())))
    answers = iter([False] * 5 + [True])
    with pytest.raises(Cancelled):
        unpack(tmp_path / "data.zip", out.with_name("other"), should_stop=lambda: next(answers))
    assert {path.name for path in out.parent.iterdir()} <= {"out", ".unpacking.lock"}


def test_unpack_after_a_killed_process_deletes_its_folder(tmp_path, out, images):
    """The temporary folder of a killed process is deleted."""
    beside = out.with_name(f".{out.name}.unpacking")
    (beside / "train").mkdir(parents=True)
    (beside / "train" / "half.png").write_bytes(b"half")
    unpack(zipped(tmp_path, images), out)
    assert contents(out) == images
    assert not beside.exists()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("train.zip", "train-unpacked"), ("Valid.ZIP", "Valid-unpacked"), ("trains.zip", "trains"), ("..zip", "unpacked")],
)
def test_default_folder_of_a_zip_is_never_a_split(homes, name, folder):
    """The folder has the zip's name, unless that is the name of a split."""
    assert default_folder(name) == homes / "data" / folder


def test_command_import_zip_unpacks(tmp_path, homes, images, capsys):
    """The command unpacks into a folder of the zip's name or a chosen one, and refuses one with content."""
    file = zipped(tmp_path, images, "my bones (1).zip")
    assert default_folder(file) == homes / "data" / "my-bones-1"
    assert main(["import-zip", str(file), "--body-part", "humerus"]) == 0
    assert "images" in capsys.readouterr().out
    assert set(scan("my-bones-1").table["body_part"]) == {"XR_HUMERUS"}
    assert main(["import-zip", str(file)]) == 1
    assert "which holds something already" in capsys.readouterr().err
    assert main(["import-zip", str(file), "--out", str(tmp_path / "other"), "--json"]) == 0
    assert '"layout": "MURA"' in capsys.readouterr().out


def test_unpack_keeps_dicom_without_ending(tmp_path, out):
    """By content; other files without ending stay in the zip."""
    image = dicom(RAMP)
    names = [f"{label}/IM{number}" for label in ("normal", "abnormal") for number in range(2)]
    files = {**dict.fromkeys(names, image), "normal/README": b"words", "normal/scan.tif": encoded(RAMP, "TIFF")}
    unpacked = unpack(zipped(tmp_path, files), out)
    assert unpacked.images == 5
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {*names, "normal/scan.tif"}
