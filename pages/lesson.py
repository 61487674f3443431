"""The lesson: steps that lead through the app, each with a prediction first; and a page for the teacher."""

from datetime import datetime

import streamlit as st

from fracture.app.lesson.predictions import entries, outcome
from fracture.app.lesson.step import show_step
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import ensure_routed, page_head, show_errors
from fracture.inference.classifier import NOTICE
from fracture.teaching.lesson import Lesson, Step, list_languages, read_lesson

VIEWS = ("Class", "Teacher")


def choose_lesson() -> Lesson | None:
    """A picker of a language, where there are several."""
    names = list_languages()
    name = names[0] if names else None
    lessons = {each: read_lesson(each) for each in names}
    if len(names) > 1:
        name = st.selectbox(
            "Language",
            names,
            format_func=lambda each: lessons[each].language,
            key="lesson language",
            persist_state="session",
            label_visibility="collapsed",
            width=160,
        )
    return lessons.get(name or "")


def choose_step(lesson: Lesson) -> int:
    """The steps in a row, with a mark on those that were done."""
    last = len(lesson.steps) - 1
    st.session_state[state.LESSON.key] = min(state.LESSON.get() or 0, last)
    chosen: int = st.segmented_control(
        "Step",
        range(len(lesson.steps)),
        format_func=lambda place: _describe(lesson.steps[place], place + 1),
        required=True,
        key=state.LESSON.key,
        persist_state="session",
        label_visibility="collapsed",
    )
    return chosen


def _describe(step: Step, number: int) -> str:
    done = outcome(step) is not None
    return f"{':material/check: ' if done else ''}{number} {step.settings.title}"


def show_teacher(lesson: Lesson, place: int) -> None:
    """What the teacher should know about a step, and the hand-out."""
    step = lesson.steps[place]
    minutes = sum(each.settings.minutes for each in lesson.steps)
    st.caption(f"{len(lesson.steps)} steps, {minutes} minutes. The files are in `lesson/`: change or translate them.")
    st.header(f"{place + 1}. {step.settings.title} · {step.settings.minutes} min", anchor=False)
    st.markdown(step.teacher)
    st.markdown(f":material/quiz: {step.settings.question}")
    _offer_handout(lesson)


def _offer_handout(lesson: Lesson) -> None:
    st.download_button(
        "Hand-out (PDF)",
        lambda: _handout(lesson),
        "lesson.pdf",
        "application/pdf",
        icon=":material/download:",
        key="handout",
        on_click="ignore",
    )


def _handout(lesson: Lesson) -> bytes:
    from fracture.teaching.handout import to_pdf  # loads fpdf2

    return to_pdf(lesson, entries(lesson), datetime.now().astimezone(), NOTICE)


def _offer_next(lesson: Lesson, place: int) -> None:
    """The next step, or the hand-out after the last one."""
    if place == len(lesson.steps) - 1:
        _offer_handout(lesson)
    else:
        st.button(
            f"Next: {lesson.steps[place + 1].settings.title}",
            icon=":material/arrow_forward:",
            key="next lesson step",
            on_click=state.LESSON.set,
            args=(place + 1,),
        )


def show_lesson() -> None:
    """The chosen step, for the class or for the teacher."""
    with page_head("Lesson"), st.container(horizontal=True, horizontal_alignment="right"):
        lesson = choose_lesson()
        view = st.segmented_control(
            "View",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="lesson view",
            persist_state="session",
            label_visibility="collapsed",
        )
    if lesson is None:
        st.info("There is no lesson: the folder *lesson* is missing.", icon=":material/folder_off:")
        return
    with st.container(key=f"lesson_{lesson.direction}"):
        place = choose_step(lesson)
        presenting.offer_steps("step", place, len(lesson.steps), state.LESSON.set)
        if view == "Teacher":
            show_teacher(lesson, place)
            return
        show_step(lesson.steps[place], place + 1)
        _offer_next(lesson, place)


ensure_routed("lesson")
with show_errors():
    show_lesson()
st.caption(NOTICE)
