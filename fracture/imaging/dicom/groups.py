"""What an enhanced object says of one of its frames: window and rescaling in its functional groups (PS3.3 C.7.6.16).

The group of the frame itself is looked at first, then the one that all frames share, then the data set.
"""

import pydicom
from pydicom.dataelem import RawDataElement

from fracture.imaging.dicom.elements import FUNCTIONAL_GROUPS, check_element, read_item

_MACROS = {
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),  # C.7.6.16.2.10
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),  # C.7.6.16.2.9
}
"""The sequences in a group that are read, and their elements."""


def apply_groups(dataset: pydicom.Dataset, index: int) -> tuple[str, ...]:
    """Replace window and rescaling of a data set by those of its frame ``index``, from 0, in place; steps in words.

    The sequences are taken out: patients' names may stand in them.
    """
    frame_first = zip(FUNCTIONAL_GROUPS, (index, 0), strict=True)
    try:
        groups = [_item(dataset, keyword, number) for keyword, number in frame_first]
        for macro in _MACROS:
            _apply_macro(dataset, [group for group in groups if group is not None], macro)
    except ValueError:  # of too many parts
        return ("window of the frame set aside: the list of frames is too long",)
    finally:
        for keyword in FUNCTIONAL_GROUPS:
            dataset.pop(keyword, None)
    return ()


def _apply_macro(dataset: pydicom.Dataset, groups: list[pydicom.Dataset], macro: str) -> None:
    """The elements of a macro replace those of the data set, as a whole: a window goes with no other table."""
    for group in groups:
        item = _item(group, macro, 0)
        found = [keyword for keyword in _MACROS[macro] if item is not None and _has_value(item, keyword)]
        if item is None or not found:
            continue
        for keyword in _MACROS[macro]:
            dataset.pop(keyword, None)
        for keyword in found:
            dataset[keyword] = item.get_item(keyword)
            check_element(dataset, keyword)
        return


def _item(dataset: pydicom.Dataset, keyword: str, index: int) -> pydicom.Dataset | None:
    """An item of a sequence, from 0; None where there is none."""
    if keyword not in dataset:
        return None
    element = dataset.get_item(keyword)
    if isinstance(element, RawDataElement):
        return read_item(element, index)
    # A sequence of undefined length, which had to be read to find its end.
    items = element.value or []
    return items[index] if index < len(items) else None


def _has_value(item: pydicom.Dataset, keyword: str) -> bool:
    return keyword in item and bool(item.get_item(keyword).value)
