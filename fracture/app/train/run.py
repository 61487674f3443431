"""One training, live and afterwards."""

from typing import Literal

import streamlit as st

from fracture import charts
from fracture.app.models.results import number
from fracture.app.shared import run_cache
from fracture.app.shared.widgets import (
    duration,
    escape_markdown,
    format_percent,
    how_long_kept,
    link,
    may_change,
    offer_delete,
    show_chart,
    show_errors,
    visitor,
)
from fracture.app.train.epoch import show_look
from fracture.app.train.form import offer_other_weights
from fracture.app.train.script import show_code
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.training.runs import queue
from fracture.training.runs.diagnosis import diagnose_fit
from fracture.training.runs.progress import Progress, stopping_words
from fracture.training.runs.queue import Run

_COLOURS: dict[str, Literal["gray", "blue", "green", "orange", "red"]] = {
    "queued": "gray",
    "running": "blue",
    "stopping": "orange",
    "finished": "green",
    "stopped": "orange",
    "failed": "red",
}


def show_run(folder: ModelFolder) -> None:
    """Draw a training as it stands. Meant as a fragment that runs every second while the training is at work."""
    run = queue.find_run(folder)
    if run is None:
        st.info("This training has been deleted.", icon=":material/delete:")
        return
    with show_errors():
        if run.state == "queued":
            queue.advance()
        _draw(run)
    if _ended_just_now(run):
        with show_errors():
            queue.advance()  # which it could not do itself if it was killed
        st.rerun()  # the whole page: this fragment need not run on


def _draw(run: Run) -> None:
    progress = run_cache.progress(run)
    _headline(run, progress)
    how_long_kept(run.folder.path)
    if run.error:
        st.error(escape_markdown(run.error), icon=":material/error:")
    _data(run, progress)
    _curves(run, progress)
    show_look(progress)
    _network(progress)
    _result(run)


def _ended_just_now(run: Run) -> bool:
    key = f"was active {run.name} {run.started}"
    was_active = st.session_state.get(key, False)
    st.session_state[key] = run.active
    return was_active and not run.active


def _headline(run: Run, progress: Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run.shown_state, color=_COLOURS.get(run.shown_state, "gray"))
        st.markdown(_words(run, progress))
        _steer(run)
    if run.state == "running":
        _stepper(progress)


def _stepper(progress: Progress) -> None:
    """The stages of the run, and one bar over all of them."""
    at = progress.stages.index(progress.stage)
    marks = [_DONE] * at + [_AT_WORK] + [_TO_COME] * (len(progress.stages) - at - 1)
    steps = [mark.format(stage.capitalize()) for mark, stage in zip(marks, progress.stages, strict=True)]
    st.markdown("&emsp;".join(steps))
    share = progress.share
    left = f" · about {duration(progress.seconds_left)} left in this step" if progress.seconds_left else ""
    st.progress(share, text=f"{share:.0%} of the run{left}")


_DONE, _AT_WORK = ":green[:material/check_circle:] {}", ":blue[:material/arrow_circle_right:] **{}**"
_TO_COME = ":gray[:material/circle: {}]"


def _steer(run: Run) -> None:
    """The buttons that stop a training, end it at once, or go on with it; none for those of other visitors."""
    if not may_change(run.folder.path):
        return
    if run.stopping:
        words = "Without a model of what it has learned so far; it can be resumed."
        if st.button("End it now", icon=":material/stop_circle:", key=f"end {run.name}", help=words):
            queue.end_now(run, visitor())
            st.rerun(scope="fragment")
    elif run.active:
        words = "Stop" if run.state == "running" else "Leave the queue"
        if st.button(words, icon=":material/stop:", key=f"stop {run.name}", help="What it has learned so far is kept."):
            queue.request_stop(run, visitor())
            st.rerun(scope="fragment")
    else:
        _offer_to_go_on(run)


def _offer_to_go_on(run: Run) -> None:
    """Resume it; where its weights could not be had and no epoch would be lost, start again with others instead."""
    if run.lacks_weights:
        offer_other_weights(run)
    resumable = run.resumable and (run.folder.checkpoint.exists() or not run.lacks_weights)
    if resumable and st.button("Resume", icon=":material/resume:", key=f"resume {run.name}"):
        queue.resume(run, visitor())
        st.rerun()


