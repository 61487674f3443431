"""The viewer on the pages: what is sent to it and when, and the changes that it sends back."""

import json
import struct

import numpy as np
import pytest

from fracture.app.viewer import component
from fracture.app.viewer.component import show_viewer
from fracture.app.viewer.payload import DARK, MAX_SIDE, pack
from fracture.imaging.viewing.changes import PictureChanges
from fracture.imaging.viewing.full_depth import FullDepth, Spacing, of_gray, read_full_depth
from fracture.phantoms.samples import generate_sample
from tests.imaging.test_radiograph import dicom
from tests.pages.test_pages import alone, as_png, choose_sample, healthy, words
from tests.support.widgets import by_key, keys_of

DEEP = np.tile(np.linspace(100, 4000, 96).astype(np.uint16), (80, 1))
"""12 bits, 96 x 80 px."""

CROP = {"crop": [8, 16, 64, 48], "quarter_turns": 1, "invert": True}


def unpack(data: bytes) -> tuple[dict, np.ndarray]:
    """The head and the pixels, as the browser reads them."""
    length = struct.unpack_from("<I", data)[0]
    head = json.loads(data[4 : 4 + length])
    pixels = np.frombuffer(data[4 + length :], f"<u{head['bytesPerPixel']}")
    return head, pixels.reshape(head["height"], head["width"])


def viewers(app) -> list[tuple[dict, np.ndarray]]:
    """What the page sends to viewers."""
    return [unpack(each.proto.bytes) for each in app.get("bidi_component") if each.proto.bytes]


def deep_dicom() -> bytes:
    return dicom(DEEP, BitsStored=12, HighBit=11, WindowCenter=2000, WindowWidth=3000)


def test_pack_sends_16_bits_and_the_model_s_window():
    """All values of a deep image reach the browser, with the window that the model has."""
    head, pixels = unpack(pack(read_full_depth(deep_dicom()), "Radiograph x"))
    assert (head["bytesPerPixel"], head["window"]) == (2, [2000, 3000])
    assert (pixels * head["slope"] + head["intercept"] == DEEP).all()
    assert (head["lowest"], head["highest"]) == (100, 4000)
    assert (head["changing"], head["notes"]) == (False, [])


