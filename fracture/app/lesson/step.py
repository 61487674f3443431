"""A step of the lesson as the class sees it: the task, a prediction, the way to the page, and the result."""

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from fracture.app.lesson.predictions import outcome, predict, predicted, withdraw
from fracture.app.shared.widgets import escape_markdown
from fracture.teaching.lesson import Step


def show_step(step: Step, number: int) -> None:
    """The task and the prediction on the left; on the right what comes next: the question, the page, the result."""
    choice = predicted(step)
    values = outcome(step)
    left, right = st.columns(2, gap="large")
    with left:
        st.header(f"{number}. {escape_markdown(step.settings.title)}", anchor=False)
        st.markdown(step.task)
        if choice is not None:
            _show_prediction(step, choice, done=values is not None)
    with right:
        if choice is None:
            _ask(step)
        elif values is None:
            _offer_page(step)
            st.info(escape_markdown(step.settings.todo), icon=":material/checklist:")
        else:
            _show_result(step, step.settings.figure.format_map(values))
            _offer_page(step)


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


def _show_prediction(step: Step, choice: int, *, done: bool) -> None:
    """The class's own choice: with a mark once the result is known, until then with a button to choose again."""
    question = escape_markdown(step.settings.question)
    mark = "psychology"
    if done and step.settings.answer is not None:
        mark = "check" if choice == step.settings.answer else "close"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown(f"{question}  \n:material/{mark}: **{escape_markdown(step.settings.choices[choice])}**")
        if not done:
            st.button(
                "Choose again",
                icon=":material/undo:",
                type="tertiary",
                key=f"withdraw {step.name}",
                on_click=withdraw,
                args=(step,),
            )


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
        if step.settings.answer is not None:
            st.markdown(f":material/lightbulb: **{escape_markdown(step.settings.choices[step.settings.answer])}**")
        st.markdown(step.result)
