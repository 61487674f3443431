"""What strangers upload, on the pages: nothing of a header is shown, stored or logged, and no name does any harm."""

import logging
import re
import tempfile
from pathlib import Path

import pytest

from fracture import demo
from fracture.app.shared.widgets import escape_markdown
from fracture.data.dataset import existing_folder, scan
from fracture.errors import DatasetError
from tests.hostile import dicoms, pictures, zips
from tests.pages.test_pages import alone, words
from tests.support.serving import HOMES

MARK = "Q7Z"
"""Stands wherever a header may hold a name."""

NAME = "Q7Z^Jane "
NAMED = dicoms.dicom(
    pictures.RAMP,
    PatientName=NAME,
    PatientID=NAME,
    PatientComments=NAME * 40,
    StudyDescription=NAME,
    ReferencedFileID=["Q7Z", "JANE"],
    RequestedProcedureDescription=NAME,
    SOPInstanceUID="1.2.3.4",
)
PRIVATE = dicoms.preceded(
    dicoms.raw((0x09, 0x10), b"LO", b"Q7Z maker "),
    dicoms.raw((0x09, 0x1001), b"UT", NAME.encode() * 90),
    dicoms.raw((0x10, 0x10), b"PN", b"Q7Z^Jane^^"),
)
FILES = {
    "named": NAMED,
    "private": PRIVATE,
    "cut short": NAMED[:-500],
    "of another kind": dicoms.said((0x28, 0x04), b"CS", b"Q7Z <b>J</b>"),
    "of a window in words": dicoms.windowed(MARK, "wide"),
    "of an odd syntax": NAMED.replace(b"1.2.840.10008.1.2.1\0", b"Q7Z.[a](b).<i>c</i>\0"),
    "of an odd date": dicoms.preceded(dicoms.raw((0x10, 0x30), b"DA", b"Q7Z-born")),
}


def everything(app) -> str:
    """Every word that the server has sent to this browser; pictures in base64 hold any three letters."""
    sent = "\n".join(str(getattr(node, "proto", "")) for node in app.main)
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", sent) + words(app)


@pytest.fixture
def traces(homes, monkeypatch, caplog, capfd):
    """What is on disk, in the logs and on the terminal, as one text, whenever it is asked for."""
    (homes / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(homes / "tmp"))
    caplog.set_level(logging.DEBUG)

    def found() -> bytes:
        files = [path for path in homes.rglob("*") if path.is_file() and path.suffix not in (".h5", ".tflite")]
        names = "\n".join(map(str, homes.rglob("*")))
        said = "".join((caplog.text, *capfd.readouterr(), names)).encode(errors="replace")
        return said + b"".join(path.read_bytes() for path in files)

    return found


def test_headers_of_uploads_are_not_shown_stored_or_logged(traces, make_model):
    """A name in any header of an upload, broken ones included, appears neither on the page nor on disk nor in logs."""
    make_model("first")
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([(f"{name}.dcm", data, "") for name, data in FILES.items()]).run()
    assert not app.exception and len(app.error) == 3
    assert "named.dcm" in everything(app) and MARK not in everything(app)
    assert MARK.encode() not in traces()


def test_upload_in_the_labs_leaves_no_trace(traces, make_model):
    """A name in the header of an upload in the labs appears neither on the page nor on disk nor in logs."""
    make_model("first")
    app = alone("shortcuts")
    app.session_state["xray source"] = "Upload"
    app.run()
    for name in ("named", "of another kind"):
        app.file_uploader(key="xray upload").set_value([(f"{name}.dcm", FILES[name], "")]).run()
        assert not app.exception and MARK not in everything(app)
    assert MARK.encode() not in traces()


@pytest.mark.parametrize(
    "name",
    [
        "# [a](http://b) **c** <img src=x onerror=d>.png",
        "a\n\n# head\n.png",
        ":material/delete: $x^2$ `y`.png",
        "e" * 5000,
    ],
)
def test_names_of_uploads_are_escaped(make_model, name):
    """The name of a readable or unreadable upload is never formatted as Markdown."""
    make_model("first")
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([(name, pictures.encoded(pictures.RAMP), ""), (name, b"", "")]).run()
    assert not app.exception and len(app.error) == 1
    shown = app.error[0].value
    assert "\n" not in shown and len(shown) < 400
    captions = "\n".join(each.caption for element in app.get("image") for each in element.proto.imgs)
    assert captions.strip()
    for formatting in (r"\[a", r"\*c", "<img", r":material/", "`y", r"\$x"):
        assert not re.search(rf"(?<!\\){formatting}", shown + captions)


def test_escape_markdown_removes_invisible_characters():
    """Line breaks, control characters and marks of writing direction become spaces."""
    assert escape_markdown("a\n# b\u202ec\0") == r"a \# b c "


@pytest.mark.parametrize("kind", ["going up", "absolute", "with a link", "with a listing that goes up", "no zip"])
def test_hostile_zip_is_refused_and_writes_nothing(homes, kind):
    """A hostile zip file is one error, and writes no file."""
    app = alone("data").run()
    app.file_uploader(key="zip upload 0").set_value([("sent.zip", zips.small()[kind](), "application/zip")]).run()
    app.button(key="unpack").click().run()
    assert not app.exception and len(app.error) == 1
    assert {path.name for path in homes.rglob("*")} <= {*HOMES.values(), ".unpacking.lock"}


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b.png", "C:\\x.png", "a\\..\\b.png", "."])
def test_listing_with_paths_outside_is_refused(homes, path):
    """A dataset.csv can only name files below its own folder."""
    (root := homes / "data" / "listed").mkdir()
    (root / "dataset.csv").write_text(f"image_id,label\n{path},0\n")
    with pytest.raises(DatasetError, match="must name files below images/"):
        scan(root)


@pytest.mark.parametrize("typed", ["/etc", "..", "../models", "~", "listed/../../models", "listed/images"])
def test_path_in_a_public_demo_is_refused(homes, monkeypatch, typed):
    """A public demo takes no path from an address, a browser or a card."""
    (homes / "data" / "listed" / "images").mkdir(parents=True)
    monkeypatch.setenv(demo.VARIABLE, "1")
    with pytest.raises(DatasetError, match="only its own data sets"):
        existing_folder(typed)
    for page in ("data", "train"):
        app = alone(page)
        app.query_params["data"] = typed
        app.session_state["new data"] = typed
        app.run()
        assert not app.exception and str(homes) not in words(app)
        assert app.selectbox(key="data").value in (None, str(homes / "data" / "listed"))


def test_path_on_an_own_machine_is_taken(homes, drawn):
    """Outside a public demo a data set can lie anywhere, also behind a link."""
    (homes / "data" / "linked").symlink_to(drawn)
    assert existing_folder(str(drawn)) == existing_folder("linked") == Path(drawn).resolve()
