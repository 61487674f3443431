"""The pictures of a room, as wide as their height leaves room for."""

import io

import streamlit as st
from PIL import Image

from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.inference.classifier import NOTICE
from fracture.teaching import rooms
from fracture.teaching.rooms import Reveal, Room


def show_image(room: Room, max_height: int, max_width: int, *, heat: bool) -> None:
    """The image that a room shows, where it is revealed with the heat map and what is drawn in it; sides in px.

    Its alternative text says nothing about the truth.
    """
    reveal = revealed(room) if heat else None
    jpeg = reveal.heat if reveal is not None else rooms.picture(room.code, room.place)
    if jpeg is None:  # the room was closed at this moment: the page is about to say so
        return
    alt = f"Radiograph {room.place + 1} of {room.images}"
    show_picture(
        jpeg, f"{alt}, with the heat map of the model" if reveal else alt, width=_width(jpeg, max_height, max_width)
    )
    if reveal is not None:
        st.caption(_describe_marks(room, reveal))


def revealed(room: Room) -> Reveal | None:
    """What is revealed of the image that a room shows; None before."""
    return rooms.reveal_of(room.code, room.place) if room.revealed else None


def _describe_marks(room: Room, reveal: Reveal) -> str:
    """What the colors and the lines over a revealed picture mean: those that it may have."""
    positive = escape_markdown(room.model.labels[1])
    meanings = [f"Orange speaks for *{positive}*, blue against it."]
    if reveal.answer != room.model.labels[0]:
        meanings.append("A ring marks the likeliest place.")
    if reveal.label == 1:
        meanings.append("Yellow boxes are the truth.")
    return " ".join(meanings)


def show_sources(room: Room) -> None:
    """The credit that the images' license asks for, and what the app is not."""
    credit = f"X-rays: {room.credit}. " if room.credit else ""
    st.caption(f"{credit}{NOTICE}")


def image_title(room: Room) -> None:
    """Which image of how many this is."""
    st.markdown(f"**Image {room.place + 1} of {room.images}**", width="content")


def _width(jpeg: bytes, max_height: int, max_width: int) -> int:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return min(max_width, max(1, round(max_height * picture.width / picture.height)))
