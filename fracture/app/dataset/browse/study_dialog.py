"""One study of a data set, large: its views, their details, and the buttons to decide about them."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from fracture import demo
from fracture.app.dataset.browse.classify import offer_classify, show_model_answer
from fracture.app.dataset.decisions import decision_buttons, describe_decision, show_failure
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import escape_markdown, expander, show_errors
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
    revealed = state.REVEALED_STUDY.get() == row["study"]
    left, right = st.columns((2, 1))
    with right:
        _navigation(row, catalog, ids)
        _choose_view(row["image_id"], views)
        _study_buttons(row, data, revealed=revealed)
        if state.ANSWERED_STUDY.get() == row["study"]:
            _show_recorded_score(row, data)
            show_model_answer(Path(row["path"]))
        _show_details(row, data, revealed=revealed)
        _offer_decisions(row, views, data)
    with left, show_errors():
        _show_image(row, revealed=revealed)


def _show_image(row: "pd.Series[Any]", *, revealed: bool) -> None:
    """The image in full depth; ``revealed``: with its boxes."""
    full = dataset_cache.full_depth(Path(row["path"]), MAX_SIDE)
    boxes = parse_boxes(row["boxes"]) if revealed else []
    # Without the folders of its file, which may name its label.
    name = " ".join(part for part in ("Radiograph", row["patient"], _view_name(row)) if part)
    show_viewer(full, name, "viewer", boxes=boxes)


def _view_name(row: "pd.Series[Any]") -> str:
    return str(row["view"] or Path(row["image_id"]).name)


def _navigation(row: "pd.Series[Any]", catalog: pd.DataFrame, ids: list[str]) -> None:
    """The place in the gallery, and the buttons to the views and studies around; arrow keys press them, too."""
    seen = ids if row["image_id"] in ids else [row["image_id"], *ids]
    place = seen.index(row["image_id"])
    to = neighbors(catalog.loc[seen, "study"].tolist(), place)
    buttons = (
        ("previous view", to.before, "Previous view", "Left"),
        ("next view", to.after, "Next view", "Right"),
        ("previous study", to.study_before, "Previous study", "Shift+Left"),
        ("next study", to.study_after, "Next study", "Shift+Right"),
    )
    st.caption(f"{place + 1:,} of {len(seen):,} shown")
    # In a presentation one below the other: the larger words would be cut.
    with st.grid(2, min_column_width=260 if presenting.is_on() else 150, gap="xsmall"):
        for key, target, label, shortcut in buttons:
            st.button(
                label,
                shortcut=shortcut,
                disabled=target is None,
                key=key,
                width="stretch",
                on_click=state.VIEWED_IMAGE.set,
                args=(seen[target or 0],),
            )


def _choose_view(image_id: str, views: pd.DataFrame) -> None:
    """A switch between the views of the study, where there are several."""
    if len(views) < 2:
        return
    titles = {str(row["image_id"]): _view_name(row) for _, row in views.iterrows()}
    st.pills(
        "Views of this study",
        list(titles),
        default=image_id,
        required=True,
        format_func=titles.__getitem__,
        label_visibility="collapsed",
        key=f"views {image_id}",
        on_change=_view_sibling,
        args=(image_id,),
    )


def _view_sibling(image_id: str) -> None:
    state.VIEWED_IMAGE.set(st.session_state[f"views {image_id}"] or image_id)


def _study_buttons(row: "pd.Series[Any]", data: Dataset, *, revealed: bool) -> None:
    """The label, the model's answer and Classify; what was asked for is hidden again in the next study."""
    noun = "truth" if data.synthetic or row["boxes"] else "label"
    answered = state.ANSWERED_STUDY.get() == row["study"]
    with st.grid(2, min_column_width=150, gap="xsmall"):
        _switch(f"{'Hide' if revealed else 'Reveal'} {noun}", "reveal", revealed, state.REVEALED_STUDY, row["study"])
        _switch("Hide answer" if answered else "Ask model", "ask model", answered, state.ANSWERED_STUDY, row["study"])
    offer_classify(row, "classify viewed", width="stretch")


def _switch(label: str, key: str, on: bool, entry: state.Entry[str | None], study: str) -> None:
    """A button that sets a study or clears it, and not a toggle: on a toggle the arrow keys would act instead."""
    st.button(
        label,
        key=key,
        type="primary" if on else "secondary",
        width="stretch",
        on_click=entry.set,
        args=(None if on else study,),
    )


def _show_recorded_score(row: "pd.Series[Any]", data: Dataset) -> None:
    """The probability from the validation of a model, where it was validated on this image."""
    if pd.notna(row["score"]):
        model = dataset_cache.scores(data).model
        title = f"Probability of {data.label_names[1]} by {model}"
        st.markdown(f"**{escape_markdown(title)}** {row['score']:.1%}, in its validation")


def _offer_decisions(row: "pd.Series[Any]", views: pd.DataFrame, data: Dataset) -> None:
    """Decisions about this view, and about all views of its study."""
    if demo.is_public():
        return
    with expander("Decide", "decide in study", ":material/gavel:"):
        decision_buttons(data, [row["image_id"]], f"view {row['image_id']}", "This view")
        if len(views) > 1:
            decision_buttons(data, list(views["image_id"]), f"study {row['study']}", f"All {len(views)} views")
    show_failure()


def _show_details(row: "pd.Series[Any]", data: Dataset, *, revealed: bool) -> None:
    """What is known of a view; ``revealed``: with its label, and with what names or depends on that."""
    details = {"Patient": row["patient"], "View": _view_name(row)}
    if revealed:
        details["Label"] = data.label_names[row["label"]]
        if data.synthetic:
            details["Truth"] = truth_words([Path(row["path"])])[0].capitalize() or "not known"
        details["Study"] = row["study"]
        details["Decision"] = _describe_decision(row, data)
    details["Split"] = row["split"]
    details["Body part"] = row["body_part"]
    details["Size"] = f"{row['width']} × {row['height']} px"
    if pd.notna(row["brightness"]):
        details["Mean brightness"] = f"{row['brightness']:.0f} of 255"
    if data.synthetic:
        details["Origin"] = "synthetic"
    lines = [f"**{escape_markdown(name)}** {escape_markdown(value)}" for name, value in details.items() if value]
    st.markdown("  \n".join(lines))


def _describe_decision(row: "pd.Series[Any]", data: Dataset) -> str:
    if row["decision"] == NO_DECISION:
        return ""
    return f"{describe_decision(row['decision'], data)} ({row['reason'] or 'no reason given'})"
