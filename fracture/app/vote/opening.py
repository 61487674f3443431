"""The page without a room: open one as a teacher, or enter the code of one as a student."""

from typing import Literal

import streamlit as st

from fracture import demo
from fracture.app.shared import prediction_cache
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import choose_model, learn_more, no_model_hint, page_head, show_errors
from fracture.app.vote import arriving
from fracture.app.vote.images import Source, dataset, examine, phantoms, samples
from fracture.errors import RoomError
from fracture.inference.classifier import Classifier
from fracture.registry.model_folder import ModelFolder
from fracture.teaching import codes, rooms
from fracture.teaching.reading import balanced_threshold
from fracture.teaching.rooms import NewImage, RoomModel

From = Literal["samples", "phantoms", "data set"]

SOURCES: dict[From, str] = {"samples": "FracAtlas samples", "phantoms": "Phantoms", "data set": "Data set"}

MIN_IMAGES = 5
"""From five votes on, a student has a point."""
MAX_IMAGES = 20
"""At a minute an image they fill twenty minutes of a lesson."""


def show_start() -> None:
    """Both ways to a room, side by side."""
    with page_head("Class vote"):
        folder = choose_model()
    left, right = st.columns([2, 3], border=True)  # a phone shows the left one first
    with left:
        _offer_to_join()
    with right:
        st.header("Open a room", anchor=False)
        if folder is None:
            no_model_hint()
        else:
            _offer_to_open(folder)


def ask_for_code(default: str = "") -> None:
    """A field for a room's code."""
    with st.form("join", border=False):
        typed = st.text_input("Code", default, max_chars=12, key="room code", placeholder="ABCDEF", autocomplete="off")
        if st.form_submit_button("Find room", type="primary", icon=":material/login:", key="find room"):
            st.query_params[arriving.ROOM] = codes.clean_code(typed) or "-"
            st.rerun()


def _offer_to_join() -> None:
    st.header("Join a room", anchor=False)
    st.markdown("Enter the code that your teacher shows, or scan the QR code beside it.")
    ask_for_code()


def _offer_to_open(folder: ModelFolder) -> None:
    st.markdown(
        "Students vote on their phones, image by image. You then reveal the truth and the model's answer, and at the "
        "end compare the class with the model."
    )
    source: From = st.segmented_control(
        "Images", list(SOURCES), default="samples", required=True, format_func=SOURCES.__getitem__, key="vote source"
    )
    root = choose_dataset() if source == "data set" else None
    count = st.slider("Number of images", MIN_IMAGES, MAX_IMAGES, 10, key="vote images")
    st.caption(
        "The images are chosen at random, half of each label where there are enough. The model answers them now, and "
        "nobody waits for it later."
    )
    ready = source != "data set" or root is not None
    pressed = st.button(
        "Open room", type="primary", icon=":material/meeting_room:", key="open room", disabled=not ready
    )
    learn_more("vote rules", _RULES)
    if pressed:
        with show_errors():
            _open(folder, source, root, count)
            st.rerun()


_RULES = (
    f"A room is open for three hours, for up to {rooms.MAX_STUDENTS} students "
    f"({demo.LIMITS.max_students} in a public demo). Until you reveal an answer, a student's latest vote counts. "
    "Nicknames are optional. What a room holds is deleted when you close it, or when it expires: pictures, votes and "
    "nicknames."
)


def _open(folder: ModelFolder, source: From, root: str | None, count: int) -> None:
    model = prediction_cache.adjusted_classifier(folder)
    progress = st.progress(0.0, "Preparing the images")
    images = []
    found = _source(source, root, model, count)
    for image in examine(found, model, count):
        images.append(image)
        progress.progress(len(images) / count, f"Asking the model: {len(images)} of {count} images")
    progress.empty()
    _check(images, found)
    answering = RoomModel(folder.name, model.labels, balanced_threshold(model))
    arriving.teach(*rooms.open_room(images, found.labels, answering, found.credit))


def _source(source: From, root: str | None, model: Classifier, count: int) -> Source:
    if source == "phantoms":
        return phantoms(model, count)
    if root is not None:
        return dataset(root)
    return samples()


def _check(images: list[NewImage], found: Source) -> None:
    if len({each.label for each in images}) < 2:
        words = " and ".join(found.labels)
        raise RoomError(f"A class vote needs images of both labels, {words}, that can be read. Choose other images.")
