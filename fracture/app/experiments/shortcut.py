"""A head trained with images of hardware, and one without."""

import streamlit as st

from fracture.app.experiments.material import on_a_bench
from fracture.app.experiments.search import with_progress
from fracture.app.models.results import number, show_table
from fracture.app.shared.widgets import show_errors
from fracture.experiments.shortcut import (
    MIN_IMAGES_PER_LABEL,
    RANDOM_SUBSETS,
    Trained,
    compare_trainings,
    due_to_hardware,
    hardware,
    known,
)
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run


def show_hardware() -> None:
    """Heads with hardware, without it, and with as few images, judged by the same images."""
    st.header("Train without hardware")
    st.markdown(
        "Where the data say which images show plates, nails or screws, a head can be trained without those. It is "
        f"judged by the same validation images. {RANDOM_SUBSETS} further heads, trained on as few images of as few "
        "patients drawn by lot, tell what of the difference comes from there being fewer."
    )
    on_a_bench(_experiment)


@st.fragment
def _experiment(run: Run, bench: Bench) -> None:
    everything = bench.training & known(bench)
    shown = everything & hardware(bench)
    if not shown.any():
        st.info("Of these images nothing says whether they show hardware.", icon=":material/help:")
        return
    label, positive = bench.table["label"], bench.label_names[1]
    st.caption(
        f"{shown.sum():,} of {everything.sum():,} training images show hardware; {label[shown].mean():.0%} of them "
        f"are {positive}, and {label[everything & ~shown].mean():.0%} of the others."
    )
    key = f"hardware of {run.name} {run.started}"
    with show_errors():
        if st.button("Train them", type="primary", icon=":material/play_arrow:", key="train without hardware"):
            st.session_state[key] = list(with_progress(compare_trainings(bench), 2 + RANDOM_SUBSETS, "Training heads"))
        if key in st.session_state:
            _result(bench, st.session_state[key])


def _result(bench: Bench, trained: list[Trained]) -> None:
    everything, without, *fewer = trained
    named = {
        "All images": everything,
        "Without hardware": without,
        **{f"As few, draw {n}": each for n, each in enumerate(fewer, 1)},
    }
    show_table([_row(name, each, bench.label_names[1]) for name, each in named.items()])
    st.markdown(_meaning(bench, without, fewer))
    st.caption("On the validation images; in brackets 95 % intervals over patients or groups.")


def _row(name: str, trained: Trained, positive: str) -> dict[str, str]:
    figures = {
        "AUC, all": trained.overall,
        "AUC, images without hardware": trained.plain,
        f"AUC, {positive} with hardware against the rest": trained.metal,
    }
    few = f"fewer than {MIN_IMAGES_PER_LABEL} of a label"
    said = {title: few if value is None else number(value) for title, value in figures.items()}
    return {"Trained on": f"{name} ({trained.images:,})", **said}


def _near_chance(trained: Trained) -> bool:
    low = trained.plain["low"] if trained.plain else None
    return low is None or low <= 0.5


def _meaning(bench: Bench, without: Trained, fewer: list[Trained]) -> str:
    """What leaving hardware out does, beyond there being fewer images."""
    found = due_to_hardware(bench, without, fewer)
    if found is None or found["value"] is None:
        return "There are too few validation images without hardware to say more."
    told = found["low"] is not None and found["high"] is not None and not found["low"] <= 0 <= found["high"]
    if _near_chance(without) and all(map(_near_chance, fewer)):
        return (
            "On images without hardware, neither these heads nor those trained on as few by lot are told from chance: "
            "they have learned next to nothing there, and so nothing can be said of hardware. More images, or more "
            "of them positive without hardware, would help."
        )
    verdict = (
        "that is more than these images differ by chance" if told else "these images do not tell that from nothing"
    )
    return (
        "On images without hardware, the AUC of the head that was trained without it differs from the mean of those "
        f"trained on as few by lot by **{number(found)}**: {verdict}."
    )
