"""Which classes of a data set are which: the question, the answer that counts, swap and undo."""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.widgets import escape_markdown, expander
from fracture.data.dataset import Dataset
from fracture.data.labels.choice import ANSWERS, KINDS, LabelChoice, LabelMapping, make_choice
from fracture.data.labels.store import choose_labels, last_labels, undo_labels
from fracture.data.labels.words import class_of, weak_class_of
from fracture.errors import FractureError, LabelsError

MAX_ASKED = 40
"""Classes that the form lists, the largest first."""

KIND_TITLES = {"negative": "Negative", "positive": "Positive", "ignore": "Leave out"}


def dataset_or_question(root: str, progress: str) -> Dataset | None:
    """The data set in a folder; None where its classes have unknown names, after a form that asks for them.

    Raises DatasetError as :func:`fracture.data.dataset.scan` does.
    """
    try:
        return dataset_cache.cached_dataset(root, progress)
    except LabelsError as error:
        if demo.is_public():
            raise
        st.info(f"These classes were found in {escape_markdown(root)}. Which is which?", icon=":material/help:")
        _labels_form(root, error.images_of, {})
        _show_failure()
        _offer_undo(root)
    return None


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
            _labels_form(str(data.root), _classes(data, mapping), _kinds(mapping))
            with st.container(horizontal=True):
                if mapping.origin != ANSWERS:
                    _offer_swap(data, mapping)
                _offer_undo(str(data.root))
    _show_failure()


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


def _labels_form(root: str, images_of: Mapping[str, int], kinds: Mapping[str, str]) -> None:
    """A choice for each class, and a button that stores them; ``kinds``: those that count at present."""
    names = list(images_of)[:MAX_ASKED]
    keys = {}
    with st.container(border=True):
        for name in names:
            kind = kinds.get(name) or _proposed(name)
            count = f" ({images_of[name]:,} images)" if images_of[name] else ""
            # Where another choice counts, it is another widget, which begins with that choice.
            keys[name] = f"class {name}, {kind}, of {root}"
            st.segmented_control(
                f"{escape_markdown(name)}{count}",
                KINDS,
                default=kind,
                format_func=KIND_TITLES.__getitem__,
                key=keys[name],
            )
        if len(images_of) > MAX_ASKED:
            st.caption(f"{len(images_of) - MAX_ASKED:,} more classes are not shown, and stay as they are.")
        st.button(
            "Save labels",
            type="primary",
            icon=":material/save:",
            key="save labels",
            on_click=_save,
            args=(root, keys, kinds),
            help="Stored in labels.json in the data set's folder; images are never moved.",
        )


def _proposed(name: str) -> str:
    label = class_of(name)
    if label is None:
        label = weak_class_of(name)
    return "ignore" if label is None else KINDS[label]


def _save(root: str, keys: Mapping[str, str], kinds: Mapping[str, str]) -> None:
    """Store what was chosen; ``keys``: of the widgets, by the names of classes. Others stay as in ``kinds``."""
    chosen = {name: st.session_state.get(key) or "ignore" for name, key in keys.items()}
    _attempt(root, lambda: choose_labels(root, make_choice(_by_kind({**kinds, **chosen}))))


def _by_kind(chosen: Mapping[str, str]) -> dict[str, list[str]]:
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
    _attempt(root, lambda: choose_labels(root, choice))


def _offer_undo(root: str) -> None:
    last = None if demo.is_public() else last_labels(root)
    if last is not None:
        made = f"The latest choice of labels, {last.time[:16].replace('T', ' ')} UTC."
        st.button(
            "Undo labels", icon=":material/undo:", key="undo labels", help=made, on_click=_undo, args=(root, last.time)
        )


def _undo(root: str, time: str) -> None:
    _attempt(root, lambda: undo_labels(root, time))


def _attempt(root: str, action: Callable[[], object]) -> None:
    """Do it in a button's callback, which can show nothing: :func:`_show_failure` shows the error."""
    try:
        action()
    except FractureError as error:
        state.failure("labels").set(str(error))
        return
    # The form shows what counts now, not what was clicked before.
    state.forget_folder(Path(root))
    dataset_cache.forget_datasets()


def _show_failure() -> None:
    if failed := state.failure("labels").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
