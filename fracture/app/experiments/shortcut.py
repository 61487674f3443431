"""The hardware ablation: a head trained with images of hardware, and one without."""

import streamlit as st

from fracture.app.experiments.material import with_bench
from fracture.app.experiments.search import with_progress
from fracture.app.shared import state
from fracture.app.shared.metrics import show_table, verdict
from fracture.app.shared.widgets import escape_markdown, learn_more, show_errors
from fracture.estimate import format_number
from fracture.experiments.shortcut import (
    MIN_IMAGES_PER_LABEL,
    RANDOM_SUBSETS,
    AblationHead,
    compare_trainings,
    due_to_hardware,
    hardware,
    known,
)
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run


def show_ablation(run: Run | None) -> None:
    """Heads with hardware, without it, and on random subsets of the same size, validated on the same images."""
    st.header("Hardware ablation")
    st.caption("Trains a head without images of plates, nails or screws, and compares it with a head on all images.")
    learn_more(
        "learn ablation",
        "- All heads are validated on the same images.\n"
        f"- {RANDOM_SUBSETS} more heads train on random subsets of the same size, from as few patients: they show "
        "how much of the difference comes from having fewer images.\n"
        "- The data set must say which images show hardware; images without that information are left out.",
    )
    with_bench(run, _show_experiment)


@st.fragment
def _show_experiment(run: Run, bench: Bench) -> None:
    everything = bench.training & known(bench)
    with_hardware = everything & hardware(bench)
    if not with_hardware.any():
        st.info("This data set does not say which images show hardware.", icon=":material/help:")
        return
    label = bench.table["label"]
    positive = escape_markdown(bench.label_names[1])
    share_with = label[with_hardware].mean()
    share_without = label[everything & ~with_hardware].mean()
    st.caption(
        f"{with_hardware.sum():,} of {everything.sum():,} training images show hardware; {share_with:.0%} of them are "
        f"{positive}, and {share_without:.0%} of the others."
    )
    entry = state.experiment("hardware", run)
    with show_errors():
        if st.button("Start ablation", type="primary", icon=":material/play_arrow:", key="run hardware"):
            entry.set(list(with_progress(compare_trainings(bench), 2 + RANDOM_SUBSETS, "Training heads")))
        heads = entry.get()
        if heads is not None:
            _show_heads(bench, heads)


def _show_heads(bench: Bench, heads: list[AblationHead]) -> None:
    everything, without, *subsets = heads
    named = {"All images": everything, "Without hardware": without}
    for number, subset in enumerate(subsets, start=1):
        named[f"Random subset {number}"] = subset
    show_table([_row(name, head, bench.label_names[1]) for name, head in named.items()])
    st.markdown(_explain_difference(bench, without, subsets))
    st.caption("On the validation images; 95% intervals in brackets, over patients or groups.")


def _row(name: str, head: AblationHead, positive: str) -> dict[str, str]:
    aucs = {
        "AUC, all": head.overall,
        "AUC, images without hardware": head.plain,
        f"AUC, {escape_markdown(positive)} with hardware against all negatives": head.metal,
    }
    too_few = f"fewer than {MIN_IMAGES_PER_LABEL} of a label"
    row = {"Trained on": f"{name} ({head.images:,})"}
    for title, auc in aucs.items():
        row[title] = too_few if auc is None else format_number(auc)
    return row


def _near_chance(head: AblationHead) -> bool:
    low = head.plain["low"] if head.plain else None
    return low is None or low <= 0.5


def _explain_difference(bench: Bench, without: AblationHead, subsets: list[AblationHead]) -> str:
    """The effect of leaving hardware out, beyond that of having fewer images."""
    found = due_to_hardware(bench, without, subsets)
    if found is None or found["value"] is None:
        return "There are too few validation images without hardware for a comparison."
    if _near_chance(without) and all(map(_near_chance, subsets)):
        return (
            "On images without hardware, neither this head nor the heads on random subsets of the same size are better "
            "than chance, so that the ablation shows nothing about hardware. More images would help, or more positive "
            "images without hardware."
        )
    return (
        "On images without hardware, the AUC of the head without hardware differs from the mean of the random subsets "
        f"of the same size by **{format_number(found)}**. {verdict(found)}"
    )