def test_pack_sends_8_bits_as_they_are():
    """An image of 8 bits takes one byte a pixel."""
    gray = (DEEP // 16).astype(np.uint8)
    head, pixels = unpack(pack(of_gray(gray), "x"))
    assert head["bytesPerPixel"] == 1
    assert (pixels == gray).all()


def test_pack_of_a_large_image_sends_a_copy_and_says_so():
    """At most 2,000 px a side are sent, and a note says what the image has."""
    wide = np.tile(np.arange(4100, dtype=np.uint16), (50, 1))
    data = pack(FullDepth(wide, 0, 4099, 4100, 50), "x", notes=["Seen."])
    head, pixels = unpack(data)
    assert pixels.shape == (24, MAX_SIDE)
    assert (head["imageWidth"], head["imageHeight"]) == (4100, 50)
    assert head["notes"] == ["Seen.", "Shown from a copy of 2000 × 24 px; the image has 4100 × 50 px."]


def test_pack_offers_another_window_for_a_dark_image():
    """The window of the image's own values goes along; a note offers it where nearly all of the image is dark."""
    gray = np.tile(np.arange(101, dtype=np.uint8), (50, 1))
    dark, _ = unpack(pack(of_gray(gray // 2), "x"))
    assert dark["autoWindow"] == pytest.approx([25, 50], abs=1)
    assert dark["notes"] == [DARK]
    bright, _ = unpack(pack(of_gray(gray + 100), "x"))
    assert bright["autoWindow"] == pytest.approx([150, 98])
    assert bright["notes"] == []


def test_pack_offers_no_window_for_white_on_black_that_is_bright():
    """Where the lowest value is white, a picture of low values is bright."""
    low = np.tile(np.arange(50, dtype=np.uint8), (50, 1))
    head, _ = unpack(pack(FullDepth(low, 0, 255, 50, 50, inverted=True), "x"))
    assert head["notes"] == []


def test_pack_id_is_that_of_the_image():
    """Boxes may come and go over the same image; other pixels or changes are another one."""
    full = read_full_depth(deep_dicom())
    same = unpack(pack(full, "x"))[0]["id"]
    assert unpack(pack(full, "x", boxes=[(1, 2, 3, 4)]))[0]["id"] == same
    assert unpack(pack(full, "x", changes=PictureChanges(invert=True)))[0]["id"] != same
    assert unpack(pack(of_gray(np.zeros((80, 96), np.uint8)), "x"))[0]["id"] != same


def test_pack_names_spacing_and_changes():
    """A scale bar needs the spacing; a picture that was changed opens as it was classified."""
    full = FullDepth(DEEP, 0, 1, 96, 80, spacing=Spacing(0.1, 0.2, True))
    head, _ = unpack(pack(full, "x", changes=PictureChanges((8, 16, 64, 48), 1, True)))
    assert head["spacing"] == {"across": 0.1, "down": 0.2, "at_detector": True}
    assert (head["changing"], head["changes"]) == (True, CROP)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (CROP, PictureChanges((8, 16, 64, 48), 1, True)),
        ({**CROP, "crop": None}, PictureChanges(None, 1, True)),
        ({**CROP, "crop": [8, 16, 96, 48]}, None),
        ({**CROP, "crop": [8, 16, 64, 1]}, None),
        ({**CROP, "crop": [8, 16, 64]}, None),
        ({**CROP, "crop": ["8", "16", "64", "48"]}, None),
        ({**CROP, "crop": "8 16"}, None),
        ({**CROP, "quarter_turns": "1"}, None),
        ({**CROP, "invert": 1}, None),
        ({}, None),
        ([1], None),
        (None, None),
    ],
)
def test_show_viewer_takes_changes_of_its_own_form_alone(monkeypatch, sent, wanted):
    """What a browser sends is anything, until it was looked at."""
    monkeypatch.setattr(component, "_viewer", lambda **_: {"classify": sent})
    full = of_gray(np.zeros((80, 96), np.uint8))
    assert show_viewer(full, "x", "viewer", changes=PictureChanges()) == wanted
    assert show_viewer(full, "x", "viewer") is None


def test_classify_sends_an_upload_to_the_viewer_when_it_is_opened(homes, make_model):
    """No pixel in full depth is sent before; the viewer says what the model saw."""
    make_model("m")
    app = alone("classify").run()
    app.file_uploader(key="uploads").set_value([("x.dcm", deep_dicom(), "")]).run()
    assert not viewers(healthy(app))
    by_key(app.button, "open viewer").click().run()
    [(head, pixels)] = viewers(healthy(app))
    assert pixels.dtype == np.uint16
    assert head["changing"]
    assert head["notes"][0] == "The model saw this picture as a whole, in the window 2,000 / 3,000."
    assert "only the view" in head["notes"][1]


def test_classify_answers_for_a_changed_picture_until_it_is_undone(homes, make_model, monkeypatch):
    """The changed picture is classified and named so, with its steps; undoing brings back the first answer."""
    make_model("m")
    app = alone("classify").run()
    files = [("x.dcm", deep_dicom(), ""), ("y.png", as_png((DEEP // 16).astype(np.uint8)), "")]
    app.file_uploader(key="uploads").set_value(files).run()
    first = [metric.value for metric in app.metric]
    monkeypatch.setattr(component, "_viewer", lambda **_: {"classify": CROP})
    app.button(key=keys_of(app.button, "open viewer")[0]).click().run()
    said = words(healthy(app)).replace("\\", "")
    assert "x.dcm (changed)" in said
    assert "y.png (changed)" not in said
    assert "window 2000/3000, cropped to 64 x 48 px at 8, 16, rotated by 90° clockwise, inverted on request." in said
    assert not viewers(app)  # it has closed
    by_key(app.button, "undo changes").click().run()
    assert "(changed)" not in words(healthy(app))
    assert [metric.value for metric in app.metric] == first


def test_classify_forgets_changes_with_the_upload(homes, make_model, monkeypatch):
    """A file that is removed and uploaded again is as it is."""
    make_model("m")
    app = alone("classify").run()
    files = [("x.dcm", deep_dicom(), "")]
    app.file_uploader(key="uploads").set_value(files).run()
    monkeypatch.setattr(component, "_viewer", lambda **_: {"classify": CROP})
    by_key(app.button, "open viewer").click().run()
    assert keys_of(healthy(app).button, "undo changes")
    app.file_uploader(key="uploads").set_value([("y.dcm", deep_dicom(), "")]).run()
    app.file_uploader(key="uploads").set_value(files).run()
    assert not keys_of(healthy(app).button, "undo changes")


def test_classify_shows_a_sample_in_the_viewer_without_changes(homes, make_model):
    """A synthetic view can be looked at; there is no file of it that could be changed."""
    make_model("m")
    app = alone("classify").run()
    choose_sample(app, "123456")
    app.button(key=keys_of(app.button, "open viewer")[0]).click().run()
    [(head, pixels)] = viewers(healthy(app))
    assert head["changing"] is False
    assert (pixels == generate_sample(123456)[0].pixels).all()
