"""The settings of several runs side by side."""

from collections.abc import Sequence

import streamlit as st

from fracture.app.models.history import card_or_error
from fracture.training.runs.compare import UNKNOWN, describe_run, differing
from fracture.training.runs.queue import Run


def show_differences(runs: Sequence[Run]) -> None:
    """The settings, data and libraries that differ between runs; a column a run."""
    described = {run.name: describe_run(run, card_or_error(run.folder)[0]) for run in runs}
    rows = differing(described)
    if rows:
        st.dataframe(
            [{"Setting": setting, **values} for setting, values in rows.items()],
            hide_index=True,
            height="content",
            column_config={"Setting": st.column_config.TextColumn(pinned=True, width=190)},
        )
    incomplete = any(UNKNOWN in settings.values() for settings in described.values())
    if not rows and incomplete:
        st.markdown("No differences among the settings and data that are known.")
    elif not rows:
        st.markdown("No differences: the same run, trained more than once.")
    elif set(rows) == {"Seed"} and not incomplete:
        st.markdown("Only the seed differs: differences between these metrics are due to chance.")