def _words(run: Run, progress: Progress) -> str:
    if run.state == "queued":
        before = sum(each.state == "running" or each.queued < run.queued for each in queue.runs() if each.active)
        which = f"{before} trainings before it have" if before > 1 else "a training before it has"
        return f"Waits until {which} ended."
    if run.stopping:
        return stopping_words(progress)
    if not run.active:
        took = f" after {duration(progress.end['seconds'])}" if progress.end else ""
        return f"{progress.epoch} of {progress.epochs or '?'} epochs done{took}"
    return progress.doing


def _data(run: Run, progress: Progress) -> None:
    if progress.data is None:
        return
    data = progress.data
    st.caption(
        f"{data['training']:,} training and {data['validation']:,} validation images; "
        f"{data['positives']:,} of all {data['images']:,} are {data['label_names'][1]}"
        f"{'; all of them are synthetic' if data.get('synthetic') else ''}"
        f"{', all data sets together' if run.config.get('also') else ''}."
    )
    for problem in data["problems"]:
        st.caption(f":material/warning: {problem}")


def _curves(run: Run, progress: Progress) -> None:
    if not (progress.history or progress.step_losses):
        return
    epochs = progress.epochs if run.active else progress.epoch
    kept = progress.kept_epoch or charts.best_epoch(progress.history)
    second = "auc" if run.config.get("mode") == "fine-tune" else "accuracy"
    for metric, place in zip(("loss", second), st.columns(2), strict=True):
        with place:
            figure = run_cache.curves(run, progress, metric, epochs, kept)
            show_chart(figure, f"{metric} of {run.name}", f"{metric} by epoch, training and validation")
    by = "largest validation AUC" if run.config.get("mode") == "fine-tune" else "lowest validation loss"
    rate = f" Learning rate: {progress.learning_rate:.2g}." if run.active and progress.learning_rate else ""
    st.caption(f"The best epoch is the one of the {by}; the model keeps its weights.{rate}{_loss_words(run)}")
    if gap := diagnose_fit(progress.history):
        st.markdown(gap)


def _loss_words(run: Run) -> str:
    """What the lines of the loss have in common, and what they don't; of a head they are told by their names."""
    if run.config.get("mode") != "fine-tune":
        return ""
    smoothed = "smoothed labels" if run.config.get("label_smoothing") else "labels"
    faint = " The faint line is the mean of a few batches." if run.active else ""
    return (
        f" All losses are those of the {smoothed}, without that of the boxes; the training loss is measured with "
        f"dropout and augmentation.{faint}"
    )


def _network(progress: Progress) -> None:
    if progress.network is None:
        return
    network = progress.network
    layers, total, trainable = (network[key] for key in ("layers", "parameters", "trainable"))
    title = f"The network: {layers} layers, {total:,} parameters, {trainable:,} of them train"
    with st.expander(title, icon=":material/account_tree:"):
        rows = [{**row, "shape": " × ".join(map(str, row["shape"]))} for row in network["rows"]]
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                "name": "Block",
                "shape": "Output",
                "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
                "trainable": "Trains",
            },
        )
        st.caption("As Keras counts: the input is a layer, batch normalization's moving averages are parameters.")


def _result(run: Run) -> None:
    if run.active:
        return
    if not run.folder.usable:
        kept = run.resumable and run.folder.checkpoint.exists()
        free = (
            "It can be resumed; its name is free once it is deleted." if kept else "A new training may take its name."
        )
        st.caption(f"It left no model. {free}")
        offer_delete(run.folder)
        return
    card = read_card(run.folder)
    metrics, first = card.metrics["image"], card.validation_results[0]
    point = metrics["points"].get("balanced") or metrics["points"]["half"]
    st.markdown(
        f"On {metrics['count']:,} validation images of *{escape_markdown(first.data)}*: AUC "
        f"{number(metrics['auc'])}; at its "
        f"balanced threshold of {point['threshold']:.1%} accuracy {format_percent(point['accuracy'])}, sensitivity "
        f"{format_percent(point['sensitivity'])}, specificity {format_percent(point['specificity'])}. In "
        "brackets 95 % intervals."
    )
    with st.container(horizontal=True):
        link("classify", "Ask it about an X-ray", ":material/radiology:", run.name)
        link("models", "Its card", ":material/inventory_2:", run.name)
    show_code(run.folder)
