"""One run, live and after its end."""

from contextlib import suppress
from typing import Literal

import streamlit as st

from fracture.app.shared import run_cache, state
from fracture.app.shared.metrics import selection_sentence
from fracture.app.shared.script import show_code
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import (
    escape_markdown,
    link,
    may_change,
    offer_delete,
    show_errors,
    show_retention,
)
from fracture.app.train.curves import show_curves, show_fit
from fracture.app.train.epoch import show_epoch
from fracture.app.train.form import offer_other_weights
from fracture.app.train.log import show_log
from fracture.app.train.replay import choose_epoch, is_playing, seconds_per_frame
from fracture.app.train.stepper import show_steps
from fracture.errors import ModelError
from fracture.estimate import format_number, format_percent
from fracture.formatting import format_duration
from fracture.registry.metric_names import COUNTED
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.registry.validation import main_level, validation_results
from fracture.training.runs import queue
from fracture.training.runs.progress import RunProgress, stopping_words
from fracture.training.runs.queue import Run
from fracture.training.runs.replay import replay

_COLORS: dict[str, Literal["gray", "violet", "green", "red"]] = {
    "queued": "gray",
    "running": "violet",
    "stopping": "gray",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
}

LIVE_SECONDS = 1.0
"""Between two looks at a run that is queued or at work."""


def seconds_between_looks(run: Run) -> float | None:
    """How often the fragment of a run repeats itself; None where nothing changes by itself."""
    if run.active:
        return LIVE_SECONDS
    return seconds_per_frame() if is_playing(run) else None


def show_run(folder: ModelFolder, seconds: float | None) -> None:
    """Show a run in its current state. Meant as a fragment that repeats itself every so many ``seconds``."""
    run = queue.find_run(folder)
    if run is None:
        st.info("This run has been deleted.", icon=":material/delete:")
        return
    if seconds_between_looks(run) != seconds:
        with show_errors():
            queue.advance()  # a process that was killed cannot start the next one
        st.rerun()  # the whole page, which makes a new fragment
    with show_errors():
        if run.state == "queued":
            queue.advance()
        _show(run)


def _show(run: Run) -> None:
    progress = run_cache.progress(run)
    _show_headline(run, progress)
    show_retention(run.folder.path)
    if run.error:
        st.error(escape_markdown(run.error), icon=":material/error:")
    show_steps(run, progress)
    # In one place: a run that has ended has the slider of its replay where the bar was.
    with st.container(key="run progress"):
        epoch = _show_bar(progress) if run.active else choose_epoch(run, progress)
    shown = replay(progress, epoch)
    with st.container(key="run curves"):
        show_curves(run, shown, progress)
    with st.container(key="run fit"):
        show_fit(run, shown)
    with st.container(key="run images"):
        show_epoch(run, shown, progress)
    with st.container(key="run results"):
        _show_summary(run)
        _show_data(run, progress)
    with st.container(key="run details"):
        _show_network(progress, run.name)
        show_log(run, progress)
        if run.folder.usable and not run.active:
            show_code(run.folder)


def _show_headline(run: Run, progress: RunProgress) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run state"):
        st.badge(run.shown_state, color=_COLORS.get(run.shown_state, "gray"))
        st.markdown(_describe_state(run, progress))
        _show_buttons(run)
        if run.folder.usable and not run.active:
            link("classify", "Classify an X-ray", ":material/radiology:", run.name)
            link("models", "Open model", ":material/inventory_2:", run.name)


def _show_bar(progress: RunProgress) -> int:
    """One bar over all steps; returns the epochs that are done."""
    left = f" · about {format_duration(progress.seconds_left)} left in this step" if progress.seconds_left else ""
    st.progress(progress.share, text=f"{progress.share:.0%} of the run{left}")
    return progress.epoch


def _show_buttons(run: Run) -> None:
    """The buttons that stop, abort or resume a run; none for the runs of other visitors."""
    if not may_change(run.folder.path):
        return
    if run.stopping:
        consequence = "Ends the process at once, without a model. You can resume the run from its last checkpoint."
        if st.button("Abort", icon=":material/stop_circle:", key=f"abort {run.name}", help=consequence):
            queue.end_now(run, policy())
            st.rerun(scope="fragment")
    elif run.active:
        label = "Stop" if run.state == "running" else "Leave queue"
        saves = "Saves a model of the best epoch so far." if run.state == "running" else None
        if st.button(label, icon=":material/stop:", key=f"stop {run.name}", help=saves):
            queue.request_stop(run, policy())
            st.rerun(scope="fragment")
    else:
        _offer_resume(run)


