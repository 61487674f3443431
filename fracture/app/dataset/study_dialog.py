"""One study of a data set, large: its views, their details, and the buttons to decide about them."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from fracture.app.dataset.decisions import decision_buttons, describe_decision, show_failure
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.app.viewer.component import show_viewer
from fracture.app.viewer.payload import MAX_SIDE
from fracture.data.catalog import NO_DECISION, neighbors
from fracture.data.dataset import Dataset
from fracture.imaging.annotations import parse_boxes
from fracture.phantoms.records import truth_words


def open_study(image_id: str) -> None:
    """Open an image large, in its study: the callback of a button."""
    state.VIEWED_IMAGE.set(image_id)
    open_dialog("study")


def show_open_study(data: Dataset, ids: "pd.Series[str]") -> None:
    """Show the study that is open, if one is. ``ids``: the images of the gallery, in its order."""
    if is_open("study"):
        _show_dialog(data, ids.tolist())


@st.dialog("Study", width="large", on_dismiss=close_dialog)
def _show_dialog(data: Dataset, ids: list[str]) -> None:
    with show_errors():
        _show_study(data, ids)


def _show_study(data: Dataset, ids: list[str]) -> None:
    catalog = dataset_cache.catalog(data).set_index("image_id", drop=False)
    if state.VIEWED_IMAGE.get() not in catalog.index:  # its file was deleted meanwhile
        st.info("This image is no longer in the data set.", icon=":material/image_not_supported:")
        return
    row = catalog.loc[[state.VIEWED_IMAGE.get()]].iloc[0]
    views = catalog[catalog["study"] == row["study"]]
    _navigation(row, catalog, ids)
    _choose_view(row["image_id"], views)
    left, right = st.columns((3, 1))
    with right:
        _show_details(row, data, dataset_cache.scores(data).model)
        revealed = False
        if row["boxes"] or data.synthetic:
            revealed = _reveal_button(row, data)
    with left, show_errors():
        _show_image(row, data, revealed)
    decision_buttons(data, [row["image_id"]], f"view {row['image_id']}", "This view")
    if len(views) > 1:
        decision_buttons(data, list(views["image_id"]), f"study {row['study']}", f"All {len(views)} views")
    show_failure()


def _show_image(row: "pd.Series[Any]", data: Dataset, revealed: bool) -> None:
    """The image in full depth; ``revealed``: with its boxes, and the truth about a phantom."""
    full = dataset_cache.full_depth(Path(row["path"]), MAX_SIDE)
    boxes = parse_boxes(row["boxes"]) if revealed else []
    show_viewer(full, f"Radiograph {row['image_id']}", "viewer", boxes=boxes)
    if revealed and data.synthetic:
        truth = truth_words([Path(row["path"])])[0]
        st.markdown(f"{truth.capitalize() or 'The truth about this image is not known'}.")


def _navigation(row: "pd.Series[Any]", catalog: pd.DataFrame, ids: list[str]) -> None:
    """The place in the gallery, and the buttons to the views and studies around; arrow keys press them, too."""
    seen = ids if row["image_id"] in ids else [row["image_id"], *ids]
    place = seen.index(row["image_id"])
    to = neighbors(catalog.loc[seen, "study"].tolist(), place)
    buttons = (
        ("previous study", to.study_before, "Previous study", ":material/keyboard_double_arrow_left:", "Shift+Left"),
        ("previous view", to.before, "Previous view", ":material/chevron_left:", "Left"),
        ("next view", to.after, "Next view", ":material/chevron_right:", "Right"),
        ("next study", to.study_after, "Next study", ":material/keyboard_double_arrow_right:", "Shift+Right"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for key, target, label, icon, shortcut in buttons:
            st.button(
                label,
                icon=icon,
                shortcut=shortcut,
                disabled=target is None,
                key=key,
                on_click=state.VIEWED_IMAGE.set,
                args=(seen[target or 0],),
            )
        st.caption(f"{place + 1:,} of {len(seen):,} shown")


def _choose_view(image_id: str, views: pd.DataFrame) -> None:
    """A switch between the views of the study, where there are several."""
    if len(views) < 2:
        return
    st.pills(
        "Views of this study",
        views["image_id"].tolist(),
        default=image_id,
        required=True,
        format_func=lambda name: str(views.loc[name, "view"] or name),
        key=f"views {image_id}",
        on_change=_view_sibling,
        args=(image_id,),
    )


def _view_sibling(image_id: str) -> None:
    state.VIEWED_IMAGE.set(st.session_state[f"views {image_id}"] or image_id)


def _reveal_button(row: "pd.Series[Any]", data: Dataset) -> bool:
    """Whether the truth about this study is shown; it is hidden again for the next one."""
    revealed = bool(state.REVEALED_STUDY.get() == row["study"])
    verb = "Hide" if revealed else "Reveal"
    noun = "truth" if data.synthetic else "boxes"
    _switch(f"{verb} {noun}", "reveal", revealed, state.REVEALED_STUDY, None if revealed else row["study"])
    return revealed


def _switch(label: str, key: str, on: bool, entry: state.Entry[Any], value: object) -> None:
    """A button that sets a value, and not a toggle: on a toggle the arrow keys would act instead of on the study."""
    st.button(
        label,
        key=key,
        type="primary" if on else "secondary",
        width="stretch",
        on_click=entry.set,
        args=(value,),
    )


def _show_details(row: "pd.Series[Any]", data: Dataset, model: str) -> None:
    """What is known of a view; ``model``: the model whose probability the catalog has."""
    details = {
        "Patient": row["patient"],
        "Study": row["study"],
        "View": row["view"] or row["image_id"],
        "Label": data.label_names[row["label"]],
        "Split": row["split"],
        "Body part": row["body_part"],
        "Size": f"{row['width']} × {row['height']} px",
    }
    if pd.notna(row["brightness"]):
        details["Mean brightness"] = f"{row['brightness']:.0f} of 255"
    if pd.notna(row["score"]):
        details[f"Probability of {data.label_names[1]} by {model}"] = f"{row['score']:.1%}"
    if row["decision"] != NO_DECISION:
        reason = row["reason"] or "no reason given"
        details["Decision"] = f"{describe_decision(row['decision'], data)} ({reason})"
    if data.synthetic:
        details["Origin"] = "synthetic"
    lines = [f"**{escape_markdown(name)}** {escape_markdown(value)}" for name, value in details.items() if value]
    st.markdown("  \n".join(lines))
