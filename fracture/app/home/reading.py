"""A real radiograph with the bundled model's answer: what a visitor sees first."""

from contextlib import suppress

import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAPIException

from fracture import charts, sample_radiographs
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.frame import presenting
from fracture.app.shared.heatmap_overlay import heated, marked_regions
from fracture.app.shared.images import show_picture, show_verdict
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import offer_upload
from fracture.app.shared.widgets import show_errors
from fracture.imaging.annotations import scale_boxes
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import STATUS_SENTENCES, Answer
from fracture.registry.model_folder import SHIPPED_MODELS, shipped_models
from fracture.sample_radiographs import SampleRadiograph

HEIGHT_PX = 420
"""Of the picture: with its title and its answer it is seen at once on a screen of 768 px."""

PRESENTED_HEIGHT_PX = 475
"""Of the picture in a presentation, with its title and the notice on a screen of 720 px."""

OPACITY = 0.4
"""Of the heat map."""

READER = SHIPPED_MODELS[0]
"""The model that was validated on these samples."""


def show_reading() -> None:
    """A sample with its heat map, and the answer beside it; nothing in a deployment without samples or their model."""
    samples: tuple[SampleRadiograph, ...] = ()
    with show_errors():
        samples = sample_radiographs.sample_radiographs()
    readers = [folder for folder in shipped_models() if folder.name == READER]
    if not samples or not readers:
        return
    name = state.HOME_SAMPLE.get() or sample_radiographs.FIRST
    sample = next((each for each in samples if each.name == name), samples[0])
    place = samples.index(sample)
    following = samples[(place + 1) % len(samples)]
    presenting.offer_steps("X-ray", place, len(samples), lambda to: state.HOME_SAMPLE.set(samples[to].name))
    with show_errors():
        model = prediction_cache.adjusted_classifier(readers[0])
        examined = prediction_cache.examined_file(sample.path, model)
        answer = model.answer([examined.view])
        with st.container(horizontal=True, gap="large"):
            with st.container(key="home_image", width=max(260, _width(sample))):
                sentences = _show_picture(sample, model, examined, answer)
                if not presenting.is_on():
                    for sentence in sentences:
                        st.caption(sentence)
            with st.container():
                with st.container(key="home_verdict"):
                    _show_answer(answer)
                    state.seen_answers().add(sample.name)  # a guess on *Classify* would not count
                if presenting.is_on():  # one thing at a time
                    # Not below the picture, which is larger here: the bar would cover them.
                    st.container(key="home_words").markdown("\n\n".join(sentences))
                    st.caption(_credit())
                else:
                    _offer_ways(sample, following)


def _offer_ways(sample: SampleRadiograph, following: SampleRadiograph) -> None:
    """What this app is for, in a sentence and three buttons; an uploader, and the next sample."""
    st.markdown("Explore bone X-rays, train **InceptionV3** on them, and see where a model looks.")
    with st.container(horizontal=True):
        _offer_page("Read an X-ray", ":material/radiology:", "classify", sample=sample.name, hide="0")
        # Another one: the answer to this one has been seen.
        _offer_page("Beat the model", ":material/psychology:", "classify", sample=following.name, hide="1")
        _offer_page("Train your own", ":material/model_training:", "train")
    offer_upload()
    with st.container(horizontal=True, vertical_alignment="center"):
        _offer_next(following)
        st.caption(_credit(), width="content")


def _credit() -> str:
    return f"X-ray: {sample_radiographs.CREDIT}. The model was not trained on it."


def _offer_page(label: str, icon: str, page: str, **query: str) -> None:
    """A button that opens another page; a page that is run alone can't open one."""
    if st.button(label, icon=icon, key=f"way {label}", type="primary"):
        with suppress(StreamlitAPIException):
            st.switch_page(f"pages/{page}.py", query_params=query)


def _show_picture(sample: SampleRadiograph, model: Classifier, examined: Examined, answer: Answer) -> list[str]:
    """Without an answer there is no heat map to explain it, and with a negative one there are no boxes.

    Returns:
        What the boxes are, and on request the truth: a sentence of Markdown each.
    """
    place = st.container()
    with st.container(horizontal=True):
        with_heat = st.toggle("Heat map", value=True, key="home heat map", disabled=not answer.answered)
        with_truth = st.toggle("Truth", key=f"home truth of {sample.name}")
    picture = Image.fromarray(examined.pixels)
    regions: list[charts.LabeledBox] = []
    if with_heat and answer.answered:
        picture = heated(model, examined, OPACITY, 1.0)
        if answer.outcome != "negative":
            regions = marked_regions(model, examined) or []
        picture = charts.boxed(picture, regions)
    if with_truth:
        picture = charts.outlined(picture, scale_boxes(sample.boxes, picture.width, picture.height))
    with place:
        show_picture(picture, _describe_picture(sample), width=_width(sample))
    sentences = []
    if regions:
        sentences.append(_describe_boxes(model))
    if with_truth:
        sentences.append(f"FracAtlas's readers: {sample.label}{', in the yellow boxes' if sample.boxes else ''}.")
    return sentences


def _describe_picture(sample: SampleRadiograph) -> str:
    return "X-ray of several body parts" if sample.body_part == "mixed" else f"X-ray of the {sample.body_part}"


def _describe_boxes(model: Classifier) -> str:
    """What solid and dashed boxes are."""
    recorded = model.card.regions
    assert recorded is not None, "without thresholds no region is marked"
    solid = recorded.thresholds.high_specificity
    dashed = recorded.thresholds.high_sensitivity
    return f"Boxes are candidate regions: solid from a probability of {solid:.1%} on, dashed from {dashed:.1%}."


def _show_answer(answer: Answer) -> None:
    if not answer.answered:
        st.info(STATUS_SENTENCES[answer.status], icon=":material/help:")
        return
    show_verdict(answer)
    low, high = answer.limits.describe()
    between = "; between the two it does not decide" if answer.limits.leave_doubt else ""
    st.markdown(
        f"The bundled model's probability of *{answer.labels[1]}*. Below {low} it answers *{answer.labels[0]}*, from "
        f"{high} *{answer.labels[1]}*{between}."
    )


def _width(sample: SampleRadiograph) -> int:
    """The width of the picture in px."""
    height = PRESENTED_HEIGHT_PX if presenting.is_on() else HEIGHT_PX
    return round(height * sample.aspect)


def _offer_next(sample: SampleRadiograph) -> None:
    st.button(
        "Show another X-ray",
        icon=":material/arrow_forward:",
        key="another sample",
        on_click=state.HOME_SAMPLE.set,
        args=(sample.name,),
    )
