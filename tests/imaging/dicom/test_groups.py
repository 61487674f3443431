"""Window and rescaling of each frame of enhanced DICOM objects."""

from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset

from fracture.imaging.dicom import elements
from fracture.imaging.radiograph import read
from tests.hostile.dicoms import dicom

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def group(window=None, rescale=None):
    """A functional group with a window (center, width) and a rescaling (slope, intercept)."""
    item = Dataset()
    if window is not None:
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = window
        item.FrameVOILUTSequence = [voi]
    if rescale is not None:
        value = Dataset()
        value.RescaleSlope, value.RescaleIntercept = rescale
        item.PixelValueTransformationSequence = [value]
    return item


def two_frames(**more):
    """A file of the same frame twice."""
    return dicom(RAMP, NumberOfFrames=2, PixelData=RAMP.tobytes() * 2, BitsStored=12, HighBit=11, **more)


def undefined_sequence(sent):
    """The file, with per-frame groups that end by a mark and not by their length."""
    at = sent.index(b"\x00\x52\x30\x92SQ\0\0") + 8
    end = at + 4 + int.from_bytes(sent[at : at + 4], "little")
    return sent[:at] + b"\xff" * 4 + sent[at + 4 : end] + b"\xfe\xff\xdd\xe0" + bytes(4) + sent[end:]


def one_frame(window, **more):
    """A plain file with this window."""
    return dicom(RAMP, BitsStored=12, HighBit=11, WindowCenter=window[0], WindowWidth=window[1], **more)


@pytest.mark.parametrize("undefined", [False, True])
def test_apply_groups_takes_the_window_of_the_frame(undefined):
    """Each frame is shown by its own; sequences may say their length or end by a mark."""
    groups = [group((1000, 1800)), group((3000, 1900))]
    for each in groups:
        each.is_undefined_length_sequence_item = undefined
    sent = two_frames(PerFrameFunctionalGroupsSequence=groups)
    if undefined:
        sent = undefined_sequence(sent)
    for frame, window in ((1, (1000, 1800)), (2, (3000, 1900))):
        found = read(sent, frame=frame)
        assert np.array_equal(found.pixels, read(one_frame(window)).pixels)
        assert found.steps == (f"frame {frame} of 2", f"window {window[0]}/{window[1]}")


def test_apply_groups_takes_the_shared_window_for_frames_without_one():
    """And the frame's own goes before it; both go before that of the data set."""
    sent = two_frames(
        PerFrameFunctionalGroupsSequence=[group(), group((3000, 1900))],
        SharedFunctionalGroupsSequence=[group((1000, 1800))],
        WindowCenter=2000,
        WindowWidth=4000,
    )
    assert read(sent, frame=1).steps[-1] == "window 1000/1800"
    assert read(sent, frame=2).steps[-1] == "window 3000/1900"


def test_apply_groups_rescales():
    """A window is in rescaled values."""
    sent = two_frames(SharedFunctionalGroupsSequence=[group((0, 1800), (2, -3000))])
    expected = read(one_frame((0, 1800), RescaleSlope=2, RescaleIntercept=-3000))
    assert np.array_equal(read(sent).pixels, expected.pixels)


def test_apply_groups_of_empty_elements_are_as_if_absent():
    """The window of the data set stays then."""
    sent = two_frames(SharedFunctionalGroupsSequence=[group(("", ""))], WindowCenter=2000, WindowWidth=4000)
    assert read(sent).steps[-1] == "window 2000/4000"


def test_apply_groups_of_too_many_parts_are_set_aside(monkeypatch):
    """The frame is shown by its values; a step says so."""
    item = group((1000, 1800))
    item.is_undefined_length_sequence_item = True
    sent = two_frames(PerFrameFunctionalGroupsSequence=[item, item])
    dataset = elements.parse(BytesIO(sent), "scan")
    monkeypatch.setattr(elements, "MAX_HEADER_READS", 4)
    from fracture.imaging.dicom import gray

    assert "window of the frame set aside: the list of frames is too long" in gray(dataset, "scan", 2)[1]
    assert "PerFrameFunctionalGroupsSequence" not in dataset
