"""The findings about a data set: why each matters, and a button that shows its images."""

import os
from collections.abc import Callable

import streamlit as st

from fracture.app.dataset.properties import show_properties
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import any_open
from fracture.app.shared.widgets import choose_model, escape_markdown, show_errors
from fracture.data import measurements
from fracture.data.checks import Problem, by_severity
from fracture.data.dataset import Dataset
from fracture.data.decisions import apply_decisions
from fracture.evaluation import label_issues
from fracture.evaluation.properties import associations as properties
from fracture.formatting import format_duration
from fracture.registry.default_model import has_labels, labels_of
from fracture.registry.model_folder import ModelFolder

ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}

MAX_ANALYZED_UNASKED = 600
"""Images. So many are analyzed without a click: a few seconds."""

ANALYSIS_SECONDS = 0.014
"""Of one core, for an image of 512 px."""

PREDICTION_SECONDS = 0.03
"""For the features and the prediction of an image."""


def found(data: Dataset) -> list[Problem]:
    """All findings that are known by now, errors first: of the checks, of a property, and of a model that was asked."""
    problems = list(dataset_cache.problems(data))
    if shortcut := properties.problem(dataset_cache.associations(data), data.label_names[1]):
        problems.append(shortcut)
    if issues := state.label_issues(data.root).get():
        problems.append(issues)
    if selected := state.map_selection(data.root).get():
        problems.append(selected)
    return by_severity(problems)


def shown_finding(data: Dataset) -> Problem | None:
    """The finding whose images the gallery shows, as it is after the latest decisions; None where it shows all."""
    kind = state.finding(data.root).get()
    return next((problem for problem in found(data) if problem.kind == kind), None) if kind else None


def analyze_few(data: Dataset) -> None:
    """Analyze the images without a click where that takes a few seconds, and run the page again.

    To be called last, once the images are seen: nothing that is drawn later waits for it.
    """
    missing = _count_missing(data)
    # Only once: an image that cannot be opened is missing after the analysis, too.
    analyzed = state.analyzed(data.root, data.version).get()
    if 0 < missing <= MAX_ANALYZED_UNASKED and not analyzed and not any_open():
        _analyze(data)


def show_checks(data: Dataset, complete: bool = True) -> None:
    """Each finding with its count, why it matters, and a button that shows exactly its images.

    Args:
        data: the data set.
        complete: no more images will come, so that the present ones may be analyzed.
    """
    missing = _count_missing(data)
    problems = found(data)
    left, right = st.columns((3, 2), gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_title(len(problems), missing)}**", width="stretch")
            if missing and complete:
                _offer_analysis(data, missing)
        for problem in problems:
            _show_finding(problem, data)
        if not problems:
            st.markdown("Every file can be found, and no patient or group is in both splits.")
    with right:
        labels = st.container(border=True)
        show_properties(data)
        with labels:  # drawn last: a search takes its time
            _offer_label_issues(data)


def _count_missing(data: Dataset) -> int:
    """How many images have not been analyzed."""
    return len(data.table) - len(dataset_cache.cached_measurements(data))


def _title(findings: int, missing: int) -> str:
    count = "No findings"
    if findings:
        count = f"{findings} finding{'' if findings == 1 else 's'}"
    rest = f"; {missing:,} images not analyzed yet" if missing else ""
    return f"{count}{rest}"


def _show_finding(problem: Problem, data: Dataset) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        message = f"{ICONS[problem.severity]} {escape_markdown(problem.message)}"
        st.markdown(f"{message}  \n:small[{escape_markdown(problem.why)}]", width="stretch")
        if problem.images:
            st.button(
                f"Show {len(problem.images):,}",
                key=f"show {problem.kind}",
                icon=":material/image_search:",
                on_click=_show_images,
                args=(problem, data),
            )


def _show_images(problem: Problem, data: Dataset) -> None:
    """Show a finding's images in the gallery, and open its tab."""
    state.finding(data.root).set(problem.kind)
    state.DATASET_TAB.set("Images")


def _offer_analysis(data: Dataset, missing: int) -> None:
    seconds = missing * ANALYSIS_SECONDS / (os.cpu_count() or 1)
    estimate = f"{missing:,} images, about {format_duration(seconds)}."
    finds = "Finds duplicates, damaged, blank, inverted and blurred images, and properties that predict the label."
    if st.button("Analyze images", icon=":material/visibility:", key="analyze images", help=f"{estimate} {finds}"):
        _analyze(data)


def _analyze(data: Dataset) -> None:
    """Analyze all images; an interrupted analysis resumes where it was."""
    measurements.measure(data.table, _progress_bar("Analyzing images"))
    state.analyzed(data.root, data.version).set(True)
    dataset_cache.forget_measurements()
    st.rerun()


def _offer_label_issues(data: Dataset) -> None:
    asked_elsewhere = state.label_search(data.root).pop()
    st.markdown("A model's features can show which labels are doubtful.")
    model = choose_model(data.label_names)
    if model is None:
        st.caption("There is no model yet.")
        return
    if not has_labels(model, data.label_names):
        st.caption(_describe_other_labels(model, data))
    asked = st.button(
        "Find doubtful labels",
        icon=":material/psychology_alt:",
        key="find label issues",
        help=label_search_time(data),
    )
    if asked or asked_elsewhere:
        with show_errors():
            _find_label_issues(data, model)
    if state.contradicted_by_none(data.root).get() == model.name:
        name = escape_markdown(model.name)
        st.info(f"By the features of *{name}*, no label is doubtful.", icon=":material/check:")


def label_search_time(data: Dataset) -> str:
    """How long a model takes at most to find doubtful labels."""
    images = len(data.table)
    longest = format_duration(images * PREDICTION_SECONDS)
    return f"About {longest} for {images:,} images; less where features are cached."


def _describe_other_labels(model: ModelFolder, data: Dataset) -> str:
    """Why a model with other labels than the data set's can be asked all the same."""
    its_own = " or ".join(f"*{escape_markdown(label)}*" for label in labels_of(model))
    of_data = " or ".join(f"*{escape_markdown(label)}*" for label in data.label_names)
    return (
        f"This model answers {its_own}; the images are labeled {of_data}. Only its features count here: a regression "
        "on them learns the data set's own labels."
    )


def _find_label_issues(data: Dataset, model: ModelFolder) -> None:
    """Look for doubtful labels, and show them among the findings."""
    found = label_issues.find_label_issues(apply_decisions(data), model, _progress_bar("Classifying images"))
    issues = label_issues.problem(found, data.label_names, model.name)
    state.label_issues(data.root).set(issues)
    state.contradicted_by_none(data.root).set("" if issues else model.name)
    st.rerun()


def _progress_bar(action: str) -> Callable[[int, int], None]:
    """Draw a progress bar; the returned function is told how many of how many images are done."""
    bar = st.progress(0.0, text=action)

    def on_progress(done: int, total: int) -> None:
        bar.progress(done / max(total, 1), text=f"{action}: {done:,} of {total:,}")

    return on_progress
