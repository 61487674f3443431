"""The lesson: steps that lead through the app, each with a prediction first; and a page for the teacher."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import streamlit as st

from fracture.app.lesson.predictions import entries, outcome
from fracture.app.lesson.step import show_step
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import ensure_routed, escape_markdown, page_head, show_errors
from fracture.inference.classifier import NOTICE
from fracture.teaching.entries import Entry, guide_entry
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
    """A presentation, whose type is larger, names the chosen step alone: the others keep their numbers."""
    done = outcome(step) is not None
    named = not presenting.is_on() or state.LESSON.get() == number - 1
    return f"{':material/check: ' if done else ''}{number}{f' {step.settings.title}' if named else ''}"


def show_teacher(lesson: Lesson, place: int) -> None:
    """What the teacher should know about a step, and the hand-out."""
    step = lesson.steps[place]
    minutes = sum(each.settings.minutes for each in lesson.steps)
    st.caption(
        f"{len(lesson.steps)} steps, {minutes} minutes. Read this page on a screen of your own, or print it. What the "
        "class does is kept in its browser tab: a reload of that tab begins a new lesson. The files are in `lesson/`: "
        "change or translate them."
    )
    st.header(f"{place + 1}. {step.settings.title} · {step.settings.minutes} min", anchor=False)
    st.markdown(f":material/quiz: {step.settings.question}")
    st.markdown("\n".join(_list_choices(step)))
    st.markdown(step.teacher)
    with st.container(horizontal=True):
        _offer_handout(lesson)
        _offer_guide(lesson)


def _list_choices(step: Step) -> Iterator[str]:
    """The choices as a list in Markdown, with a mark at the right one."""
    for place, choice in enumerate(step.settings.choices):
        shown = escape_markdown(choice)
        yield f"- :material/check: **{shown}**" if place == step.settings.answer else f"- {shown}"


def _offer_handout(lesson: Lesson) -> None:
    # Now, and not at the click: then there is no session that holds what the class did.
    made = entries(lesson)
    _offer_document("Hand-out (PDF)", "lesson.pdf", "handout", partial(_make_document, lesson, made))


def _offer_guide(lesson: Lesson) -> None:
    made = [guide_entry(step) for step in lesson.steps]
    _offer_document("Teacher's guide (PDF)", "teacher.pdf", "guide", partial(_make_document, lesson, made))


def _offer_document(title: str, file: str, key: str, make: Callable[[], bytes]) -> None:
    """A button that downloads a document, which is made at the click."""
    st.download_button(title, make, file, "application/pdf", icon=":material/download:", key=key, on_click="ignore")


def _make_document(lesson: Lesson, parts: list[Entry]) -> bytes:
    from fracture.teaching.handout import to_pdf  # loads fpdf2

    return to_pdf(lesson, parts, datetime.now().astimezone(), NOTICE)


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
        presenting.offer_steps("step", place, len(lesson.steps), state.LESSON.set, ends=True)
        if view == "Teacher":
            show_teacher(lesson, place)
            return
        show_step(lesson.steps[place], place + 1)
        _offer_next(lesson, place)


ensure_routed("lesson")
with show_errors():
    show_lesson()
st.caption(NOTICE)
