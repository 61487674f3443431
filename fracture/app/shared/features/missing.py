"""Features of a run that are no longer in the cache: a button that computes them again, and its progress."""

import streamlit as st

from fracture import demo
from fracture.app.shared import state
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, may_change, without_host_paths
from fracture.errors import FractureError
from fracture.experiments import features_job
from fracture.experiments.features_job import FeaturesStatus, find_features_job, job_folder
from fracture.training.runs.queue import Run


def is_computing(run: Run) -> bool:
    """Whether a job computes the features of this run."""
    status = find_features_job(run)
    return status is not None and status.working


def has_computed(run: Run) -> bool:
    """Whether a job has tried all images of this run."""
    status = find_features_job(run)
    return status is not None and status.complete


def offer_features(run: Run, missing: str, images: int = 0) -> None:
    """Say that the features are missing, and offer to compute them; while that is done, its progress.

    Args:
        run: whose features are missing.
        missing: a sentence.
        images: how many of the images lack features; 0 stands for all.
    """
    status = find_features_job(run)
    if status is not None and status.working:
        st.fragment(_follow, run_every=1.0)(run)
        return
    if status is not None and status.complete:
        # Complete, and missing all the same: the images have changed, or the cache cannot be written to.
        st.info(escape_markdown(without_host_paths(missing)), icon=":material/database_off:")
    else:
        name = escape_markdown(run.name)
        which = f"The features of {images:,} images of {name}" if images else f"The features of {name}"
        st.info(f"{which} are no longer in the cache.", icon=":material/database_off:")
    if status is not None and status.error:
        st.warning(escape_markdown(without_host_paths(status.error)), icon=":material/error:")
    if failed := state.failure("features").pop():
        st.error(escape_markdown(without_host_paths(failed)), icon=":material/error:")
    if demo.is_public():
        st.caption(demo.NOT_OFFERED["features"])
        return
    st.button(
        "Compute features",
        type="primary",
        icon=":material/memory:",
        key="compute features",
        on_click=_start,
        args=(run,),
        help="Runs the backbone once on each image of the run, in the background.",
    )


def _start(run: Run) -> None:
    try:
        features_job.start(run, policy())
    except FractureError as error:
        state.failure("features").set(str(error))


def _follow(run: Run) -> None:
    """The progress, until the job has ended."""
    status = find_features_job(run)
    if status is None or not status.working:
        st.rerun()
    st.progress(status.share, text=_progress_words(status))
    if may_change(job_folder(run)) and st.button("Stop", icon=":material/stop:", key="stop features"):
        features_job.request_stop(run, policy())


def _progress_words(status: FeaturesStatus) -> str:
    if not status.images:
        return "Extracting features: reading the data set"
    return f"Extracting features: {status.done:,} of {status.images:,} images"
