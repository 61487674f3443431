"""A model on other data sets: an evaluation in the background, its result beside the card's, and recalibration."""

from datetime import datetime
from pathlib import Path

import streamlit as st

from fracture import paths
from fracture.app.shared import state
from fracture.app.shared.metrics import show_table
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, left_out, show_errors
from fracture.data.folders import list_datasets
from fracture.errors import FractureError, ModelError
from fracture.estimate import excludes_zero, format_number
from fracture.evaluation.external import job
from fracture.evaluation.external.comparison import compare, explain
from fracture.evaluation.external.job import EvaluationStatus, find_evaluation
from fracture.evaluation.external.recalibration import describe_brier_difference, recalibrate
from fracture.evaluation.external.results import (
    RESULT,
    ExternalResult,
    Request,
    read_external_predictions,
    read_result,
    results_matrix,
)
from fracture.registry.adjustments import find_adjustments, graph_sha256, save_adjustment, undo_adjustment
from fracture.registry.card import Card
from fracture.registry.metric_names import POINT_NAMES, metric_title
from fracture.registry.model_folder import ModelFolder, usable_models

_SPLITS = ("valid", "test", "train", "all")


def show_external_validation(folder: ModelFolder, card: Card) -> None:
    """Choose a data set, evaluate the model on it in the background, and see the result beside the card's metrics."""
    if left_out("evaluations"):
        return
    _show_adjustments(folder, card)
    _show_matrix()
    request = _choose_request(folder)
    if request is None:
        st.caption("There is no data set yet.")
        return
    status = find_evaluation(request)
    if status is not None and status.working:
        st.fragment(_follow, run_every=1.0)(request)
        return
    if status is not None and status.error:
        st.warning(escape_markdown(status.error), icon=":material/error:")
    st.button("Evaluate model", icon=":material/play_arrow:", key="evaluate model", on_click=_start, args=(request,))
    if failed := state.failure("evaluation").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    if (request.folder / RESULT).exists():
        with show_errors():
            _show_result(folder, card, request)


def _choose_request(folder: ModelFolder) -> Request | None:
    datasets = {paths.short(str(path)): path for path in list_datasets()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name: str | None = st.selectbox("Data set", list(datasets), key="external data")
        split: str = st.selectbox("Split", _SPLITS, key="external split", width=160)
    return None if name is None else Request(folder.name, Path(datasets[name]).resolve(), split)


def _start(request: Request) -> None:
    try:
        job.start(request, policy())
    except FractureError as error:
        state.failure("evaluation").set(str(error))


def _follow(request: Request) -> None:
    """The progress of a running evaluation, until it has ended."""
    status = find_evaluation(request)
    if status is None or not status.working:
        st.rerun()
    st.progress(status.share, text=_progress_words(status))
    if st.button("Stop", icon=":material/stop:", key="stop evaluation"):
        job.request_stop(request, policy())


def _progress_words(status: EvaluationStatus) -> str:
    if not status.images:
        return "Evaluating: reading the data set"
    return f"Evaluating: {status.done:,} of {status.images:,} images"


def _show_matrix() -> None:
    """AUC of all models by all data sets that they were evaluated on."""
    table = results_matrix(usable_models())
    if table.empty:
        return
    named = table.assign(data=table["data"] + ", " + table["split"])
    rows = []
    for name, results in named.groupby("model", sort=True):
        row = {"Model": escape_markdown(str(name))}
        # The newest comes first of each data set; a body part alone is another result, and not shown here.
        whole = results[results["body_part"] == ""].drop_duplicates("data")
        for data, auc, low, high in zip(whole["data"], whole["auc"], whole["low"], whole["high"], strict=True):
            row[escape_markdown(str(data))] = format_number({"value": auc, "low": low, "high": high})
        rows.append(row)
    columns = dict.fromkeys(column for row in rows for column in row)
    show_table([{column: row.get(column, "not evaluated") for column in columns} for row in rows])
    st.caption("AUC by image with its 95% interval, of each model on each data set and split.")


def _show_result(folder: ModelFolder, card: Card, request: Request) -> None:
    result = read_result(request.folder)
    if result.model_sha256 != graph_sha256(folder, card):
        st.caption("The stored result is of another model that had this name.")
        return
    day = datetime.fromtimestamp(result.evaluated).strftime("%Y-%m-%d %H:%M")
    st.caption(f"{result.images:,} images, evaluated {day}; * means that the interval of the difference excludes zero.")
    show_table(_comparison_rows(result, card))
    st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in explain(result, card)))
    st.button(
        "Recalibrate model",
        icon=":material/tune:",
        key="recalibrate model",
        on_click=_recalibrate,
        args=(folder, card, request),
        help="Refits temperature and thresholds on these images. The model's folder stays as it is.",
    )


def _comparison_rows(result: ExternalResult, card: Card) -> list[dict[str, str]]:
    rows = []
    for each in compare(result, card):
        point = f" ({POINT_NAMES.get(each.point, each.point)})" if each.point else ""
        mark = " *" if excludes_zero(each.difference) else ""
        rows.append(
            {
                "Metric": f"{metric_title(each.metric)}{point}",
                "Validation images": format_number(each.validation),
                "These images": format_number(each.external),
                "Difference": f"{format_number(each.difference)}{mark}",
            }
        )
    return rows


def _recalibrate(folder: ModelFolder, card: Card, request: Request) -> None:
    try:
        result = read_result(request.folder)
        save_adjustment(folder, card, recalibrate(read_external_predictions(request.folder), card, result))
    except FractureError as error:
        state.failure("evaluation").set(str(error))


def _show_adjustments(folder: ModelFolder, card: Card) -> None:
    """On which data the model is recalibrated, and a button that undoes it."""
    try:
        adjustments = find_adjustments(folder, card)
    except ModelError as error:
        st.warning(escape_markdown(str(error)), icon=":material/tune:")
        _offer_undo(folder, card)
        return
    if adjustments is None or adjustments.recalibration is None:
        return
    st.markdown(f":material/tune: {escape_markdown(adjustments.described)}")
    brier = describe_brier_difference(adjustments.recalibration)
    st.caption(escape_markdown(f"On held-out folds: {brier}"))
    _offer_undo(folder, card)


def _offer_undo(folder: ModelFolder, card: Card) -> None:
    st.button(
        "Undo recalibration",
        icon=":material/undo:",
        key="undo recalibration",
        on_click=_undo,
        args=(folder, card),
    )


def _undo(folder: ModelFolder, card: Card) -> None:
    try:
        undo_adjustment(folder, card, "recalibration")
    except FractureError as error:
        state.failure("evaluation").set(str(error))
