"""*Calibrate to my X-rays*: the threshold of the out-of-distribution check, chosen on radiographs without labels."""

from datetime import datetime
from pathlib import Path

import streamlit as st

from fracture import paths
from fracture.app.shared import state
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, left_out
from fracture.data.folders import list_datasets
from fracture.errors import DatasetError, FractureError
from fracture.evaluation.external import calibration_job
from fracture.evaluation.external.calibration_job import CalibrationRequest, CalibrationStatus, find_calibration
from fracture.evaluation.external.familiarity import MIN_IMAGES
from fracture.paths import typed_path
from fracture.registry.adjustments import FamiliarityThreshold, find_adjustments, undo_adjustment
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder


def show_calibration_to_radiographs(folder: ModelFolder, card: Card) -> None:
    """Choose a folder of radiographs, calibrate the model in the background, see what that changes, and undo it."""
    st.header("Calibration to my X-rays")
    if left_out("adjustments"):
        return
    if not folder.familiarity.exists():
        st.caption("This model has no out-of-distribution check that could be calibrated. Choose another model above.")
        return
    st.markdown(
        f"How far an X-ray may differ from the training images before this model refuses it, fitted to {MIN_IMAGES} or "
        "more radiographs of your own. They need no labels, but must show the body parts that it was trained on."
    )
    status = find_calibration(folder.name)
    _show_calibration(folder, card, status)
    if status is not None and status.working:
        st.fragment(_follow, run_every=1.0)(folder.name)
        return
    radiographs = _choose_folder()
    st.button(
        "Calibrate model",
        icon=":material/tune:",
        key="calibrate model",
        disabled=radiographs is None,
        on_click=_start,
        args=(folder.name, radiographs),
        help="The model's folder stays as it is.",
    )
    failed = state.failure("calibration").pop() or (status.error if status is not None else None)
    if failed:
        st.error(escape_markdown(failed), icon=":material/error:")


def _choose_folder() -> str | None:
    """A data set, another folder in the data home, or a typed path: radiographs without labels are no data set."""
    home = paths.data_home()
    inside = sorted(home.iterdir()) if home.is_dir() else []
    folders = [folder for folder in inside if folder.is_dir() and not folder.name.startswith(".")]
    known = dict.fromkeys(paths.short(str(folder)) for folder in [*folders, *list_datasets()])
    chosen: str | None = st.selectbox(
        "Radiographs",
        list(known),
        index=None,
        placeholder="Select a folder or type a path",
        accept_new_options=True,
        key="calibration radiographs",
        help=f"Radiographs, and nothing else. The list shows the folders in {home}; subfolders are read, too.",
    )
    return chosen


def _start(model: str, radiographs: str) -> None:
    try:
        calibration_job.start(CalibrationRequest(model, _find_folder(radiographs)), policy())
    except FractureError as error:
        state.failure("calibration").set(str(error))


def _find_folder(name: str) -> Path:
    """The folder of a name in the data home, or of a path."""
    try:
        inside = typed_path(str(paths.data_home() / name))  # an absolute path stays what it is
        return inside if inside.is_dir() else typed_path(name)
    except ValueError as error:
        raise DatasetError(str(error)) from error


def _follow(model: str) -> None:
    """The progress of a running calibration, until it has ended."""
    status = find_calibration(model)
    if status is None or not status.working:
        st.rerun()
    words = f"{status.done:,} of {status.images:,} images" if status.images else "reading the folder"
    st.progress(status.share, text=f"Calibrating: {words}")
    if st.button("Stop", icon=":material/stop:", key="stop calibration"):
        calibration_job.request_stop(model, policy())


def _show_calibration(folder: ModelFolder, card: Card, status: CalibrationStatus | None) -> None:
    """How many radiographs are refused before and after, and a button that undoes it; nothing where it was not done."""
    try:
        adjustments = find_adjustments(folder, card)
    except FractureError:  # the tab External validation says so, and offers to undo it
        return
    fitted = None if adjustments is None else adjustments.familiarity
    if fitted is None:
        return
    st.markdown(_describe(fitted))
    if status is not None and status.made == fitted.made:
        for sentence in _describe_images(fitted, status):
            st.caption(sentence)
    st.button("Undo calibration", icon=":material/undo:", key="undo familiarity", on_click=_undo, args=(folder, card))


def _describe(fitted: FamiliarityThreshold) -> str:
    day = datetime.fromtimestamp(fitted.made).strftime("%Y-%m-%d %H:%M")
    return (
        f":material/tune: Calibrated to *{escape_markdown(fitted.source)}*, {day}. Of {fitted.images:,} radiographs "
        f"the model refused **{fitted.refused_before:,}** before; thresholds chosen without them refuse "
        f"**{fitted.refused_after:,}**."
    )


def _describe_images(fitted: FamiliarityThreshold, status: CalibrationStatus) -> list[str]:
    """What a person needs to check the radiographs."""
    sentences = []
    if fitted.threshold > fitted.threshold_before:
        sentences.append("The higher threshold lets more of the pictures through that only look like radiographs.")
    farthest = ", ".join(f"{escape_markdown(name)} ({times:.2f})" for name, times in status.farthest.items())
    sentences.append(
        f"The farthest ones, in units of the former threshold: {farthest}. Each must be a radiograph; else remove it "
        "and calibrate again."
    )
    if fitted.left_out:
        sentences.append(f"{fitted.left_out:,} copies or training images were left out.")
    if status.unreadable:
        sentences.append(
            f"{len(status.unreadable):,} files can't be read, for example: {escape_markdown(status.unreadable[0])}"
        )
    return sentences


def _undo(folder: ModelFolder, card: Card) -> None:
    try:
        undo_adjustment(folder, card, "familiarity")
    except FractureError as error:
        state.failure("calibration").set(str(error))
