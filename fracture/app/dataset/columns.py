"""Which columns of a CSV file hold what: the question with a guess, the answer that counts, and undo."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from fracture import demo
from fracture.app.dataset.labels import attempt, by_kind, class_choices, show_failure
from fracture.app.shared.widgets import escape_markdown, expander
from fracture.data.dataset import Dataset, existing_folder, folder_of_table, tables_in
from fracture.data.dataset_csv import EMPTY
from fracture.data.labels.choice import KINDS, LabelMapping, make_choice
from fracture.data.labels.columns import ROLES, ColumnsChoice, make_columns
from fracture.data.labels.store import choose_columns, last_columns, undo_columns
from fracture.data.layouts import TABLES
from fracture.data.tables.columns import MAX_CLASSES, Table

EXAMPLES = 3
"""Values of a column that are shown."""

MAX_SHOWN = 40
"""Letters of a value that are shown."""

ROLE_TITLES = {
    "image": "Image file",
    "label": "Label",
    "patient": "Patient",
    "study": "Study",
    "split": "Split",
    "body_part": "Body part",
}


def ask_columns(root: str, why: str = "") -> bool:
    """The question which columns hold what, where a data set has a table; whether it has one.

    ``why``: what is missing; without it, the form is folded away.
    """
    folder = folder_of_table(existing_folder(root))
    tables = tables_in(folder)
    if not tables:
        return _offer_undo_alone(folder, why)
    if why:
        st.info("This data set has a table. Which of its columns hold what?", icon=":material/help:")
        before = last_columns(folder)
        if before is not None:  # what was chosen does not fit any more
            st.caption(escape_markdown(why))
        _columns_form(folder, tables, before, {})
    else:
        with expander("Columns of the table", "columns", ":material/table:"):
            _columns_form(folder, tables, last_columns(folder), {})
    show_failure("columns")
    return True


def _offer_undo_alone(folder: Path, why: str) -> bool:
    """Where columns were chosen of a table that is gone: what is missing, and the undo; whether there was a choice."""
    if not why or last_columns(folder) is None:
        return False
    st.error(escape_markdown(why), icon=":material/error:")
    _offer_undo(folder)
    show_failure("columns")
    return True


def show_columns(data: Dataset) -> None:
    """Which columns were read, folded away, with the form that changes it; nothing where there is no other table."""
    unread = any(each.reason == "file" and each.what in TABLES for each in data.skipped)
    if demo.is_public() or not (data.columns or unread):
        return
    tables = _cached_tables(data)
    if not tables:  # a file that is named as a table, but is none
        return
    title = f"Columns: {escape_markdown(data.columns.file)}" if data.columns else "Columns of a table"
    with expander(title, "columns", ":material/table:"):
        if data.columns:
            st.caption(escape_markdown(data.columns.describe()))
        kinds = {name: kind for mapping in data.label_mappings for name, kind in _kinds(mapping).items()}
        _columns_form(data.root, tables, data.columns, kinds)
    show_failure("columns")


def _kinds(mapping: LabelMapping) -> dict[str, str]:
    return {name: kind for kind in KINDS for name in getattr(mapping, kind)}


@st.cache_data(
    max_entries=4, ttl="1h", show_spinner=False, hash_funcs={Dataset: lambda data: f"{data.root} {data.version}"}
)
def _cached_tables(data: Dataset) -> list[Table]:
    return tables_in(data.root)


def _columns_form(root: Path, tables: list[Table], current: ColumnsChoice | None, kinds: Mapping[str, str]) -> None:
    """A choice for each role and for each value of the label, and a button that stores them."""
    with st.container(border=True):
        table = _choose_table(root, tables, current)
        st.dataframe(_examples(table), hide_index=True, key=f"columns of {table.file} in {root}")
        is_current = current is not None and current.file == table.file
        begin = current.column_of() if current is not None and is_current else table.guess()
        keys = {role: f"{role} of {table.file}, {begin.get(role)}, in {root}" for role in ROLES}
        chosen = _choose_columns(table, begin, keys)
        if image := chosen["image"]:
            share = f"{table.shares[image]:.0%}"
            st.caption(f"{share} of the values in {escape_markdown(image)} are names of images in this folder.")
        classes = _choose_classes(root, table, chosen["label"], kinds)
        with st.container(horizontal=True):
            st.button(
                "Save columns",
                type="primary",
                icon=":material/save:",
                key="save columns",
                disabled=not (chosen["image"] and classes),
                on_click=_save,
                args=(str(root), table.file, keys, classes),
                help="Stored in labels.json in the data set's folder; the table is never changed.",
            )
            _offer_undo(root)


def _choose_table(root: Path, tables: list[Table], current: ColumnsChoice | None) -> Table:
    if len(tables) == 1:
        return tables[0]
    by_file = {table.file: table for table in tables}
    files = list(by_file)
    place = files.index(current.file) if current is not None and current.file in by_file else 0
    return by_file[st.selectbox("Table", files, place, key=f"table of {root}")]


def _choose_columns(table: Table, begin: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """The column for each role, "" for none; ``begin``: those to begin with."""
    columns = ["", *table.rows.columns]
    titles = _titles(columns)
    chosen = {}
    for row in (ROLES[:2], ROLES[2:4], ROLES[4:]):
        for place, role in zip(st.columns(2), row, strict=True):
            first = begin.get(role)
            with place:
                chosen[role] = st.selectbox(
                    ROLE_TITLES[role],
                    columns,
                    columns.index(first) if first in columns else 0,
                    format_func=titles.__getitem__,
                    key=keys[role],
                )
    return chosen


def _titles(columns: list[str]) -> dict[str, str]:
    """A title for each column, none twice: of two options with one title, Streamlit takes the last one."""
    titles = {name: _shortened(name) for name in columns if name}
    often = Counter(titles.values())
    numbered = {
        name: title if often[title] == 1 else f"{title} (column {columns.index(name)})"
        for name, title in titles.items()
    }
    return {"": "No column", **numbered}


def _choose_classes(root: Path, table: Table, label: str, kinds: Mapping[str, str]) -> dict[str, str]:
    """The keys of the widgets for the values of the label, by these; none where they cannot be chosen."""
    if not label:
        return {}
    counts = table.rows[label].str.strip().replace("", EMPTY).value_counts()
    if len(counts) > MAX_CLASSES:
        st.warning(f"A label has at most {MAX_CLASSES} values. {escape_markdown(label)} has {len(counts):,}.")
        return {}
    return class_choices(f"{label} in {root}", {str(name): int(count) for name, count in counts.items()}, kinds)


def _examples(table: Table) -> pd.DataFrame:
    """Each column with the first of its values."""
    rows = table.rows
    values = [", ".join(map(_shortened, rows[name][rows[name] != ""].unique()[:EXAMPLES])) for name in rows.columns]
    return pd.DataFrame({"Column": list(rows.columns), "Values": values})


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _save(root: str, file: str, keys: Mapping[str, str], classes: Mapping[str, str]) -> None:
    """Store what was chosen; ``keys``: of the widgets, by role; ``classes``: of those for the values of the label."""
    chosen = {role: st.session_state.get(key) or "" for role, key in keys.items()}
    labels = {name: st.session_state.get(key) or "ignore" for name, key in classes.items()}

    def store() -> None:
        choose_columns(root, make_columns({**chosen, "file": file}), make_choice(by_kind(labels)))

    attempt(root, store, "columns")


def _offer_undo(root: Path) -> None:
    last = last_columns(root)
    if last is not None:
        made = f"The latest choice of columns, {last.time[:16].replace('T', ' ')} UTC."
        st.button(
            "Undo columns",
            icon=":material/undo:",
            key="undo columns",
            help=made,
            on_click=_undo,
            args=(str(root), last.time),
        )


def _undo(root: str, time: str) -> None:
    attempt(root, lambda: undo_columns(root, time), "columns")
