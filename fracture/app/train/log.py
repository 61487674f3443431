"""The log of a run: its epochs as a table, and the last lines that its process wrote."""

import pandas as pd
import streamlit as st

from fracture import demo
from fracture.registry.metric_names import metric_name, metric_title
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

MAX_LOG_BYTES = 16_000
"""Of the end of the process's log, which is what an error is searched for in."""


def show_log(run: Run, progress: RunProgress) -> None:
    """The log, folded away; the page reads it when a visitor opens it."""
    log = st.expander("Log", icon=":material/list_alt:", on_change="rerun", key=f"log {run.name}")
    if log.open:
        with log:
            _show(run, progress)


def _show(run: Run, progress: RunProgress) -> None:
    if progress.epoch:
        st.dataframe(epoch_table(progress), key=f"epochs {run.name}", hide_index=True, height=320)
    else:
        st.caption("No epoch is done yet.")
    lines = "" if demo.is_public() else _last_lines(run)  # strangers do not see paths of this machine
    if lines:
        st.markdown(f"The end of `{run.folder.log.name}`, which the run's process writes:")
        st.code(lines, language=None, height=240)


def epoch_table(progress: RunProgress) -> pd.DataFrame:
    """An epoch a row: its seconds and all metrics, and a star at the kept one."""
    epochs = range(1, progress.epoch + 1)
    stars = ["★" if epoch == progress.kept_epoch else "" for epoch in epochs]
    columns: dict[str, object] = {"Best": stars, "Epoch": list(epochs), "Seconds": progress.epoch_seconds}
    for name in sorted(progress.history, key=lambda name: (metric_name(name), name)):
        columns[_title(name)] = progress.history[name]
    return pd.DataFrame({title: pd.Series(values) for title, values in columns.items()})


def _title(name: str) -> str:
    part = "validation" if name.startswith("val_") else "training"
    return f"{metric_title(name)}, {part}"


def _last_lines(run: Run) -> str:
    try:
        with run.folder.log.open("rb") as file:
            file.seek(max(0, run.folder.log.stat().st_size - MAX_LOG_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:  # not there: a run of another machine, or one that waits
        return ""
