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
def test_a_mura_zip_becomes_a_data_set(tmp_path, out, images, prefix):
    """With or without folders around it; its lists come, and what systems leave behind does not."""
    rubbish = {
        "__MACOSX/train/._image1.png": b"",
        ".DS_Store": b"",
        "notes.txt": b"mine",
        "run.sh": b"",
        "a/b.csv": b"",
    }
    said = unpack(zipped(tmp_path, below(prefix, images) | below(prefix, rubbish)), out)
    assert contents(out) == images
    assert (said.root, said.layout, said.files) == (out, "MURA", len(images))
    assert said.images == len(scan(out).table) == len(images) - 1
    assert said.bytes == sum(map(len, images.values()))
    assert stat.S_IMODE(out.stat().st_mode) & stat.S_IRUSR


def test_one_body_part_is_enough(tmp_path, out, images):
    """Of a whole MURA only what is wanted; another one that is not there is said with those that are."""
    file = zipped(tmp_path, below("MURA-v1.1/", images))
    unpack(file, out, "hand")
    assert set(scan(out).table["body_part"]) == {"XR_HAND"}
    with pytest.raises(FetchError, match=r"one of those in the zip \(XR_HAND, XR_HUMERUS\)\. Received: XR_WRIST"):
        unpack(file, out.with_name("other"), "XR_WRIST")


def test_a_part_of_a_tree_keeps_what_its_folders_say(tmp_path, out, images):
    """A zip of a single body part, from that folder on."""
    part = {
        name.removeprefix("train/"): content for name, content in images.items() if name.startswith("train/XR_HAND")
    }
    unpack(zipped(tmp_path, part), out)
    assert set(scan(out).table["body_part"]) == {"XR_HAND"}


def test_class_folders_become_a_data_set(tmp_path, out, images):
    """Below a folder that says nothing."""
    some = list(images.values())[:6]
    files = {f"bones/{('normal', 'abnormal')[number % 2]}/{number}.png": content for number, content in enumerate(some)}
    unpack(zipped(tmp_path, files), out)
    assert {path.name for path in out.iterdir()} == {"normal", "abnormal"}
    assert scan(out).layout == "class folders"


def test_a_table_with_images_becomes_a_data_set(tmp_path, out, images):
    """As FracAtlas comes, with what it has besides."""
    picture = next(content for name, content in images.items() if name.endswith(".png"))
    table = b"image_id,fractured\nIMG0000001.png,0\nIMG0000040.png,1\n"
    files = {
        "FracAtlas/images/Non_fractured/IMG0000001.png": picture,
        "FracAtlas/images/Fractured/IMG0000040.png": picture,
        "FracAtlas/dataset.csv": table,
        "FracAtlas/Utilities/train.csv": b"x",
    }
    said = unpack(zipped(tmp_path, files), out)
    assert (said.layout, said.images, said.files) == ("dataset.csv", 2, 3)
    assert set(contents(out)) == {name.removeprefix("FracAtlas/") for name in files if "Utilities" not in name}


def test_an_upload_is_as_good_as_a_file(out, images):
    """An open file without a path."""
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
def test_a_zip_that_no_honest_person_makes(tmp_path, out, images, change, words):
    """Nothing of it is written anywhere."""
    with pytest.raises(FetchError, match=words):
        unpack(odd_zip(tmp_path, images, change), out)
    assert nothing_is_left(out)
    assert not list(tmp_path.rglob("up.*"))


def test_an_encrypted_zip_is_refused(tmp_path, out, images):
    """With what to do."""
    content = bytearray(zip_of(images))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark)
        content[at + offset] |= 1
    (tmp_path / "locked.zip").write_bytes(content)
    with pytest.raises(FetchError, match=r"must not be encrypted.*zip it without"):
        unpack(tmp_path / "locked.zip", out)


def test_other_ways_of_packing_are_refused(tmp_path, out, images):
    """A sentence, and no traceback from a decoder."""
    (tmp_path / "lzma.zip").write_bytes(zip_of(images, zipfile.ZIP_LZMA))
    with pytest.raises(FetchError, match="must use deflate"):
        unpack(tmp_path / "lzma.zip", out)


def test_too_much_is_refused_by_what_the_zip_says(tmp_path, out, images):
    """Before anything is written; and where the disk has no room."""
    file = zipped(tmp_path, images)
    with pytest.raises(FetchError, match=r"may have 5\.0 kB in all"):
        unpack(file, out, limit=5000)
    assert nothing_is_left(out)


