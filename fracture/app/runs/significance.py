"""What trainings that are compared are worth: figures side by side, and the paired difference of each from one."""

from collections.abc import Sequence

import streamlit as st

from fracture import charts
from fracture.app.models.compare import Side, show_sides, side_of
from fracture.app.models.results import COUNTED
from fracture.app.shared import prediction_cache
from fracture.app.shared.widgets import escape_markdown, link
from fracture.errors import ModelError
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs.compare import Paired, check_files, pair
from fracture.training.runs.queue import Run


def show_worth(runs: Sequence[Run]) -> None:
    """Figures with intervals, curves and paired differences of those that have left a model."""
    with_model = [run.folder for run in runs if run.folder.usable]
    sides = [side for folder in with_model if (side := side_of(folder, ""))]
    without = [escape_markdown(run.name) for run in runs if run.name not in {side.name for side in sides}]
    if without:
        st.caption(f"No model to judge yet: {', '.join(without)}.")
    if len(sides) == 1:
        st.markdown(f"Of these, {escape_markdown(sides[0].name)} alone has a model.")
        link("models", "Its card", ":material/inventory_2:", sides[0].name)
    if len(sides) < 2:
        return
    sides, level = _choose_judged(sides)
    show_sides(sides, level, charts.colours(run.name for run in runs))
    _show_pairs(sides, level)


def _choose_judged(sides: list[Side]) -> tuple[list[Side], str]:
    """On which of the data sets that all were judged on, and whether by image or by study, where there is a choice."""
    known = [[judged.data for judged in side.card.validation_results] for side in sides]
    shared = [data for data in known[0] if all(data in each for each in known)]
    level = "image"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if shared:
            data = st.selectbox("Judged on", shared, key="runs judged on") if len(shared) > 1 else shared[0]
            sides = [side for each in sides if (side := side_of(each.folder, data))]
        if all("study" in side.judged.metrics for side in sides):
            level = st.segmented_control(
                "Judge them by", ["image", "study"], default="image", required=True, key="judge runs by",
                help="A study is all views of one visit; its probability is the mean of theirs.",
            )  # fmt: skip
    return sides, level


def _show_pairs(sides: list[Side], level: str) -> None:
    """Each model against the first one, on the images that both were validated on."""
    st.header("Is one better?")
    first, *others = sides
    for other in others:
        st.markdown(f"- {_against(first, other, level)}")
    st.caption(
        "In brackets 95 % intervals by paired bootstrap: both models are drawn the same patients or groups, a thousand "
        "times. They say what to expect of other patients, not of other seeds." + (_SEVERAL if len(others) > 1 else "")
    )


_SEVERAL = " Of twenty models that are as good, one is told apart by chance: the more are compared, the less it says."


def _against(first: Side, other: Side, level: str) -> str:
    names = f"**{escape_markdown(other.name)}** against **{escape_markdown(first.name)}**"
    if first.data != other.data:
        return f"{names}: validated on different images, so that they cannot be paired."
    try:
        paired = _paired(first.folder, other.folder, level, first.judged.only)
    except ModelError as error:
        return f"{names}: {escape_markdown(str(error))}"
    return f"{names}: {in_a_sentence(paired, COUNTED[level])}"


def in_a_sentence(paired: Paired, counted: str) -> str:
    """What a paired difference says: how large it is, and whether its interval excludes 0."""
    value, low, high = (paired.auc[name] for name in ("value", "low", "high"))
    on = f"on the same {paired.cases:,} {counted} of {paired.groups:,} patients or groups"
    if value is None:
        return f"no AUC {on}: all of them have the same label."
    if low is None or high is None:
        return f"AUC differs by {value:+.3f} {on}; there is no interval, since all resamples agree."
    verdict = "excludes 0" if paired.told_apart else f"includes 0: these {counted} do not tell them apart"
    return f"AUC differs by {value:+.3f} ({low:+.3f} to {high:+.3f}) {on}. The interval {verdict}."


def _paired(first: ModelFolder, other: ModelFolder, level: str, data: str) -> Paired:
    return _kept_pair((str(first.path), first.version, str(other.path), other.version, level, data), (first, other))


@st.cache_data(max_entries=64, show_spinner=False)
def _kept_pair(key: tuple[str, ...], _folders: tuple[ModelFolder, ModelFolder]) -> Paired:
    *_, level, data = key
    check_files(*(prediction_cache.scored(folder, "image", data) for folder in _folders))
    one, other = (prediction_cache.scored(folder, level, data) for folder in _folders)
    return pair(one, other)
