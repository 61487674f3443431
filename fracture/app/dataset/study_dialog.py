"""One study of a data set, large: its views, what is known of them, and what can be decided."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.dataset.decisions import decision_buttons, decision_words, say_failure
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data.catalog import NO_DECISION, steps
from fracture.data.dataset import Dataset
from fracture.imaging.annotations import parse_boxes
from fracture.phantoms.records import truth_words

LARGE = 1600
"""Longer side in px of an image shown large."""


def ask_for_study(image_id: str) -> None:
    """Open an image large, in its study: the callback of a button."""
    state.VIEWED_IMAGE.set(image_id)
    open_dialog("study")


def show_study_asked_for(data: Dataset, version: str, ids: "pd.Series[str]") -> None:
    """Show the study that is open, if one is. ``ids``: of the images before and after it."""
    if is_open("study"):
        _show(data, version, ids.tolist())


@st.dialog("Study", width="large", on_dismiss=close_dialog)
def _show(data: Dataset, version: str, ids: list[str]) -> None:
    with show_errors():
        _study(data, version, ids)


def _study(data: Dataset, version: str, ids: list[str]) -> None:
    known = dataset_cache.catalogue(data, version).set_index("image_id", drop=False)
    if state.VIEWED_IMAGE.get() not in known.index:  # its file has gone since
        st.info("This image is no longer in the data set.", icon=":material/image_not_supported:")
        return
    row = known.loc[[state.VIEWED_IMAGE.get()]].iloc[0]
    views = known[known["study"] == row["study"]]
    _steps(row, views, known, ids)
    left, right = st.columns((3, 1))
    with right:
        _facts(row, data, dataset_cache.scores(data, version).model)
        revealed = bool(row["boxes"] or data.synthetic) and _reveal_button(row, data)
        window, level, inverted = _window_and_level()
    with left, show_errors():
        image = dataset_cache.large(row["path"], LARGE)
        shown = Image.fromarray(charts.windowed(image, window, level, inverted))
        if revealed:
            shown = charts.outlined(shown, parse_boxes(row["boxes"]), shown.width / max(row["width"], 1))
        st.plotly_chart(
            charts.viewer(shown, row["image_id"]), key="viewer", alt=f"Radiograph {row['image_id']}",
            config={"scrollZoom": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]},
        )  # fmt: skip
        if revealed and data.synthetic:
            truth = truth_words([Path(row["path"])])[0]
            st.markdown(f"{truth.capitalize() or 'Nothing more is known of this image'}.")
    decision_buttons(data, [row["image_id"]], f"view {row['image_id']}", "This view")
    if len(views) > 1:
        decision_buttons(data, list(views["image_id"]), f"study {row['study']}", f"All {len(views)} views")
    say_failure()


def _steps(row: "pd.Series[Any]", views: pd.DataFrame, known: pd.DataFrame, ids: list[str]) -> None:
    """Where in the data set this is, and the ways on, by the arrow keys too."""
    seen = [row["image_id"], *ids] if row["image_id"] not in ids else ids
    place = seen.index(row["image_id"])
    to = steps(known.loc[seen, "study"].tolist(), place)
    with st.container(horizontal=True, vertical_alignment="center"):
        for target, words, icon, shortcut in (
            (to.study_before, "Study before", ":material/keyboard_double_arrow_left:", "Shift+Left"),
            (to.before, "View before", ":material/chevron_left:", "Left"),
            (to.after, "View after", ":material/chevron_right:", "Right"),
            (to.study_after, "Study after", ":material/keyboard_double_arrow_right:", "Shift+Right"),
        ):
            st.button(
                words, icon=icon, shortcut=shortcut, disabled=target is None, key=words.lower(),
                on_click=state.VIEWED_IMAGE.set, args=(seen[target or 0],),
            )  # fmt: skip
        st.caption(f"{place + 1:,} of {len(seen):,} shown")
    siblings = views["image_id"].tolist()
    if len(siblings) > 1:
        st.pills(
            "Views of this study", siblings, default=row["image_id"], required=True,
            format_func=lambda name: str(views.loc[name, "view"] or name),
            key=f"views {row['image_id']}", on_change=_go_to_sibling, args=(row["image_id"],),
        )  # fmt: skip


def _go_to_sibling(image_id: str) -> None:
    state.VIEWED_IMAGE.set(st.session_state[f"views {image_id}"] or image_id)


def _reveal_button(row: "pd.Series[Any]", data: Dataset) -> bool:
    """Whether the truth about this study is shown; about the next one it is hidden again."""
    revealed = bool(state.REVEALED_STUDY.get() == row["study"])
    what = "truth" if data.synthetic else "boxes"
    label = f"{'Hide' if revealed else 'Reveal'} {what}"
    _switch(label, "reveal", revealed, state.REVEALED_STUDY, None if revealed else row["study"])
    return revealed


def _window_and_level() -> tuple[int, int, bool]:
    """How gray levels are shown; the same for all images until it is changed."""
    window = st.slider("Window", 1, 256, 256, key="window", help="How many gray levels lie between black and white.")
    level = st.slider("Level", 0, 255, 128, key="level", help="The gray level in their middle.")
    inverted = state.INVERTED.get()
    _switch("Invert", "invert", inverted, state.INVERTED, not inverted)
    return window, level, inverted


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


def _facts(row: "pd.Series[Any]", data: Dataset, model: str) -> None:
    """What is known of a view; ``model``: whose probability it is."""
    decided = decision_words(row["decision"], data) + f" ({row['reason'] or 'no reason given'})"
    facts = {
        "Patient": row["patient"],
        "Study": row["study"],
        "View": row["view"] or row["image_id"],
        "Label": data.label_names[row["label"]],
        "Part": row["split"],
        "Body part": row["body_part"],
        "Size": f"{row['width']} × {row['height']} px",
        "Mean brightness": "" if pd.isna(row["brightness"]) else f"{row['brightness']:.0f} of 255",
        f"Probability of {data.label_names[1]} by {model}": "" if pd.isna(row["score"]) else f"{row['score']:.1%}",
        "Decision": "" if row["decision"] == NO_DECISION else decided,
        "Made": "synthetic" if data.synthetic else "",
    }
    st.markdown(
        "  \n".join(f"**{escape_markdown(name)}** {escape_markdown(value)}" for name, value in facts.items() if value)
    )