def test_a_full_disk_is_noticed_before(tmp_path, out, images, monkeypatch):
    """The sentence says what is needed."""
    monkeypatch.setattr(
        zip_checks, "check_space", lambda _, size: (nothing for nothing in ()).throw(FetchError(f"{size}"))
    )
    with pytest.raises(FetchError, match=str(sum(map(len, images.values())))):
        unpack(zipped(tmp_path, images), out)


def test_bytes_are_counted_whatever_the_zip_says(tmp_path, out, images, monkeypatch):
    """Where the sizes in it are lies, it is stopped all the same, and nothing is left."""
    monkeypatch.setattr(zip_file, "check_sizes", lambda *_: None)
    with pytest.raises(FetchError, match="may have"):
        unpack(zipped(tmp_path, images), out, limit=5000)
    assert nothing_is_left(out)


def test_a_size_that_is_a_lie_is_damage(tmp_path, out, images):
    """An entry that holds more than it says."""
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
def test_a_zip_that_is_no_data_set(tmp_path, out, files, words):
    """The sentence says what was allowed and what came, and speaks of the zip."""
    with pytest.raises(FetchError, match=words) as error:
        unpack(zipped(tmp_path, files, "upload.zip"), out)
    assert ".unpacking" not in str(error.value)
    assert nothing_is_left(out)


def test_damaged_zips_are_refused(tmp_path, out, images):
    """Cut off, or with a few wrong bytes anywhere: either it is whole after all, or it is one sentence."""
    content, chance = zip_of(images), random.Random(0)
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
def test_a_zip_that_places_files_before_its_beginning(tmp_path, out, images, upload):
    """One sentence, whether it is a file or an upload."""
    content = bytearray(zip_of(images))
    offset = slice(len(content) - 6, len(content) - 2)
    content[offset] = (int.from_bytes(content[offset], "little") + 1000).to_bytes(4, "little")
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(FetchError, match="Nothing was kept of it"):
        unpack(io.BytesIO(content) if upload else tmp_path / "bad.zip", out)
    assert nothing_is_left(out)


def test_a_data_set_may_lie_deep_in_a_zip(tmp_path, out, images):
    """Below any number of folders that say nothing."""
    unpack(zipped(tmp_path, below("a/" * 2000, images)), out)
    assert contents(out) == images


def test_a_folder_that_cannot_be(tmp_path, images):
    """What the system says of it, in a sentence."""
    with pytest.raises(FetchError, match=r"cannot be unpacked into .*: File name too long"):
        unpack(zipped(tmp_path, images), tmp_path / ("x" * 300))


def test_folders_in_use_are_left_alone(tmp_path, out, images):
    """A folder that holds something is not unpacked into; an empty one is; one zip is unpacked at a time."""
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


def test_it_says_how_far_it_is_and_stops(tmp_path, out, images):
    """The last word is that all is there; a wish to stop leaves nothing behind."""
    said = []
    unpack(zipped(tmp_path, images), out, on_progress=said.append)
    assert (said[0].files, said[0].total_files) == (0, len(images))
    assert (said[-1].files, said[-1].bytes) == (len(images), sum(map(len, images.values())))
    answers = iter([False] * 5 + [True])
    with pytest.raises(Cancelled):
        unpack(tmp_path / "data.zip", out.with_name("other"), should_stop=lambda: next(answers))
    assert {path.name for path in out.parent.iterdir()} <= {"out", ".unpacking.lock"}


def test_what_a_killed_process_left_is_swept_away(tmp_path, out, images):
    """Its hidden folder does not get into the next one's way."""
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
def test_the_folder_is_named_by_the_zip(homes, name, folder):
    """But never like a split, which all images below it would then be taken to be in."""
    assert default_folder(name) == homes / "data" / folder


def test_the_command_line_unpacks(tmp_path, homes, images, capsys):
    """Into a folder of the zip's name, by default."""
    file = zipped(tmp_path, images, "my bones (1).zip")
    assert default_folder(file) == homes / "data" / "my-bones-1"
    assert main(["import-zip", str(file), "--body-part", "humerus"]) == 0
    assert "images" in capsys.readouterr().out
    assert set(scan("my-bones-1").table["body_part"]) == {"XR_HUMERUS"}
    assert main(["import-zip", str(file)]) == 1
    assert "which holds something already" in capsys.readouterr().err
    assert main(["import-zip", str(file), "--out", str(tmp_path / "other"), "--json"]) == 0
    assert '"layout": "MURA"' in capsys.readouterr().out