def _offer_resume(run: Run) -> None:
    """Resume, or a restart with other weights where the run's own weights are not available."""
    if run.lacks_weights:
        offer_other_weights(run)
    # Without weights a resumed run fails again: only a checkpoint makes the attempt worthwhile.
    worthwhile = run.folder.checkpoint.exists() or not run.lacks_weights
    if run.resumable and worthwhile and st.button("Resume", icon=":material/resume:", key=f"resume {run.name}"):
        state.REPLAYED_RUN.set("")  # else its end would begin to play
        queue.resume(run, policy())
        st.rerun()


def _describe_state(run: Run, progress: RunProgress) -> str:
    if run.state == "queued":
        others = [each for each in queue.runs() if each.active]
        before = sum(each.state == "running" or each.queued < run.queued for each in others)
        return f"Waits for {before} runs in the queue." if before > 1 else "Waits for the run before it."
    if run.stopping:
        return stopping_words(progress)
    if run.active:
        return progress.doing
    took = f" in {format_duration(progress.end['seconds'])}" if progress.end else ""
    return f"{progress.epoch} of {progress.epochs or '?'} epochs done{took}{_describe_auc(run)}"


def _describe_auc(run: Run) -> str:
    """That of the model, which the whole results below explain."""
    if not run.folder.usable:
        return ""
    with suppress(ModelError):  # a damaged card: the results below say so
        metrics = read_card(run.folder).metrics
        level = main_level(metrics)
        return f" · AUC {format_number(metrics[level]['auc'])} by {level}"
    return ""


def _show_data(run: Run, progress: RunProgress) -> None:
    if progress.data is None:
        return
    data = progress.data
    sentence = (
        f"{data['training']:,} training and {data['validation']:,} validation images; "
        f"{data['positives']:,} of {data['images']:,} are {escape_markdown(data['label_names'][1])}"
    )
    if progress.selection_images:
        sentence += (
            f"; {progress.selection_images:,} selection images, held out of training, choose epoch and thresholds"
        )
    if data.get("synthetic"):
        sentence += "; all are synthetic"
    if run.config.get("also"):
        sentence += "; all data sets together"
    st.caption(f"{sentence}.")
    for problem in data["problems"]:
        st.caption(f":material/warning: {escape_markdown(problem)}")


def _show_network(progress: RunProgress, name: str) -> None:
    network = progress.network
    if network is None:
        return
    title = f"Network: {network['parameters']:,} parameters, {network['trainable']:,} trainable"
    with st.expander(title, icon=":material/account_tree:", key=f"network {name}"):
        rows = [{**row, "shape": " × ".join(map(str, row["shape"]))} for row in network["rows"]]
        st.dataframe(
            rows,
            key=f"layers {name}",
            hide_index=True,
            column_config={
                "name": "Block",
                "shape": "Output shape",
                "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
                "trainable": "Trainable",
            },
        )
        st.caption(
            f"{network['layers']} layers, as Keras counts: the input is a layer, and the moving averages of batch "
            "normalization are parameters."
        )


def _show_summary(run: Run) -> None:
    if run.active:
        return
    if not run.folder.usable:
        _offer_cleanup(run)
        return
    card = read_card(run.folder)
    result = validation_results(card)[0]
    metrics = result.metrics[result.level]
    point = metrics["points"].get("balanced") or metrics["points"]["half"]
    where = f"{metrics['count']:,} validation {COUNTED[result.level]} of *{escape_markdown(result.data)}*"
    st.markdown(
        f"Results by {result.level} on {where}: AUC {format_number(metrics['auc'])}. At the balanced threshold of "
        f"{point['threshold']:.1%}: accuracy {format_percent(point['accuracy'])}, sensitivity "
        f"{format_percent(point['sensitivity'])}, specificity {format_percent(point['specificity'])}. 95% intervals "
        f"in brackets. {selection_sentence(card)}"
    )


def _offer_cleanup(run: Run) -> None:
    if run.resumable and run.folder.checkpoint.exists():
        st.caption("This run has no model. You can resume it, or delete it to free its name.")
    else:
        st.caption("This run has no model. A new run can take its name.")
    offer_delete(run.folder)
