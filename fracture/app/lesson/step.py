"""A step of the lesson as the class sees it: the task, a prediction, the way to the page, and the result."""

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from fracture.app.lesson.predictions import outcome, predict, predicted
from fracture.app.shared.widgets import escape_markdown
from fracture.teaching.lesson import Step


def show_step(step: Step, number: int) -> None:
    """The task at the left; at the right what the class predicts, does and finds, one after the other."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.header(f"{number}. {escape_markdown(step.settings.title)}", anchor=False)
        st.markdown(step.task)
    with right:
        choice = predicted(step)
        if choice is None:
            _ask(step)
            return
        _show_prediction(step, choice)
        _offer_page(step)
        values = outcome(step)
        if values is None:
            st.info(escape_markdown(step.settings.todo), icon=":material/checklist:")
            return
        _show_result(step, step.settings.figure.format_map(values))


def _ask(step: Step) -> None:
    with st.form(f"prediction {step.name}"):
        choice: str | None = st.radio(
            escape_markdown(step.settings.question), step.settings.choices, index=None, key=f"choice {step.name}"
        )
        if st.form_submit_button("Predict", type="primary", key=f"predict {step.name}"):
            if choice is None:
                st.warning("Choose what you expect, then see what happens.", icon=":material/help:")
            else:
                predict(step, step.settings.choices.index(choice))
                st.rerun()


def _show_prediction(step: Step, choice: int) -> None:
    question = escape_markdown(step.settings.question)
    st.markdown(f"{question}  \n:material/psychology: **{escape_markdown(step.settings.choices[choice])}**")


def _offer_page(step: Step) -> None:
    """A button that opens the page on which the step is done; a page that is run alone can't open one."""
    settings = step.settings
    if st.button(settings.link, icon=":material/arrow_forward:", type="primary", key=f"go {step.name}"):
        with suppress(StreamlitAPIException):
            st.switch_page(f"pages/{settings.page}.py", query_params=settings.query or None)


def _show_result(step: Step, figure: str) -> None:
    with st.container(border=True, key=f"result {step.name}"):
        if figure:
            st.markdown(f":material/check: {escape_markdown(figure)}")
        st.markdown(step.result)
        answer = step.settings.answer
        if answer is not None:
            right = predicted(step) == answer
            mark = ":material/check:" if right else ":material/close:"
            st.markdown(f"{mark} **{escape_markdown(step.settings.choices[answer])}**")
