"""Look at a data set: what is in it, what is wrong with it, image by image and study by study."""

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app import loads, phantoms
from fracture.app.study_view import close_study, picture, show_study
from fracture.app.widgets import choose_dataset, errors_in_words, no_dataset_hint, show_chart
from fracture.data.dataset import Dataset, counts

PER_PAGE = 24
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}


def overview(data: Dataset) -> None:
    table = data.table
    with st.container(horizontal=True):
        st.metric("Images", f"{len(table):,}", border=True, width=170)
        st.metric("Studies", f"{table['study'].nunique():,}", border=True, width=170)
        st.metric("Patients or groups", f"{table['group'].nunique():,}", border=True, width=170)
        st.metric(data.label_names[1].capitalize(), f"{table['label'].mean():.1%}", border=True, width=170)
    charted = counts(table)
    for by, place in zip(("split", "body_part"), st.columns(2), strict=True):
        with place:
            alt = f"Images of each label by {by.replace('_', ' ')}"
            show_chart(charts.class_balance(charted, data.label_names, by), f"by {by}", alt)


def problems(root: str, version: str) -> None:
    found = loads.problems(root, version)
    with st.expander(
        f"Checks: {len(found)} finding{'s' if len(found) > 1 else ''}" if found else "Checks: nothing found",
        icon=":material/rule:",
    ):
        for problem in found:
            st.markdown(f"{ICONS[problem.severity]} {problem.message}")
            if problem.images:
                st.caption(", ".join(problem.images[:8]) + (" …" if len(problem.images) > 8 else ""))
        if not found:
            st.markdown("Every file can be found, no group is on both sides of the split, no file is there twice.")


def filters(data: Dataset) -> tuple[pd.DataFrame, str]:
    """The images that pass, and what was chosen."""
    table, choices = data.table, []
    chosen = pd.Series(True, index=table.index)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for column, title in (("split", "Part"), ("label", "Label"), ("body_part", "Body part")):
            values = sorted(table[column].unique())
            named = (lambda value: data.label_names[value]) if column == "label" else str
            key = f"{column} of {data.root}"  # the choice outlives new images
            kept = st.multiselect(title, values, format_func=named, placeholder="All", width=220, key=key)
            choices.append(kept)
            if kept:
                chosen &= table[column].isin(kept)
        text = st.text_input("Name contains", placeholder="patient00011", width=220).strip()
    if text:
        chosen &= (table["image_id"] + " " + table["study"]).str.contains(text, case=False, regex=False)
    return table[chosen], f"{data.root} {choices} {text}"


def caption(row: pd.Series, data: Dataset) -> str:
    made = "synthetic" if data.synthetic else ""
    return " · ".join(part for part in (data.label_names[row["label"]], row["body_part"], row["view"], made) if part)


@st.fragment
def gallery(data: Dataset) -> None:
    shown, choices = filters(data)
    if shown.empty:
        st.info("No image passes these filters.", icon=":material/filter_alt_off:")
        return
    st.caption(f"{len(shown):,} of {len(data.table):,} images. Open a study to see all its views.")
    pages = -(-len(shown) // PER_PAGE)
    page = min(st.pagination(pages, key=f"page of {choices}"), pages) if pages > 1 else 1
    with st.grid("auto", min_column_width=150):
        for index, row in shown.iloc[(page - 1) * PER_PAGE : page * PER_PAGE].iterrows():
            with st.container():
                picture(row, 256, caption(row, data))
                if st.button("Open study", key=f"open {index}", type="tertiary", help=f"All views of {row['study']}"):
                    show_study(row["study"], data)


st.title("Data set")
close_study()
with st.container(horizontal=True, vertical_alignment="bottom"):
    root = choose_dataset()
    if root:
        phantoms.draw_popover()
if not root:
    no_dataset_hint()
    with st.container(border=True):
        phantoms.draw_form()
    st.stop()
drawing = phantoms.follow(root, browsing=True)
version = phantoms.version(drawing)
with errors_in_words():
    if drawing and not drawing.images:
        st.caption("The first images are being drawn.")
        st.stop()
    data = loads.dataset(root, version)
    overview(data)
    problems(root, version)
    st.subheader("Images")
    gallery(data)
st.button(
    "Read the folder again", icon=":material/refresh:", type="tertiary",
    on_click=loads.forget_dataset, args=(root, version),
)  # fmt: skip
