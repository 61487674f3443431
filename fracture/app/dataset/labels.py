"""Which classes of a data set are which: the question, the answer that counts, swap and undo."""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.widgets import escape_markdown, expander
from fracture.data.annotations.boxes import BOXED, CLASSES, UNANNOTATED
from fracture.data.dataset import Dataset
from fracture.data.labels.choice import ANSWERS, KINDS, LabelChoice, LabelMapping, make_choice
from fracture.data.labels.store import choose_labels, last_labels, undo_labels
from fracture.data.labels.words import class_of, weak_class_of
from fracture.errors import FractureError, LabelsError

MAX_ASKED = 40
"""Classes that the form lists, the largest first."""

KIND_TITLES = {"negative": "Negative", "positive": "Positive", "ignore": "Leave out"}


def ask_labels(root: str, error: LabelsError) -> None:
    """A form for classes of unknown names, and undo."""
    _labels_form(root, error.images_of, {}, error.what == CLASSES)
    show_failure("labels")
    _offer_undo(root)


def confirm_labels(data: Dataset) -> None:
    """How digits were read as labels, with a button that swaps them; nothing for plain words."""
    for mapping in data.label_mappings:
        if mapping.origin == ANSWERS:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.info(escape_markdown(mapping.describe()), icon=":material/swap_horiz:")
                _offer_swap(data, mapping)


def show_labels(data: Dataset) -> None:
    """Which classes are which, folded away; the form that changes it, swap and undo."""
    if demo.is_public():
        return
    for mapping in data.label_mappings:
        with expander(_title(mapping), "labels", ":material/label:"):
            if said := mapping.describe():
                st.caption(escape_markdown(said))
            boxed = data.layout in BOXED
            _labels_form(str(data.root), _classes(data, mapping), _kinds(mapping), boxed)
            with st.container(horizontal=True):
                if mapping.origin != ANSWERS and not boxed:
                    _offer_swap(data, mapping)
                _offer_undo(str(data.root))
    show_failure("labels")


def _title(mapping: LabelMapping) -> str:
    negative = escape_markdown(", ".join(mapping.negative))
    positive = escape_markdown(", ".join(mapping.positive))
    return f"Labels: {negative} negative, {positive} positive"


def _classes(data: Dataset, mapping: LabelMapping) -> dict[str, int]:
    """The classes of a data set that was read, and the numbers of images of those that were left out."""
    read = dict.fromkeys([*mapping.negative, *mapping.positive, *mapping.ignore], 0)
    left_out = {each.what: each.files for each in data.skipped if each.reason == "class"}
    # Those that have images in the data set first: the form has room for some.
    return read | dict(sorted(left_out.items(), key=lambda item: -item[1]))


def _kinds(mapping: LabelMapping) -> dict[str, str]:
    return {name: kind for kind in KINDS for name in getattr(mapping, kind)}


def _labels_form(root: str, images_of: Mapping[str, int], kinds: Mapping[str, str], boxed: bool) -> None:
    """A choice for each class, and a button that stores them; ``kinds``: those that count at present."""
    with st.container(border=True):
        keys = class_choices(root, images_of, kinds, boxed)
        st.button(
            "Save labels",
            type="primary",
            icon=":material/save:",
            key="save labels",
            on_click=_save,
            args=(root, keys, kinds),
            help="Stored in labels.json in the data set's folder; images are never moved.",
        )


def class_choices(
    place: str, images_of: Mapping[str, int], kinds: Mapping[str, str], boxed: bool = False
) -> dict[str, str]:
    """A choice for each class; the keys of the widgets by the names of the classes.

    Args:
        place: where the classes were found, for the keys.
        images_of: the number of images of each class.
        kinds: the choices that count at present.
        boxed: whether the classes are of boxes. Their digits are no answers, and images without one are not negative
            unless somebody confirms it.
    """
    names = [name for name in images_of if not (boxed and name == UNANNOTATED)][:MAX_ASKED]
    keys = {}
    for name in names:
        kind = kinds.get(name) or _proposed(name, boxed)
        count = f" ({images_of[name]:,} images)" if images_of[name] else ""
        # Where another choice counts, it is another widget, which begins with that choice.
        keys[name] = f"class {name}, {kind}, of {place}"
        st.segmented_control(
            f"{escape_markdown(name)}{count}",
            KINDS,
            default=kind,
            format_func=KIND_TITLES.__getitem__,
            key=keys[name],
        )
    if len(images_of) > MAX_ASKED:
        st.caption(f"{len(images_of) - MAX_ASKED:,} more classes are not shown, and stay as they are.")
    if boxed and UNANNOTATED in images_of:
        keys[UNANNOTATED] = _confirm_unannotated(place, images_of[UNANNOTATED], kinds.get(UNANNOTATED, "ignore"))
    return keys


def _confirm_unannotated(place: str, images: int, kind: str) -> str:
    """A tick that images without boxes are negative; its key."""
    count = f" ({images:,} images)" if images else ""
    key = f"class {UNANNOTATED}, {kind}, of {place}"
    st.checkbox(
        f"Images without boxes are negative{count}",
        kind == "negative",
        key=key,
        help="Tick this if somebody has looked at all of them and found nothing. Otherwise they are left out.",
    )
    return key


def _proposed(name: str, boxed: bool) -> str:
    label = class_of(name)
    if label is None and not boxed:
        label = weak_class_of(name)
    return "ignore" if label is None else KINDS[label]


def _save(root: str, keys: Mapping[str, str], kinds: Mapping[str, str]) -> None:
    """Store what was chosen; ``keys``: of the widgets, by the names of classes. Others stay as in ``kinds``."""
    chosen = {name: _chosen(st.session_state.get(key)) for name, key in keys.items()}
    attempt(root, lambda: choose_labels(root, make_choice(by_kind({**kinds, **chosen}))))


def _chosen(value: str | bool | None) -> str:
    """The kind that a widget says: that of a class, or the tick of images without boxes."""
    if isinstance(value, bool):
        return "negative" if value else "ignore"
    return value or "ignore"


def by_kind(chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """The names for each of :data:`KINDS`."""
    return {kind: [name for name, of in chosen.items() if of == kind] for kind in KINDS}


def _offer_swap(data: Dataset, mapping: LabelMapping) -> None:
    if not demo.is_public():
        st.button(
            "Swap labels",
            icon=":material/swap_horiz:",
            key="swap labels",
            on_click=_choose,
            args=(str(data.root), mapping.swapped()),
        )


def _choose(root: str, choice: LabelChoice) -> None:
    attempt(root, lambda: choose_labels(root, choice))


def _offer_undo(root: str) -> None:
    last = None if demo.is_public() else last_labels(root)
    if last is not None:
        made = f"The latest choice of labels, {last.time[:16].replace('T', ' ')} UTC."
        st.button(
            "Undo labels", icon=":material/undo:", key="undo labels", help=made, on_click=_undo, args=(root, last.time)
        )


def _undo(root: str, time: str) -> None:
    attempt(root, lambda: undo_labels(root, time))


def attempt(root: str, action: Callable[[], object], what: str = "labels") -> None:
    """Do it in a button's callback, which can show nothing: :func:`show_failure` shows the error."""
    try:
        action()
    except FractureError as error:
        state.failure(what).set(str(error))
        return
    # The form shows what counts now, not what was clicked before.
    state.forget_folder(Path(root))
    dataset_cache.forget_datasets()


def show_failure(what: str) -> None:
    """Why the latest click stored nothing, if it did not."""
    if failed := state.failure(what).pop():
        st.error(escape_markdown(failed), icon=":material/error:")
