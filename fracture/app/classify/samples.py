"""X-rays to try a model on, for a visitor who has none: real ones of FracAtlas, and synthetic ones."""

import logging
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

import streamlit as st

from fracture import sample_radiographs
from fracture.app.classify.pictures import Revealed
from fracture.app.classify.quiz.guess import Finding, next_unseen
from fracture.app.classify.strip import Tile, show_strip
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.frame import presenting
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import linked_name
from fracture.errors import FractureError
from fracture.imaging.annotations import scale_boxes
from fracture.imaging.thumbnails import thumbnail
from fracture.inference.classifier import Classifier
from fracture.phantoms.samples import sample_numbers
from fracture.sample_radiographs import CREDIT, FIRST, SampleRadiograph

TILE_PX = 152
"""Longer side of a thumbnail: twice that of a large tile."""


class Sample(NamedTuple):
    """A sample that is classified."""

    study: str
    """Its name in a file of answers, and a part of the widgets' keys."""
    title: str
    source: str
    """Where it comes from, with the credit that its license asks for."""
    by_model: dict[str, list[Examined]]
    """Its views, by the name of the model that examined them."""
    truths: dict[str, Revealed]
    """By the name of the view."""
    finding: Finding
    """What is really there."""


def follow_link() -> None:
    """Select the real sample that the address names, once each time that the page is entered."""
    linked = linked_name("sample")
    if linked and linked in [each.name for each in _real()]:
        _choose(linked)


def choose_sample(*, wide: bool) -> None:
    """A strip of real and synthetic X-rays; in several rows with their names where ``wide``, presented in one."""
    tiles = _tiles()
    show_strip(tiles, state.SAMPLE.get(), _choose, wide=wide, large=presenting.is_on())
    if wide or state.SAMPLE.get():  # else uploads are shown
        _offer_steps([tile.identity for tile in tiles])


def _offer_steps(identities: Sequence[str]) -> None:
    """Let the keys of a presentation lead from sample to sample, from none to the first one."""
    shown = state.SAMPLE.get()
    place = identities.index(shown) if shown in identities else -1
    presenting.offer_steps("sample", place, len(identities), lambda to: _choose(identities[to]))


def offer_next_unseen() -> None:
    """Once the answer for the selected sample has been seen: a button for the next one to guess."""
    shown = state.SAMPLE.get()
    if shown not in state.seen_answers():
        return
    following = next_unseen([tile.identity for tile in _tiles()], shown)
    if following is None:
        st.caption("You have seen the answers for all samples.")
        return
    st.button(
        "Next X-ray",
        icon=":material/arrow_forward:",
        key="next unseen",
        help="The next sample whose answer you have not seen",
        on_click=_choose,
        args=(following,),
    )


def offer_other_samples() -> None:
    """A button that generates other synthetic X-rays."""
    st.button(
        "Show other samples",
        icon=":material/refresh:",
        type="tertiary",
        key="other samples",
        help="Other synthetic X-rays",
        on_click=_generate_others,
    )


def read_sample(models: Sequence[Classifier]) -> Sample | None:
    """The selected sample as models see it; None where none is selected."""
    identity = state.SAMPLE.get()
    if identity.isdecimal():
        return _read_synthetic(int(identity), models)
    for each in _real():
        if each.name == identity:
            return _read_real(each, models)
    return None


def _read_synthetic(number: int, models: Sequence[Classifier]) -> Sample:
    found = {model.name: prediction_cache.sample(number, model) for model in models}
    by_model = {name: [each for each, _ in views] for name, views in found.items()}
    views = next(iter(found.values()))
    truths = {each.seen.name: Revealed(truth.words, truth.boxes) for each, truth in views}
    fractured = any(truth.fracture for _, truth in views)
    abnormal = any(truth.abnormal for _, truth in views)
    finding = Finding(fractured, abnormal)
    return Sample(f"synthetic {number}", _name(number), "not from a patient", by_model, truths, finding)


def _read_real(sample: SampleRadiograph, models: Sequence[Classifier]) -> Sample:
    by_model = {model.name: [prediction_cache.sample_radiograph(sample.path, model)] for model in models}
    [each] = next(iter(by_model.values()))
    height, width = each.pixels.shape
    words = f"{sample.label}, as FracAtlas's readers decided"
    truth = Revealed(words, tuple(scale_boxes(sample.boxes, width, height)))
    fractured = bool(sample.boxes)
    # FracAtlas's readers looked for fractures: what they call not fractured may be abnormal in another way.
    finding = Finding(fractured, abnormal=True if fractured else None)
    return Sample(sample.name, _title(sample), f"X-ray: {CREDIT}", by_model, {each.seen.name: truth}, finding)


def _tiles() -> list[Tile]:
    """All samples in the order of the strip, the real ones first."""
    numbers = _numbers()
    pictures = prediction_cache.sample_thumbnails(tuple(numbers))
    real = [tile for tile in map(_real_tile, _real()) if tile is not None]
    return [*real, *(Tile(str(number), _name(number), each) for number, each in zip(numbers, pictures, strict=True))]


def _real() -> tuple[SampleRadiograph, ...]:
    """The clearest one first; none where a deployment has left them out, or where they can't be read."""
    try:
        found = sample_radiographs.sample_radiographs()
    except FractureError:
        return ()
    return tuple(sorted(found, key=lambda each: each.name != FIRST))


def _title(sample: SampleRadiograph) -> str:
    return "Several parts" if sample.body_part == "mixed" else sample.body_part.capitalize()


def _choose(identity: str) -> None:
    """Select a sample, whose answer is hidden again where answers are."""
    state.SAMPLE.set(identity)
    state.SHOWN_ANSWERS.set(())


def _real_tile(sample: SampleRadiograph) -> Tile | None:
    """The tile of a real sample; None where its file is damaged, which must not keep anybody from an upload."""
    try:
        return Tile(sample.name, _title(sample), thumbnail(str(sample.path), TILE_PX))
    except FractureError as error:
        logging.getLogger(__name__).warning("Sample %s is left out: %s", sample.name, error)
        return None


def _name(number: int) -> str:
    """By its place in the row; a number would say nothing."""
    numbers = _numbers()
    letter = ascii_uppercase[numbers.index(number)] if number in numbers else ""
    return f"Synthetic {letter}".strip()


def _numbers() -> list[int]:
    return state.SAMPLES.get() or _first_samples()


@st.cache_data(show_spinner=False)
def _first_samples() -> list[int]:
    """The same row for every visitor: generating one takes a second, and so much memory that few fit at once."""
    return sample_numbers()


def _generate_others() -> None:
    if state.SAMPLE.get().isdecimal():
        state.SAMPLE.set("")
    state.SAMPLES.set(sample_numbers())
