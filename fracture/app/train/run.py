"""One run, live and after its end."""

from typing import Literal

import streamlit as st

from fracture import charts
from fracture.app.shared import run_cache, state
from fracture.app.shared.metrics import selection_sentence
from fracture.app.shared.script import show_code
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import (
    escape_markdown,
    link,
    may_change,
    offer_delete,
    show_chart,
    show_errors,
    show_retention,
)
from fracture.app.train.epoch import show_epoch
from fracture.app.train.form import offer_other_weights
from fracture.estimate import format_number, format_percent
from fracture.formatting import format_duration
from fracture.registry.metric_names import metric_name
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.registry.validation import validation_results
from fracture.training.runs import queue
from fracture.training.runs.diagnosis import diagnose_fit
from fracture.training.runs.progress import RunProgress, stopping_words
from fracture.training.runs.queue import Run

_COLORS: dict[str, Literal["gray", "violet", "green", "red"]] = {
    "queued": "gray",
    "running": "violet",
    "stopping": "gray",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
}

_DONE = ":green[:material/check_circle:] {}"
_CURRENT = ":violet[:material/arrow_circle_right:] **{}**"
_PENDING = ":gray[:material/circle: {}]"


def show_run(folder: ModelFolder) -> None:
    """Show a run in its current state. Meant as a fragment that reruns every second while the run is active."""
    run = queue.find_run(folder)
    if run is None:
        st.info("This run has been deleted.", icon=":material/delete:")
        return
    with show_errors():
        if run.state == "queued":
            queue.advance()
        _show(run)
    if _has_just_ended(run):
        with show_errors():
            queue.advance()  # a process that was killed cannot start the next one
        st.rerun()  # the whole page, so that this fragment stops to rerun


def _show(run: Run) -> None:
    progress = run_cache.progress(run)
    _show_headline(run, progress)
    show_retention(run.folder.path)
    if run.error:
        st.error(escape_markdown(run.error), icon=":material/error:")
    _show_data(run, progress)
    _show_curves(run, progress)
    show_epoch(progress)
    _show_network(progress, run.name)
    _show_summary(run)


def _has_just_ended(run: Run) -> bool:
    was_active = state.was_active(run)
    before = was_active.get()
    was_active.set(run.active)
    return before and not run.active


def _show_headline(run: Run, progress: RunProgress) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run.shown_state, color=_COLORS.get(run.shown_state, "gray"))
        st.markdown(_describe_state(run, progress))
        _show_buttons(run)
    if run.state == "running":
        _show_stages(progress)


def _show_stages(progress: RunProgress) -> None:
    """The stages of the run, and one bar over all of them."""
    current = progress.stages.index(progress.stage)
    steps = []
    for place, stage in enumerate(progress.stages):
        pattern = _DONE if place < current else _PENDING
        if place == current:
            pattern = _CURRENT
        steps.append(pattern.format(stage.capitalize()))
    st.markdown("&emsp;".join(steps))
    left = f" · about {format_duration(progress.seconds_left)} left in this step" if progress.seconds_left else ""
    st.progress(progress.share, text=f"{progress.share:.0%} of the run{left}")


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
    return f"{progress.epoch} of {progress.epochs or '?'} epochs done{took}"


def _show_data(run: Run, progress: RunProgress) -> None:
    if progress.data is None:
        return
    data = progress.data
    sentence = (
        f"{data['training']:,} training and {data['validation']:,} validation images; "
        f"{data['positives']:,} of {data['images']:,} are {data['label_names'][1]}"
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
        st.caption(f":material/warning: {problem}")


def _show_curves(run: Run, progress: RunProgress) -> None:
    if not (progress.history or progress.step_losses):
        return
    fine_tuning = run.config.get("mode") == "fine-tune"
    epochs = progress.epochs if run.active else progress.epoch
    kept = progress.kept_epoch or charts.best_epoch(progress.history)
    metrics = ("loss", "auc" if fine_tuning else "accuracy")
    for metric, place in zip(metrics, st.columns(2), strict=True):
        with place:
            figure = run_cache.curves(run, progress, metric, epochs, kept)
            show_chart(figure, f"{metric} {run.name}", f"{metric_name(metric)} by epoch, training and validation")
    part = "selection" if progress.selection_images else "validation"
    criterion = f"highest {part} AUC" if fine_tuning else f"lowest {part} loss"
    rate = f" Learning rate: {progress.learning_rate:.2g}." if run.active and progress.learning_rate else ""
    best = f"The model keeps the weights of the best epoch, by {criterion}."
    st.caption(f"{best}{_describe_part(progress)}{rate}{_describe_losses(run)}")
    if diagnosis := diagnose_fit(progress.history):
        st.markdown(diagnosis)


def _describe_part(progress: RunProgress) -> str:
    """Of which images the validation curves are, where these are not the validation images."""
    if not progress.selection_images:
        return ""
    return (
        " The validation curves are of the held-out selection images; the validation images are evaluated once, at the "
        "end."
    )


def _describe_losses(run: Run) -> str:
    """What the loss of a fine-tuning run contains."""
    if run.config.get("mode") != "fine-tune":
        return ""
    labels = "smoothed labels" if run.config.get("label_smoothing") else "labels"
    faint = " The faint line is the mean of a few batches." if run.active else ""
    return (
        f" The losses are those of the {labels}, without the box loss; the training loss includes dropout and "
        f"augmentation.{faint}"
    )


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
    metrics = card.metrics["image"]
    point = metrics["points"].get("balanced") or metrics["points"]["half"]
    data = escape_markdown(validation_results(card)[0].data)
    st.markdown(
        f"Results on {metrics['count']:,} validation images of *{data}*: AUC {format_number(metrics['auc'])}. At the "
        f"balanced threshold of {point['threshold']:.1%}: accuracy {format_percent(point['accuracy'])}, sensitivity "
        f"{format_percent(point['sensitivity'])}, specificity {format_percent(point['specificity'])}. 95% intervals "
        f"in brackets. {selection_sentence(card)}"
    )
    with st.container(horizontal=True):
        link("classify", "Classify an X-ray", ":material/radiology:", run.name)
        link("models", "Open model", ":material/inventory_2:", run.name)
    show_code(run.folder)


def _offer_cleanup(run: Run) -> None:
    if run.resumable and run.folder.checkpoint.exists():
        st.caption("This run has no model. You can resume it, or delete it to free its name.")
    else:
        st.caption("This run has no model. A new run can take its name.")
    offer_delete(run.folder)
