"""A head trained with images of hardware, and one without."""

import streamlit as st

from fracture.app.benches import on_a_bench
from fracture.app.judge_model import number, show_table
from fracture.app.searching import with_progress
from fracture.app.widgets import errors_in_words
from fracture.learn.instant.bench import Bench
from fracture.learn.instant.shortcut import FEWEST, TRAININGS, Outcome, compare_trainings, hardware
from fracture.learn.jobs import Run

NAMES = {
    "all": "All images",
    "fewer": "As few as without hardware, by lot",
    "without": "Without hardware",
}


def show_hardware() -> None:
    """Three heads, judged by the same images: with hardware, with as few images, and without."""
    st.subheader("Train without hardware")
    st.markdown(
        "Where the data say which images show plates, nails or screws, a head can be trained without those. It is "
        "judged by the same validation images. A third head, trained on as few images drawn by lot, tells what of the "
        "difference comes from there being fewer."
    )
    on_a_bench(_experiment)


@st.fragment
def _experiment(run: Run, bench: Bench) -> None:
    metal = hardware(bench)
    if not metal[bench.training].any():
        st.info("Of these images nothing says whether they show hardware.", icon=":material/help:")
        return
    label, positive = bench.table["label"], bench.label_names[1]
    shown = bench.training & metal
    st.caption(
        f"{shown.sum():,} of {bench.training.sum():,} training images show hardware; {label[shown].mean():.0%} of them "
        f"are {positive}, and {label[bench.training & ~metal].mean():.0%} of the others."
    )
    key = f"hardware of {run.name} {run.started}"
    with errors_in_words():
        if st.button("Train all three", type="primary", icon=":material/play_arrow:", key="train without hardware"):
            st.session_state[key] = list(with_progress(compare_trainings(bench), len(TRAININGS), "Training heads"))
    if key in st.session_state:
        _result(st.session_state[key], positive)


def _result(outcomes: list[Outcome], positive: str) -> None:
    few = f"fewer than {FEWEST} of a label"
    show_table(
        [
            {
                "Trained on": f"{NAMES[each.training]} ({each.images:,})",
                "AUC, all": few if each.overall is None else number(each.overall),
                "AUC, images without hardware": few if each.plain is None else number(each.plain),
                f"AUC, {positive} with hardware against the rest": few if each.metal is None else number(each.metal),
            }
            for each in outcomes
        ]
    )
    everything, fewer, without = outcomes
    st.markdown(_meaning(everything, fewer, without))
    st.caption("On the validation images; in brackets 95 % intervals over patients or groups.")


def _meaning(everything: Outcome, fewer: Outcome, without: Outcome) -> str:
    """What the three figures on images without hardware say."""
    values = [each.plain["value"] for each in (everything, fewer, without) if each.plain and each.plain["value"]]
    if len(values) < len(TRAININGS):
        return "There are too few validation images without hardware to say more."
    whole, part, plain = values
    overall = everything.overall["value"] if everything.overall else None
    seen = f"The first head has an AUC of {overall:.3f} on all images. " if overall else ""
    return (
        f"{seen}On images without hardware it is {whole:.3f} for the first head; leaving hardware out of training "
        f"changes that by {plain - whole:+.3f}, leaving out as many images by lot by {part - whole:+.3f}. The "
        f"difference of the two, **{plain - part:+.3f}**, is what the hardware does, as far as so few images tell: "
        "mind the intervals."
    )
