"""Whether one of several models is better: their metrics side by side, and paired differences with intervals."""

from collections.abc import Sequence

import streamlit as st

from fracture.app.models.comparison.sides import Side, side_of, warnings
from fracture.app.shared import prediction_cache
from fracture.app.shared.metrics import choose_level, verdict
from fracture.app.shared.prediction_cache import BY_FOLDER
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import ModelError
from fracture.estimate import format_change
from fracture.registry.metric_names import COUNTED
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import validation_results
from fracture.training.runs.compare import Paired, check_same_files, pair
from fracture.training.runs.queue import Run


def show_significance(runs: Sequence[Run]) -> tuple[list[Side], str]:
    """Whether one of the runs that have a model is better: paired differences with intervals, and warnings.

    Returns:
        The models that are compared, and by which level; fewer than two where there is nothing to compare.
    """
    heading, choice = st.columns([2, 3], vertical_alignment="center")
    heading.header("Significance")
    with_card = [side_of(run.folder, "") for run in runs if run.folder.usable]
    sides = [side for side in with_card if side is not None]
    with_model = {side.name for side in sides}
    without = [escape_markdown(run.name) for run in runs if run.name not in with_model]
    if without:
        st.caption(f"No model yet: {', '.join(without)}.")
    if len(sides) == 1:
        st.markdown(f"Only {escape_markdown(sides[0].name)} has a model.")
    if len(sides) < 2:
        return sides, "image"
    with choice:
        sides, level = _choose_results(sides)
    _show_differences(sides, level)
    for warning in warnings(sides):
        st.warning(warning, icon=":material/warning:")
    return sides, level


def _choose_results(sides: list[Side]) -> tuple[list[Side], str]:
    """Which of the validation data sets that all models share, and by image or by study, where there is a choice."""
    shared = _data_of(sides[0])
    for other in sides[1:]:
        shared = [data for data in shared if data in _data_of(other)]
    level = "image"
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        if shared:
            data = st.selectbox("Validation data", shared, key="compared data") if len(shared) > 1 else shared[0]
            on_same_data = [side_of(side.folder, data) for side in sides]
            sides = [side for side in on_same_data if side is not None]
        if all("study" in side.result.metrics for side in sides):
            level = choose_level("compared level")
    return sides, level


def _data_of(side: Side) -> list[str]:
    return [result.data for result in validation_results(side.card)]


def _show_differences(sides: list[Side], level: str) -> None:
    """Each model against the first one, on the images that both were validated on."""
    first, *others = sides
    for other in others:
        st.markdown(f"- {_compare(first, other, level)}")
    several = " With more comparisons, one of twenty equal models differs significantly by chance."
    st.caption(
        "95% intervals in brackets, by paired bootstrap: a thousand resamples of patients or groups, the same for both "
        f"models. They apply to other patients, not to other seeds.{several if len(others) > 1 else ''}"
    )


def _compare(first: Side, other: Side, level: str) -> str:
    names = f"**{escape_markdown(other.name)}** against **{escape_markdown(first.name)}**"
    if first.data != other.data:
        return f"{names}: no paired comparison, since they were validated on different images."
    try:
        paired = _paired(first.folder, other.folder, level, (first.result.only, other.result.only))
    except ModelError as error:
        return f"{names}: {escape_markdown(str(error))}"
    return f"{names}: {describe_difference(paired, COUNTED[level])}"


def describe_difference(paired: Paired, counted: str) -> str:
    """The difference in AUC, and whether it is significant: whether its interval excludes zero."""
    value = paired.auc["value"]
    low = paired.auc["low"]
    high = paired.auc["high"]
    where = f"on the same {paired.cases:,} {counted} of {paired.groups:,} patients or groups"
    if value is None:
        return f"no AUC {where}: all of them have the same label."
    if low is None or high is None:
        return f"AUC differs by {format_change(value)} {where}. There is no interval: all resamples agree."
    interval = f"{format_change(low)} to {format_change(high)}"
    return f"AUC differs by {format_change(value)} ({interval}) {where}. {verdict(paired.auc)}"


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_FOLDER)
def _paired(first: ModelFolder, other: ModelFolder, level: str, only: tuple[str, str]) -> Paired:
    """``only``: of each model the data set to compare on, empty where its predictions are of one alone."""
    of_first, of_other = only
    check_same_files(
        prediction_cache.scored(first, "image", of_first), prediction_cache.scored(other, "image", of_other)
    )
    return pair(prediction_cache.scored(first, level, of_first), prediction_cache.scored(other, level, of_other))
