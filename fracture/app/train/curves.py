"""The curves of a run, and what they say: loss and accuracy, the best epoch, over- and underfitting."""

import streamlit as st

from fracture.app.shared import run_cache
from fracture.app.shared.frame.chart import show_vega_chart
from fracture.registry.metric_names import metric_name
from fracture.training.runs.diagnosis import diagnose_fit
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run


def show_curves(run: Run, progress: RunProgress, whole: RunProgress) -> None:
    """Loss and accuracy beside each other; empty axes until there are values, so that nothing moves later.

    Args:
        run: as it stands.
        progress: up to the epoch that is shown.
        whole: of the run as it stands, which the axes have room for.
    """
    if not (run.active or whole.history):
        return
    for metric, place in zip(("loss", "accuracy"), st.columns(2), strict=True):
        with place:
            show_curve(run, progress, whole, metric)


def show_curve(run: Run, progress: RunProgress, whole: RunProgress, metric: str) -> None:
    """One metric, training and validation."""
    chart = run_cache.curves(run, progress, metric, whole)
    show_vega_chart(chart, f"{metric_name(metric)} by epoch, training and validation", f"{metric} {run.name}")


def show_fit(run: Run, progress: RunProgress) -> None:
    """Whether the run over- or underfits, and which epoch its model keeps."""
    if not progress.history:
        return
    # Always one, so that what is below stays in its place.
    st.markdown(diagnose_fit(progress.history) or "No sign of over- or underfitting so far.")
    part = "selection" if progress.selection_images else "validation"
    criterion = f"highest {part} AUC by image" if _is_fine_tuning(run) else f"lowest {part} loss"
    rate = f" Learning rate: {progress.learning_rate:.2g}." if run.active and progress.learning_rate else ""
    best = f":green[★] The model keeps the weights of the best epoch, by {criterion}."
    st.caption(f"{best}{_describe_part(progress)}{rate}{_describe_losses(run)}")


def _is_fine_tuning(run: Run) -> bool:
    return run.config.get("mode") == "fine-tune"


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
    if not _is_fine_tuning(run):
        return ""
    labels = "smoothed labels" if run.config.get("label_smoothing") else "labels"
    faint = " The faint line is the mean of a few batches." if run.active else ""
    return (
        f" The losses are those of the {labels}, without the box loss; the training loss includes dropout and "
        f"augmentation.{faint}"
    )
